package sig

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// ClientOptions are a client's settings; nil is the zero value.
type ClientOptions struct {
	// Backoff is the wait before an attempt to connect, counted from 1 anew
	// after each connection that lived for a minute. Default: [Backoff].
	Backoff func(attempt int) time.Duration
	// Queue is how many events may wait for the listeners. When it is full,
	// the oldest gives way and is counted. Default 1,000.
	Queue int
	// Changed is called after [ClientRouter.Link] or a listener's Status may
	// have changed. It must not wait. Default: none.
	Changed func()
	// Logger hears of connections that fail. Default: none.
	Logger *slog.Logger
}

// ClientRouter is a Router with a server: besides the senders and listeners
// of this process, which the methods of Router are for, it has remote ones,
// which the server knows of. Those outlive a connection: they are registered
// again after each reconnect.
//
// Senders and listeners have a connection each, made when it is first needed:
// pysig's server reads nothing from a connection while it delivers what came
// from there.
type ClientRouter struct {
	Router
	log     *slog.Logger
	changed func()
	events  *queue[arrival]

	receiving link // listeners, and whatever asks the server
	sending   link // senders

	guard         sync.Mutex // guards the fields below; the Router has its own
	subscriptions []*subscription
	adding        *subscription // whose add_listener is under way
	early         []arrival     // signals that came before the reply to it
	earlyBytes    int
	remoteSenders []*RemoteSender

	listenersChanged chan struct{} // holds a token while there may be work
	sendersChanged   chan struct{}
}

// NewClientRouter returns a client that does nothing until Run.
func NewClientRouter(carrier ClientCarrier, opts *ClientOptions) *ClientRouter {
	var o ClientOptions
	if opts != nil {
		o = *opts
	}
	if o.Backoff == nil {
		o.Backoff = Backoff
	}
	if o.Queue <= 0 {
		o.Queue = 1000
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &ClientRouter{
		log:              o.Logger,
		changed:          o.Changed,
		events:           newQueue[arrival](o.Queue),
		listenersChanged: make(chan struct{}, 1),
		sendersChanged:   make(chan struct{}, 1),
	}
	for l, session := range map[*link]func(context.Context, *peer) error{
		&c.receiving: c.keepListeners,
		&c.sending:   c.keepSenders,
	} {
		l.carrier, l.backoff, l.log, l.changed = carrier, o.Backoff, o.Logger, o.Changed
		l.handle, l.session = c.handle, session
		l.needed, l.kick = make(chan struct{}), make(chan struct{}, 1)
	}
	return c
}

// Run connects, calls the listeners, and reconnects, until ctx ends; then it
// closes the connections and waits for all that it started, a listener's call
// included. The remote listeners are called one after the other, in the order
// in which the events came.
func (c *ClientRouter) Run(ctx context.Context) {
	var tasks sync.WaitGroup
	tasks.Go(func() { c.receiving.run(ctx) })
	tasks.Go(func() { c.sending.run(ctx) })
	tasks.Go(func() { c.dispatch(ctx) })
	tasks.Wait()
}

// Link tells of the connection: where there are two, of the worse one.
func (c *ClientRouter) Link() LinkStatus {
	var worst *LinkStatus
	for _, l := range []*link{&c.receiving, &c.sending} {
		if !l.isNeeded() {
			continue
		}
		if _, st := l.current(); worst == nil || worst.Connected && !st.Connected {
			worst = &st
		}
	}
	if worst == nil {
		return LinkStatus{}
	}
	return *worst
}

// Reconnect ends a wait for the next attempt to connect. Where there is a
// connection, the server is asked whether it is still there.
func (c *ClientRouter) Reconnect() {
	c.receiving.reconnect()
	c.sending.reconnect()
}

// Dropped is how many events no listener got because the queue was full.
func (c *ClientRouter) Dropped() uint64 { return c.events.drops() }

// Senders asks the server for its senders; with their events, if wanted. The
// error is ErrNotConnected, ErrNoAnswer, ctx's or a *RemoteError.
func (c *ClientRouter) Senders(ctx context.Context, events bool) ([]SenderStatus, error) {
	l := &c.receiving
	if !l.isNeeded() && c.sending.isNeeded() {
		l = &c.sending
	}
	p, st := l.current()
	if p == nil {
		return nil, notConnected(st)
	}
	text, err := p.call(ctx, "list_senders", fmt.Appendf(nil, `{"list_events": %t}`, events))
	if err != nil {
		return nil, err
	}
	var all []SenderStatus
	if err := (Data{text: text}).Decode(&all); err != nil {
		return nil, fmt.Errorf("list_senders: the answer is no list of senders: %w", err)
	}
	return all, nil
}

func notConnected(st LinkStatus) error {
	if st.Err != nil {
		return fmt.Errorf("%w: %w", ErrNotConnected, st.Err)
	}
	return ErrNotConnected
}

// handle answers what the server asks of its client.
func (c *ClientRouter) handle(method string, params []byte) ([]byte, error) {
	switch method {
	case "signal":
		return nil, c.arrived(params)
	case "request":
		sender, ok := nameOf(member(params, "sender"))
		if !ok || missing(member(params, "method")) {
			return nil, exception("invalid arguments: sender or method are missing")
		}
		if c.remoteSender(sender) == nil {
			return nil, exception("sender %s not found", sender)
		}
		return nil, exception(textNoRequests)
	}
	return nil, unknownMethod()
}

func token(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
