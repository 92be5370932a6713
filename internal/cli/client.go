package cli

import (
	"context"
	"sync"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

// client is a connection to a server for as long as a command runs.
type client struct {
	*sig.ClientRouter
	changed wait.Token // the link or a listener's status may have changed
	ctx     context.Context
	stop    func() // ends what run has begun, and waits for it
}

// clientHooks adjust a client.
type clientHooks struct {
	wait    bool          // the command waits for a connection: the log says when there is none, once for each reason
	since   *sig.Position // as in sig.ClientOptions
	changed func()
	missed  func(n int)
	passed  func(sig.Position)
}

// connect returns a client that runs.
func (p *program) connect(ctx context.Context, addr string, hooks clientHooks) *client {
	c := p.newClient(ctx, addr, hooks)
	c.run()
	return c
}

// newClient returns a client that logs when there is a connection. It does nothing
// until run.
func (p *program) newClient(ctx context.Context, addr string, hooks clientHooks) *client {
	ctx, cancel := context.WithCancel(ctx)
	c := &client{changed: wait.NewToken(), ctx: ctx, stop: cancel}
	var mu sync.Mutex // guards last
	last := sig.LinkStatus{}
	c.ClientRouter = sig.NewClientRouter(tcp.NewClient(addr), &sig.ClientOptions{
		Since:  hooks.since,
		Passed: hooks.passed,
		Logger: p.log,
		Missed: func(n int) {
			if hooks.missed != nil {
				hooks.missed(n)
			}
			if n < 0 {
				p.log.Warn("events may have been missed while there was no connection", "server", addr)
				return
			}
			p.log.Warn("events were missed: the server has forgotten them", "server", addr, "count", n)
		},
		Changed: func() {
			mu.Lock()
			defer mu.Unlock()
			st := c.Link()
			switch {
			case ctx.Err() != nil: // our own end is not news
			case st.Connected && !last.Connected:
				p.log.Info("connected", "server", addr)
			case hooks.wait && !st.Connected && st.Err != nil && (last.Connected || last.Err == nil || last.Err.Error() != st.Err.Error()):
				p.log.Warn("no connection, trying again", "server", addr, "err", st.Err)
			}
			last = st
			if hooks.changed != nil {
				hooks.changed()
			}
			c.changed.Raise()
		},
	})
	return c
}

// run connects until stop is called.
func (c *client) run() {
	cancel, ended := c.stop, wait.Start(c.ctx, c.Run)
	c.stop = func() {
		cancel()
		ended()
	}
}

// atOnce has f ask the server, and ends it when the server cannot be reached: a
// command that asks once fails then, and does not wait.
func (c *client) atOnce(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	stopWatching := wait.Start(ctx, func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case <-c.changed:
				if st := c.Link(); !st.Connected && st.Err != nil {
					cancel(st.Err)
				}
			}
		}
	})
	err := f(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // f says the same with more words
	}
	cancel(nil)
	stopWatching()
	return err
}
