package sig

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// RemoteSender is a sender of this process that the server knows.
type RemoteSender struct {
	client *ClientRouter
	name   Name
	events []Name

	// The client's mutex guards the fields below.
	registered bool          // on the present connection
	refused    bool          // the server refused it, after it had it once
	removed    bool          // while the request to add it was under way, perhaps
	settled    chan struct{} // closed once the server first answered
	err        error         // its refusal
}

// AddRemoteSender offers these events in the sender's name and waits until
// the server has accepted it, through lost connections if need be. The
// registration is kept until it is removed. The error is ctx's, or a
// *RemoteError; ErrAlreadyConnected where another has the name.
func (c *ClientRouter) AddRemoteSender(ctx context.Context, name Name, events ...Name) (*RemoteSender, error) {
	if name.IsEvery() {
		return nil, errors.New("a sender needs a name")
	}
	s := &RemoteSender{client: c, name: name, events: append([]Name{}, events...), settled: make(chan struct{})}
	c.guard.Lock()
	c.remoteSenders = append(c.remoteSenders, s)
	c.guard.Unlock()
	c.sending.need()
	token(c.sendersChanged)
	select {
	case <-s.settled:
		return s, s.err
	case <-ctx.Done():
		c.forgetSender(s)
		return nil, context.Cause(ctx)
	}
}

// RemoveRemoteSender takes the sender off the server, and waits for the
// server's answer where there is a connection.
func (c *ClientRouter) RemoveRemoteSender(ctx context.Context, s *RemoteSender) error {
	registered := c.forgetSender(s)
	p, _ := c.sending.current()
	if p == nil || !registered {
		return nil
	}
	_, err := p.call(ctx, "remove_sender", append(s.name.appendJSON([]byte(`{"sender": `)), '}'))
	return err
}

func (c *ClientRouter) forgetSender(s *RemoteSender) (registered bool) {
	c.guard.Lock()
	defer c.guard.Unlock()
	s.removed = true
	c.remoteSenders = slices.DeleteFunc(c.remoteSenders, func(o *RemoteSender) bool { return o == s })
	return s.registered
}

func (c *ClientRouter) remoteSender(name Name) *RemoteSender {
	c.guard.Lock()
	defer c.guard.Unlock()
	for _, s := range c.remoteSenders {
		if s.name.Equal(name) {
			return s
		}
	}
	return nil
}

// Trigger sends an event to the server and waits for its answer: then the
// server has it. The zero Name is the sender's broadcast. The error is
// ErrNotConnected, at once, where there is no connection; ErrTooLarge where
// a pysig server could not read it; ErrNoAnswer, ctx's or a *RemoteError.
func (s *RemoteSender) Trigger(ctx context.Context, event Name, data any) error {
	d, ok := data.(Data)
	if !ok {
		d = Data{value: data}
	}
	text, err := d.wireText()
	if err != nil {
		return err
	}
	p, st := s.client.sending.current()
	s.client.guard.Lock()
	registered := s.registered
	s.client.guard.Unlock()
	if p == nil || !registered {
		return fmt.Errorf("sender %s: %w", s.name, notConnected(st))
	}
	b := append(make([]byte, 0, 128+len(text)), `{"info": `...)
	b = appendInfo(b, s.name, event)
	b = append(b, `, "data": `...)
	b = append(b, text...)
	_, err = p.call(ctx, "signal", append(b, '}'))
	return err
}

// senderRetry is how often a sender that was refused after a reconnect is
// offered again: the server may not have noticed yet that our last connection
// is gone.
const senderRetry = time.Second

// keepSenders registers the senders, for as long as the connection lasts.
func (c *ClientRouter) keepSenders(ctx context.Context, p *peer) error {
	defer func() {
		c.guard.Lock()
		for _, s := range c.remoteSenders {
			s.registered, s.refused = false, false
		}
		c.guard.Unlock()
	}()
	retry := time.NewTicker(senderRetry)
	defer retry.Stop()
	for {
		s := c.nextSender()
		if s == nil {
			select {
			case <-ctx.Done():
				return nil
			case <-c.sendersChanged:
			case <-retry.C:
				c.retrySenders()
			}
			continue
		}
		if err := c.registerSender(ctx, p, s); err != nil {
			return err
		}
		c.changed()
	}
}

func (c *ClientRouter) nextSender() *RemoteSender {
	c.guard.Lock()
	defer c.guard.Unlock()
	for _, s := range c.remoteSenders {
		if !s.registered && !s.refused {
			return s
		}
	}
	return nil
}

func (c *ClientRouter) retrySenders() {
	c.guard.Lock()
	defer c.guard.Unlock()
	for _, s := range c.remoteSenders {
		s.refused = false
	}
}

// registerSender adds a sender at the server. A first refusal is its
// caller's; after a later one it is tried again. The error is the
// connection's.
func (c *ClientRouter) registerSender(ctx context.Context, p *peer, s *RemoteSender) error {
	params := s.name.appendJSON([]byte(`{"requests": null, "sender": `))
	params = append(params, `, "events": [`...)
	for i, e := range s.events {
		if i > 0 {
			params = append(params, ", "...)
		}
		params = e.appendJSON(params)
	}
	_, err := p.call(ctx, "add_sender", append(params, "]}"...))
	if err != nil && !isRefusal(err) {
		return err
	}
	c.guard.Lock()
	removed := s.removed
	s.registered, s.refused = err == nil && !removed, err != nil
	if first := !isClosed(s.settled); first && !removed {
		if s.err = err; err != nil {
			c.remoteSenders = slices.DeleteFunc(c.remoteSenders, func(o *RemoteSender) bool { return o == s })
		}
		close(s.settled)
	}
	c.guard.Unlock()
	if err == nil && removed { // nobody else knows that the server has it
		_, err = p.call(ctx, "remove_sender", append(s.name.appendJSON([]byte(`{"sender": `)), '}'))
		if err != nil && !isRefusal(err) {
			return err
		}
	}
	return nil
}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
