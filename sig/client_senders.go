package sig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sigalert/sig/internal/wire"
)

// maxHandlers is how many requests a client answers at once.
const maxHandlers = 64

// RemoteSender is a sender of this process that is registered with the server.
type RemoteSender struct {
	client   *ClientRouter
	name     Name
	events   []Name
	methods  []Name
	handlers map[Name]RequestFunc // by key

	registered atomic.Pointer[peer] // the connection it is registered on; nil: none

	// The client's mutex guards the fields below.
	refused bool          // the server refused it, having accepted it before
	removed bool          // perhaps while the request to add it was under way
	settled chan struct{} // closed once the server first answered
	err     error         // its refusal
}

// AddRemoteSender registers a sender that offers these events, and waits until
// the server has accepted it, through lost connections if need be. The
// registration lasts until it is removed. The error is ctx's, ErrTooLarge, or a
// *RemoteError; ErrAlreadyConnected if the name is taken.
//
// As at pysig, the sender is then one of the client's own [Router], too:
// [Router.Sender] finds it, and listeners that [Router.AddListener] has added
// get its events: those of one goroutine in order, each once [RemoteSender.Trigger]
// has the server's answer, or [RemoteSender.Post] has sent it.
func (c *ClientRouter) AddRemoteSender(ctx context.Context, name Name, events ...Name) (*RemoteSender, error) {
	return c.AddRemoteSenderWith(ctx, name, SenderOptions{Events: events})
}

// AddRemoteSenderWith is [ClientRouter.AddRemoteSender] for a sender that also
// answers requests. At most 64 are answered at once; any more are refused.
func (c *ClientRouter) AddRemoteSenderWith(ctx context.Context, name Name, o SenderOptions) (*RemoteSender, error) {
	if name.IsEvery() {
		return nil, errors.New("a sender needs a name")
	}
	for _, n := range append([]Name{name}, o.Events...) {
		if err := n.check(); err != nil {
			return nil, err
		}
	}
	if c.Sender(name) != nil {
		return nil, errConnected(name)
	}
	s := &RemoteSender{
		client:   c,
		name:     name,
		events:   append([]Name{}, o.Events...),
		methods:  o.methods(),
		handlers: handlersByKey(o.Requests),
		settled:  make(chan struct{}),
	}
	c.guard.Lock()
	c.remoteSenders = append(c.remoteSenders, s)
	c.guard.Unlock()
	c.sending.need()
	c.sendersChanged.Raise()
	select {
	case <-s.settled:
	case <-ctx.Done():
		if c.giveUp(s) {
			return nil, context.Cause(ctx)
		} // otherwise the answer came first
	}
	if s.err != nil {
		return s, s.err
	}
	_, err := c.addSender(name, s.events, s.methods, owner{handlers: s.handlers, remote: s})
	if err != nil { // somebody in this process was faster
		return nil, errors.Join(err, c.RemoveRemoteSender(ctx, s))
	}
	return s, nil
}

// local returns the sender as one of the client's own Router; nil if it is none.
func (s *RemoteSender) local() *Sender {
	r := &s.client.Router
	r.mu.RLock()
	defer r.mu.RUnlock()
	if l := r.senders[s.name.key()]; l != nil && l.remote == s {
		return l
	}
	return nil
}

// hear has the listeners of this process get an event that the server has.
func (s *RemoteSender) hear(event Name, data any) error {
	if s.client.locals.Load() == 0 {
		return nil
	}
	if l := s.local(); l != nil {
		if sg, err := l.Signal(event); err == nil {
			_, err = sg.hear(dataOf(data), nil)
			return err
		}
	}
	return nil // it was removed meanwhile
}

// giveUp forgets a sender that the server has not answered for; false if it
// has.
func (c *ClientRouter) giveUp(s *RemoteSender) bool {
	c.guard.Lock()
	defer c.guard.Unlock()
	if isClosed(s.settled) {
		return false
	}
	s.removed = true
	c.remoteSenders = slices.DeleteFunc(c.remoteSenders, func(o *RemoteSender) bool { return o == s })
	return true
}

// RemoveRemoteSender removes the sender from the server, and waits for the
// server's answer if there is a connection.
func (c *ClientRouter) RemoveRemoteSender(ctx context.Context, s *RemoteSender) error {
	registered := c.forgetSender(s)
	if l := s.local(); l != nil {
		defer c.removeSender(l, nil)
	}
	if registered == nil {
		return nil
	}
	_, err := registered.call(ctx, "remove_sender", append(s.name.appendJSON([]byte(`{"sender": `)), '}'))
	return err
}

