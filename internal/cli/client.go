package cli

import (
	"context"
	"sync"

	"sigalert/sig"
	"sigalert/sig/tcp"
)

// client is a connection to a server for as long as a command runs.
type client struct {
	*sig.ClientRouter
	changed chan struct{} // holds a token after something may have changed
	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{} // closed once it has ended
}

// clientHooks say what else a client is to do.
type clientHooks struct {
	wait    bool          // for a connection: it says when there is none, once for each change
	since   *sig.Position // as sig.ClientOptions has it
	changed func()
	missed  func(n int)
	passed  func(sig.Position)
}

// connect is newClient, and runs it.
func (p *program) connect(ctx context.Context, addr string, hooks clientHooks) *client {
	c := p.newClient(ctx, addr, hooks)
	c.run()
	return c
}

// newClient is a client that says when there is a connection. It does nothing
// until run.
func (p *program) newClient(ctx context.Context, addr string, hooks clientHooks) *client {
	ctx, cancel := context.WithCancel(ctx)
	c := &client{changed: make(chan struct{}, 1), ctx: ctx, cancel: cancel, done: make(chan struct{})}
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
			case ctx.Err() != nil: // our own end is no news
			case st.Connected && !last.Connected:
				p.log.Info("connected", "server", addr)
			case hooks.wait && !st.Connected && st.Err != nil && (last.Connected || last.Err == nil || last.Err.Error() != st.Err.Error()):
				p.log.Warn("no connection, trying again", "server", addr, "err", st.Err)
			}
			last = st
			if hooks.changed != nil {
				hooks.changed()
			}
			select {
			case c.changed <- struct{}{}:
			default:
			}
		},
	})
	return c
}

// run connects until stop is called.
func (c *client) run() {
	go func() {
		defer close(c.done)
		c.Run(c.ctx)
	}()
}

// stop ends what run has begun.
func (c *client) stop() {
	c.cancel()
	<-c.done
}

// atOnce has f ask the server, and ends it when the server cannot be reached:
// whoever asks once is told so, and does not wait.
func (c *client) atOnce(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
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
	}()
	err := f(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // f says the same with more words
	}
	cancel(nil)
	<-watching
	return err
}
