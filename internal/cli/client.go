package cli

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"

	"sigalert/internal/wait"
	"sigalert/sig"
)

// client is a connection to a server for as long as a command runs.
type client struct {
	*sig.ClientRouter
	changed wait.Token // raised after something may have changed
	stop    func()
}

// connect connects to a server until stop is called, and logs how that goes, as
// logLink does.
func (p *program) connect(ctx context.Context, addr target, waits bool) *client {
	ctx, cancel := context.WithCancel(ctx) // for logLink, too
	c := &client{changed: wait.NewToken()}
	linked := p.logLink(ctx, addr, waits)
	c.ClientRouter = sig.NewClientRouter(addr.carrier(), &sig.ClientOptions{
		Token:  addr.secret,
		Logger: p.log,
		Missed: p.logMissed(addr),
		Changed: func() {
			linked(c.Link())
			c.changed.Raise()
		},
	})
	ended := wait.Start(ctx, c.Run)
	c.stop = func() {
		cancel()
		ended()
	}
	return c
}

// logLink returns a function that logs the changes of a connection until ctx ends.
// If waits is true, it also says when there is no connection.
func (p *program) logLink(ctx context.Context, addr target, waits bool) func(sig.LinkStatus) {
	var mu sync.Mutex // guards last
	var last sig.LinkStatus
	return func(st sig.LinkStatus) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case ctx.Err() != nil: // our own end is no news
		case st.Connected && !last.Connected:
			p.log.Info("connected", "server", addr.String())
		case waits && !st.Connected && st.Err != nil && (last.Connected || last.Err == nil || last.Err.Error() != st.Err.Error()):
			warn := p.log.With("server", addr.String(), "err", st.Err)
			if nobodyListens(st.Err) {
				warn = warn.With("hint", hintRouter)
			}
			warn.Warn("no connection, trying again")
		}
		last = st
	}
}

// logMissed returns a function that logs how many events were missed, as sig
// counts them.
func (p *program) logMissed(addr target) func(n int) {
	return func(n int) {
		if n < 0 {
			p.log.Warn("events may have been missed while there was no connection", "server", addr.String())
			return
		}
		p.log.Warn("events were missed: the server has forgotten them", "server", addr.String(), "count", n)
	}
}

// atOnce lets f ask the server, and ends it when the server cannot be reached: a
// command that asks once then fails instead of waiting. The error says what to do then.
func (c *client) atOnce(ctx context.Context, f func(context.Context) error) error {
	return hinted(c.once(ctx, f))
}

// once is atOnce without saying what to do.
func (c *client) once(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer wait.Start(ctx, func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case <-c.changed:
				if st := c.Link(); !st.Connected && st.Err != nil {
					cancel(noLink{st.Err})
				}
			}
		}
	})()
	err := f(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // f says the same with more words
	}
	return err
}

// hinted adds to an error what to do where there is no server.
func hinted(err error) error {
	if nobodyListens(err) {
		err = fmt.Errorf("%w: %s", err, hintRouter)
	}
	return err
}

// noLink is why there is no connection.
type noLink struct{ error }

func (n noLink) Unwrap() error { return n.error }

func (noLink) Is(target error) bool { return target == sig.ErrNotConnected }

const hintRouter = `start a router there with "sigalert serve", or name another with --server`

// wsaRefused is ECONNREFUSED on Windows.
const wsaRefused = syscall.Errno(10061)

// nobodyListens reports whether there is no server at an address.
func nobodyListens(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, wsaRefused)
}
