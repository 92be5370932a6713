package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
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
