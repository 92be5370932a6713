package sig

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"sigalert/internal/queue"
	"sigalert/internal/wait"
	"sigalert/sig/internal/wire"
)

// ClientOptions are a client's settings; nil is the zero value.
type ClientOptions struct {
	// Backoff returns how long to wait before an attempt to connect; the time
	// that the one before it took in vain counts. Attempts are counted from 1,
	// and away is how long there has been no connection; both start over after
	// a connection that lasted a minute. Default: a random time of at most
	// 250 ms before the first attempt, then of at most a fifth of away, where
	// that bound is at least 0.5 s and at most 2 s in the first minute, 5 s in
	// the first ten minutes, 30 s later. A client that the server does not
	// admit has been away for ten minutes, at least.
	Backoff func(attempt int, away time.Duration) time.Duration
	// NoReconnect makes Run return once a connection has failed or ended; the
	// listeners do not get what is still waiting for them then. Default: it tries
	// again for ever.
	NoReconnect bool
	// Queue is how many events may wait for the listeners. When it is full, a
	// client of a server of this package stops reading, and misses nothing that
	// the server remembers; with a pysig server the oldest event is dropped and
	// counted. Default 1,000.
	Queue int
	// Token returns what says to the server who the client is; "": nothing does. It is
	// called for each connection, which its error ends, and what it returns is sent
	// only over a [PrivateConn] that is private. Default: none.
	Token func() (string, error)
	// Since is where an earlier client ended, for
	// [ClientRouter.ResumeRemoteListener]. Default: there was none.
	Since *Position
	// Changed is called after [ClientRouter.Link] or a listener's Status may
	// have changed. It must not block. Default: none.
	Changed func()
	// Missed is called with how many events the listeners did not get because
	// the server had forgotten them by the time the client was back; below 0,
	// there is no telling how many, and there may be none. It is called between
	// the listeners' calls, where the events are missing. Default: none.
	Missed func(n int)
	// Passed is called with how far the server's events have got when the last
	// ones were for no listener: when listeners are registered, when events
	// were searched for a listener in vain, and after each 15 s of silence. It
	// is called between the listeners' calls; they have had nothing after that
	// position. A pysig server does not report it. Default: none.
	Passed func(Position)
	// Logger reports connections that fail, and dropped events. Default: none.
	Logger *slog.Logger
}

// ClientRouter is a Router with a server. Besides the senders and listeners of
// this process, which the methods of Router are for, it has remote ones, which
// are registered with the server. Those outlive a connection: they are
// registered again after each reconnect, and a server of this package then
// delivers the events from the meantime.
//
// Listeners have one connection, senders and requests another, each made when
// it is first needed: pysig's server reads nothing from a connection while it
// delivers what came from it, and answers must not wait behind events.
type ClientRouter struct {
	Router
	opts   ClientOptions
	log    *slog.Logger
	events *arrivals

	receiving *link // listeners
	sending   *link // senders, and requests to the server

	guard         sync.Mutex // guards the fields below; the Router has its own
	subs          subscriptions
	adding        bool                 // a pysig server is being asked for a listener
	early         queue.Queue[arrival] // what came before its answer, which says for whom
	infos         infos
	remoteSenders []*RemoteSender

	listenersChanged wait.Token // there may be work
	sendersChanged   wait.Token
	publications     atomic.Uint64 // that have got an id here
	handling         chan struct{} // a token for each request that is being handled
}

// NewClientRouter returns a client that does nothing until Run.
func NewClientRouter(carrier ClientCarrier, opts *ClientOptions) *ClientRouter {
	var o ClientOptions
	if opts != nil {
		o = *opts
	}
	if o.Backoff == nil {
		o.Backoff = backoff
	}
	if o.Queue <= 0 {
		o.Queue = 1000
	}
	if o.Changed == nil {
		o.Changed = func() {}
	}
	if o.Missed == nil {
		o.Missed = func(int) {}
	}
	if o.Passed == nil {
		o.Passed = func(Position) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &ClientRouter{
		opts:             o,
		log:              o.Logger,
		events:           newArrivals(o.Queue),
		early:            queue.New(maxEarly, maxEarlyBytes, (*arrival).size),
		subs:             subscriptions{byTopic: make(map[topic]*subscription), byID: make(map[Name]*subscription), since: o.Since},
		listenersChanged: wait.NewToken(),
		sendersChanged:   wait.NewToken(),
		handling:         make(chan struct{}, maxHandlers),
	}
	if o.Since != nil {
		c.subs.at = *o.Since
	}
	c.receiving, c.sending = newLink(carrier, o), newLink(carrier, o)
	c.receiving.handle, c.receiving.serve, c.receiving.pong = c.handle, c.keepListeners, c.passed
	c.sending.handle, c.sending.serve, c.sending.pong = c.handle, c.keepSenders, func(*peer, []byte) {}
	c.receiving.other, c.sending.other = c.sending, c.receiving
	return c
}

// Run connects, calls the listeners, and reconnects, until ctx ends; it then
// closes the connections and waits for everything it started, including a
// listener's call. The remote listeners are called one at a time, in the order
// in which the events came.
func (c *ClientRouter) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var tasks sync.WaitGroup
	for _, l := range []*link{c.receiving, c.sending} {
		tasks.Go(func() {
			defer c.events.end() // it ends before ctx only with NoReconnect: what has come is still passed on
			l.run(ctx)
		})
	}
	tasks.Go(func() {
		defer cancel()
		c.dispatch(ctx)
	})
	tasks.Wait()
}