func (c *ClientRouter) forgetSender(s *RemoteSender) (registered *peer) {
	c.guard.Lock()
	defer c.guard.Unlock()
	s.removed = true
	c.remoteSenders = slices.DeleteFunc(c.remoteSenders, func(o *RemoteSender) bool { return o == s })
	return s.registered.Load()
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

// Trigger sends an event to the server and waits for its answer, which means
// that the server has the event. The zero Name is the sender's broadcast. The
// error is ErrNotConnected, at once, if there is no connection; ErrTooLarge if
// the server could not read it; [json.Marshal]'s for data that JSON cannot
// hold; ErrNoAnswer, ctx's or a *RemoteError. If the server does not read, a
// write that has begun may take 20 s, whatever ctx says.
func (s *RemoteSender) Trigger(ctx context.Context, event Name, data any) error {
	p, text, err := s.prepare(data)
	if err != nil {
		return err
	}
	_, err = p.call(ctx, "signal", s.appendSignal(make([]byte, 0, 128+len(text)), event, text))
	if err != nil {
		return plainly(err, s.name, event)
	}
	return s.hear(event, data)
}

// Post sends an event without waiting for the server's answer: it does not
// report whether the server took the event, and what is posted just before a
// connection ends is lost. Events from one goroutine arrive in order, including
// those sent with Trigger. Post blocks while 256 KiB wait to be written. A
// pysig server answers every event: with one, Post is Trigger, errors included.
// The error is ErrNotConnected, ErrNotOffered, ErrTooLarge, [json.Marshal]'s or
// ctx's.
func (s *RemoteSender) Post(ctx context.Context, event Name, data any) error {
	p, text, err := s.prepare(data)
	switch {
	case err != nil:
		return err
	case p.outbox == nil:
		return s.Trigger(ctx, event, data)
	case !s.mayTrigger(event):
		return fmt.Errorf("sender %s, event %s: %w", s.name, event, ErrNotOffered)
	}
	buffer := batches.Get().(*[]byte)
	defer batches.Put(buffer)
	b := append((*buffer)[:0], `{"method":"signal","params":`...)
	b = append(wire.OneLine(s.appendSignal(b, event, text)), "}\n"...)
	*buffer = b
	if err := p.outbox.add(ctx, b, false); err != nil {
		if ctx.Err() != nil {
			return err
		}
		return fmt.Errorf("%w: %w", ErrNotConnected, err)
	}
	return s.hear(event, data)
}

// prepare returns the connection for an event, and the text of its data.
func (s *RemoteSender) prepare(data any) (*peer, []byte, error) {
	text, err := dataOf(data).eventText()
	if err != nil {
		return nil, nil, err
	}
	p := s.registered.Load()
	if p == nil {
		_, st := s.client.sending.current()
		return nil, nil, fmt.Errorf("sender %s: %w", s.name, notConnected(st))
	}
	return p, text, nil
}

func (s *RemoteSender) mayTrigger(event Name) bool {
	return event.IsEvery() || isBuiltIn(event) || slices.ContainsFunc(s.events, event.Equal)
}

func (s *RemoteSender) appendSignal(b []byte, event Name, data []byte) []byte {
	b = appendInfo(append(b, `{"info": `...), s.name, event)
	b = append(append(b, `, "data": `...), data...)
	return append(b, '}')
}

// answer passes a request to its sender's handler, and replies.
func (c *ClientRouter) answer(ctx context.Context, tasks *sync.WaitGroup, r request) {
	name, method, params, ok := asked(r.params)
	if !ok {
		r.reply(nil, exception("invalid arguments: sender or method are missing"))
		return
	}
	s := c.remoteSender(name)
	switch {
	case s == nil:
		r.reply(nil, errNotFound(name))
		return
	case s.methods == nil:
		r.reply(nil, coded(codeNoRequests, textNoRequests))
		return
	}
	select {
	case c.handling <- struct{}{}:
	default:
		r.reply(nil, exception("%d requests are already being answered", maxHandlers))
		return
	}
	data := received(bytes.Clone(params))
	r = r.keep()
	tasks.Go(func() {
		defer func() { <-c.handling }()
		ctx := newRequestContext(ctx)
		defer ctx.end()
		r.replyWith(answer(ctx, s.handlers, method, data))
	})
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
			s.registered.Store(nil)
			s.refused = false
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
		c.opts.Changed()
	}
}

func (c *ClientRouter) nextSender() *RemoteSender {
	c.guard.Lock()
	defer c.guard.Unlock()
	for _, s := range c.remoteSenders {
		if s.registered.Load() == nil && !s.refused {
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

// registerSender adds a sender at the server. A first refusal goes to the
// caller who added it; after a later one it is tried again. The error is the
// connection's.
func (c *ClientRouter) registerSender(ctx context.Context, p *peer, s *RemoteSender) error {
	params := []byte(`{"requests": null`)
	if s.methods != nil {
		params = appendNames([]byte(`{"requests": `), s.methods)
	}
	params = s.name.appendJSON(append(params, `, "sender": `...))
	params = appendNames(append(params, `, "events": `...), s.events)
	_, err := p.call(ctx, "add_sender", append(params, '}'))
	if err != nil && !isRefusal(err) {
		return err
	}
	c.guard.Lock()
	removed := s.removed
	if s.refused = err != nil; err == nil && !removed {
		s.registered.Store(p)
	}
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
