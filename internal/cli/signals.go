package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"sigalert/internal/wait"
)

// outliveLog lets a write to a log that nobody reads any more fail; otherwise it
// would end the process. Ignoring the signal would do as well here, but then the
// editor that we start would ignore it too.
func outliveLog() (stop func()) {
	broken := make(chan os.Signal, 1) // nobody reads it: that it exists is enough
	signal.Notify(broken, syscall.SIGPIPE)
	return func() { signal.Stop(broken) }
}

// untilHangup returns a context that also ends with the terminal or the session.
// A logout may send SIGHUP right after SIGTERM, which must not cut short what we
// say at the end. Under nohup it changes nothing.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	if signal.Ignored(syscall.SIGHUP) {
		return context.WithCancel(ctx)
	}
	return signal.NotifyContext(ctx, syscall.SIGHUP)
}

// untilTerminalEnds is untilHangup for what has something to reload: only the end
// of the terminal ends the context, and any other SIGHUP raises reload.
func untilTerminalEnds(ctx context.Context) (_ context.Context, reload wait.Token, stop func()) {
	attached := !signal.Ignored(syscall.SIGHUP) && hasTerminal()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	ctx, cancel := context.WithCancel(ctx)
	reload = wait.NewToken()
	ended := wait.Start(ctx, func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
			}
			if attached && !hasTerminal() {
				cancel()
			} else {
				reload.Raise()
			}
		}
	})
	return ctx, reload, func() {
		cancel()
		ended()
		signal.Stop(hangups)
	}
}

// hasTerminal reports whether the process belongs to a terminal. When that hangs
// up, the kernel takes it from its processes before it sends them the signal.
func hasTerminal() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	tty.Close()
	return true
}