// Link returns the state of the connection; if there are two, of the worse one.
func (c *ClientRouter) Link() LinkStatus {
	var worst *LinkStatus
	for _, l := range []*link{c.receiving, c.sending} {
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

// Reconnect ends a wait for the next attempt to connect, and has one that is under
// way begin anew. If there is a connection, the server is asked whether it is still
// there; one whose address this machine has lost ends.
func (c *ClientRouter) Reconnect() {
	c.receiving.reconnect()
	c.sending.reconnect()
}

// Dropped returns how many events no listener got because the queue was full.
func (c *ClientRouter) Dropped() uint64 { return c.events.drops() }

// Connect makes the client connect even if it has neither senders nor
// listeners, and waits for the connection. The error is ctx's, and says why
// there was none.
func (c *ClientRouter) Connect(ctx context.Context) error {
	_, err := c.asking(ctx)
	return err
}

// asking makes the connection for requests to the server if need be, and waits
// for it.
func (c *ClientRouter) asking(ctx context.Context) (*peer, error) {
	l := c.sending // where no answer waits behind events
	l.need()
	return l.await(ctx)
}

// Senders asks the server for its senders, and for their events too if events
// is true. It waits for a connection. The error is ctx's, ErrNotConnected,
// ErrNoAnswer or a *RemoteError.
func (c *ClientRouter) Senders(ctx context.Context, events bool) (all []SenderStatus, err error) {
	p, err := c.asking(ctx)
	if err != nil {
		return nil, err
	}
	for next := uint64(0); ; {
		params := fmt.Appendf(nil, `{"list_events": %t`, events)
		if p.streaming.Load() {
			params = fmt.Appendf(params, `, "from": %d`, next)
		}
		text, err := p.call(ctx, "list_senders", append(params, '}'))
		if err != nil {
			return nil, err
		}
		from := next
		if text, next, err = pageOf(text); err != nil {
			return nil, err
		}
		var list []wireSender
		if err := received(text).Decode(&list); err != nil {
			return nil, fmt.Errorf("list_senders: the answer is not a list of senders: %w", err)
		}
		for _, w := range list {
			all = append(all, w.status())
		}
		switch {
		case next == 0:
			return all, nil
		case next <= from || len(all) > maxListed:
			return nil, errors.New("list_senders: the server's list has no end")
		}
	}
}

// RemoteRequest sends a request to a sender that the server knows. It waits for
// a connection, and then at most 10 s for the answer. The error is ctx's,
// ErrNotConnected, ErrNoAnswer, ErrTooLarge or a *RemoteError; ErrNoRequests if
// the sender takes none.
func (c *ClientRouter) RemoteRequest(ctx context.Context, sender, method Name, params any) (Data, error) {
	text, err := dataOf(params).wireText()
	if err != nil {
		return Data{}, err
	}
	p, err := c.asking(ctx)
	if err != nil {
		return Data{}, err
	}
	response, err := p.call(ctx, "request", appendAsked(sender, method, text))
	if err != nil {
		return Data{}, plainly(err, sender, method)
	}
	return received(response), nil
}

// pageOf is the list in an answer to list_senders, and where the next page
// begins; 0 where there is none. A pysig server answers with the list alone.
func pageOf(text []byte) (list []byte, next uint64, err error) {
	if !wire.IsObject(text) {
		return text, 0, nil
	}
	next, ok := unsigned(member(text, "next"))
	if list = member(text, "senders"); list == nil || !ok {
		return nil, 0, errors.New("list_senders: the answer has no senders")
	}
	return list, next, nil
}

func notConnected(st LinkStatus) error {
	if st.Err != nil {
		return fmt.Errorf("%w: %w", ErrNotConnected, st.Err)
	}
	return ErrNotConnected
}

// handle answers the server's requests.
func (c *ClientRouter) handle(ctx context.Context, tasks *sync.WaitGroup, r request) {
	switch string(r.method) {
	case "signal":
		if r.peer.streaming.Load() {
			c.streamed(ctx, r)
			return
		}
		r.reply(nil, c.arrived(r.params))
	case "ping":
		c.passed(r.peer, r.params)
		r.reply(nil, nil)
	case "request":
		c.answer(ctx, tasks, r)
	default:
		r.reply(nil, unknownMethod())
	}
}
