package sig

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"sigalert/sig/internal/wire"
)

// ListenerStatus tells whether a remote listener gets events.
type ListenerStatus uint8

const (
	// Pending: the server has not been told yet, or there is no connection.
	Pending ListenerStatus = iota
	// Active: the server has the listener.
	Active
	// Refused: the server refused it, mostly because the sender does not
	// offer the event. It is asked again when the sender connects and does.
	Refused
)

func (s ListenerStatus) String() string {
	return [...]string{"pending", "active", "refused"}[s]
}

// RemoteListener is a callback for events that come from the server.
type RemoteListener struct {
	Sender, Event Name // zero: every one

	fn      func(Event)
	sub     *subscription
	watch   *subscription // tells when the sender connects; may be nil
	removed atomic.Bool
}

// subscription is what the server is told: however many listeners ask for the
// same events here, one message brings them. The client's mutex guards it.
type subscription struct {
	sender, event Name
	listeners     []*RemoteListener // replaced, never changed
	watchers      int               // listeners that need the sender's #connect

	state subscriptionState
	id    Name  // of an active one; the server's choice
	err   error // of a refused one
	// What a #connect said while the request to add it was under way.
	dropped, offered bool
}

type subscriptionState uint8

const (
	idle     subscriptionState = iota // the server is to be told
	adding                            // it is being told
	active                            //
	refused                           // it said no, or dropped it
	removing                          //
)

func (s *subscription) wanted() bool { return len(s.listeners) > 0 || s.watchers > 0 }

func (a arrival) size() int { return a.event.size() }

// The signals kept until the reply that tells their listener.
const (
	mostEarly      = 64
	mostEarlyBytes = 4 << 20
)

// arrival is an event on its way to the listeners of a subscription.
type arrival struct {
	sub   *subscription
	id    Name // where sub is not known yet
	event Event
}

// AddRemoteListener registers fn for an event of a sender; the zero Name
// means every one. The registration is kept until it is removed, whatever
// becomes of the connection or the sender; Status tells how it stands. fn may
// wait, but the other listeners wait with it.
//
// Where a listener of one sender's one event is dropped because the sender
// came without the event, it is registered again once the sender comes with
// it: pysig's server forgets it.
func (c *ClientRouter) AddRemoteListener(sender, event Name, fn func(Event)) *RemoteListener {
	l := &RemoteListener{Sender: sender, Event: event, fn: fn}
	c.guard.Lock()
	if !sender.IsEvery() && !event.IsEvery() && !event.Equal(EventConnect) && !event.Equal(EventDisconnect) {
		l.watch = c.subscription(sender, EventConnect)
		l.watch.watchers++
	}
	if sender.IsEvery() && !event.IsChannel() {
		event = "" // pysig knows such a listener only for channels
	}
	l.sub = c.subscription(sender, event)
	l.sub.listeners = append(slices.Clip(l.sub.listeners), l)
	c.guard.Unlock()
	c.receiving.need()
	token(c.listenersChanged)
	return l
}

// RemoveRemoteListener ends a registration. A call that is under way may
// still end after it.
func (c *ClientRouter) RemoveRemoteListener(l *RemoteListener) {
	if l.removed.Swap(true) {
		return
	}
	c.guard.Lock()
	l.sub.listeners = slices.DeleteFunc(slices.Clone(l.sub.listeners), func(o *RemoteListener) bool { return o == l })
	if l.watch != nil {
		l.watch.watchers--
	}
	c.guard.Unlock()
	token(c.listenersChanged)
}

// Status tells how a listener stands with the server. The error, of a
// refused one, is the server's; it is ErrNotOffered where the sender does not
// offer the event.
func (c *ClientRouter) Status(l *RemoteListener) (ListenerStatus, error) {
	c.guard.Lock()
	defer c.guard.Unlock()
	switch l.sub.state {
	case active:
		return Active, nil
	case refused:
		return Refused, l.sub.err
	}
	return Pending, nil
}

// subscription finds or makes one; the caller holds the lock.
func (c *ClientRouter) subscription(sender, event Name) *subscription {
	for _, s := range c.subscriptions {
		if s.sender.Equal(sender) && s.event.Equal(event) {
			return s
		}
	}
	s := &subscription{sender: sender, event: event}
	c.subscriptions = append(c.subscriptions, s)
	return s
}

// keepListeners makes the server's listeners those that are wanted, one
// request after the other, for as long as the connection lasts.
func (c *ClientRouter) keepListeners(ctx context.Context, p *peer) error {
	c.guard.Lock()
	for _, s := range c.subscriptions {
		s.state, s.err = idle, nil
	}
	c.adding, c.early, c.earlyBytes = nil, nil, 0
	c.guard.Unlock()
	defer c.unregistered()
	for {
		sub := c.nextListener()
		if sub == nil {
			select {
			case <-ctx.Done():
				return nil
			case <-c.listenersChanged:
			}
			continue
		}
		var err error
		if sub.state == adding {
			err = c.register(ctx, p, sub)
		} else {
			err = c.unregister(ctx, p, sub)
		}
		if err != nil {
			return err
		}
		c.changed()
	}
}

// unregistered notes that the server has no listeners of ours any more.
func (c *ClientRouter) unregistered() {
	c.guard.Lock()
	for _, s := range c.subscriptions {
		s.state, s.err = idle, nil
	}
	c.guard.Unlock()
}

// nextListener picks what to tell the server, and marks it as being told.
func (c *ClientRouter) nextListener() *subscription {
	c.guard.Lock()
	defer c.guard.Unlock()
	c.subscriptions = slices.DeleteFunc(c.subscriptions, func(s *subscription) bool {
		return !s.wanted() && s.state != active
	})
	for _, s := range c.subscriptions {
		switch {
		case s.state == idle:
			s.state, s.dropped, s.offered = adding, false, false
			c.adding = s
			return s
		case s.state == active && !s.wanted():
			s.state = removing
			return s
		}
	}
	return nil
}

// register adds a listener at the server. A refusal is noted, any other error
// is the connection's.
func (c *ClientRouter) register(ctx context.Context, p *peer, sub *subscription) error {
	params := appendInfo(nil, sub.sender, sub.event)
	response, err := p.call(ctx, "add_listener", params)
	if err != nil && !isRefusal(err) {
		return err
	}
	id, ok := nameOf(member(response, "listener_id"))
	if err == nil && !ok {
		err = &RemoteError{Status: statusException, Text: "the server gave no listener_id"}
	}
	c.guard.Lock()
	defer c.guard.Unlock()
	early := c.early
	c.adding, c.early, c.earlyBytes = nil, nil, 0
	switch {
	case err == nil && !sub.dropped:
		sub.state, sub.id = active, id
		for _, a := range early {
			if a.id.Equal(id) {
				a.sub = sub
				c.enqueue(a)
			}
		}
	case err != nil && sub.offered:
		sub.state = idle // it came with the event since
	default:
		sub.state, sub.err = refused, err
		if err == nil {
			sub.err = ErrNotOffered
		}
	}
	return nil
}

func (c *ClientRouter) unregister(ctx context.Context, p *peer, sub *subscription) error {
	params := append(sub.id.appendJSON([]byte(`{"listener_id": `)), '}')
	_, err := p.call(ctx, "remove_listener", params)
	if err != nil && !errors.As(err, new(*RemoteError)) {
		return err
	}
	c.guard.Lock()
	sub.state = idle
	c.guard.Unlock()
	return nil
}

// arrived takes a signal from the server, on the reading goroutine.
func (c *ClientRouter) arrived(params []byte) error {
	idText := member(params, "listener_id")
	if missing(idText) {
		return exception("listener_id not given")
	}
	info := member(params, "info")
	if missing(info) {
		return exception("info is not provided")
	}
	id, ok := nameOf(idText)
	if !ok {
		return exception("listener id %s not found", idText)
	}
	ev := Event{Time: time.Now()}
	var err error
	if ev.Sender, err = listenedTo(member(info, "sender")); err == nil {
		ev.Event, err = listenedTo(member(info, "event"))
	}
	if err != nil {
		return exception("%v", err)
	}
	if text := member(params, "data"); text != nil {
		ev.Data = JSONData(bytes.Clone(text))
	}
	c.guard.Lock()
	sub := c.byID(id)
	if sub == nil && c.adding == nil {
		c.guard.Unlock()
		return exception("listener id %s not found", id)
	}
	changed := ev.Event.Equal(EventConnect) && c.connected(ev)
	if sub != nil {
		c.enqueue(arrival{sub: sub, event: ev})
	} else if c.earlyBytes += ev.size(); len(c.early) < mostEarly && c.earlyBytes <= mostEarlyBytes {
		c.early = append(c.early, arrival{id: id, event: ev})
	} else {
		c.events.drop()
	}
	c.guard.Unlock()
	if changed {
		c.changed()
	}
	return nil
}

func (c *ClientRouter) enqueue(a arrival) {
	if n := c.events.push(a); n > 0 {
		if all := c.events.drops(); rare(int(all)) {
			c.log.Warn("the listeners are slow: events were dropped", "server", c.receiving.carrier, "count", all)
		}
	}
}

func (c *ClientRouter) byID(id Name) *subscription {
	for _, s := range c.subscriptions {
		if (s.state == active || s.state == removing) && s.id.Equal(id) {
			return s
		}
	}
	return nil
}

// connected learns from a sender's #connect which of our listeners the server
// has dropped, and which it would take now; the caller holds the lock. It
// reports whether any listener's status changed.
func (c *ClientRouter) connected(ev Event) (changed bool) {
	var offered []Name
	text, _ := ev.Data.wireText()
	wire.Elements(member(text, "events"), func(e []byte) {
		if n, ok := nameOf(e); ok {
			offered = append(offered, n)
		}
	})
	for _, s := range c.subscriptions {
		if s.sender.IsEvery() || s.event.IsEvery() || !s.sender.Equal(ev.Sender) {
			continue
		}
		offers := s.event.Equal(EventDisconnect) || s.event.Equal(EventConnect) ||
			slices.ContainsFunc(offered, s.event.Equal)
		switch {
		case s.state == adding:
			s.dropped, s.offered = !offers, offers
		case offers && s.state == refused:
			s.state, changed = idle, true
			token(c.listenersChanged)
		case !offers && s.state == active:
			s.state, s.err, changed = refused, ErrNotOffered, true
		}
	}
	return changed
}

// dispatch calls the listeners until ctx ends.
func (c *ClientRouter) dispatch(ctx context.Context) {
	for {
		a, ok := c.events.pop(ctx)
		if !ok {
			return
		}
		c.guard.Lock()
		listeners := a.sub.listeners
		c.guard.Unlock()
		for _, l := range listeners {
			if !l.removed.Load() && (l.Event.IsEvery() || l.Event.Equal(a.event.Event)) {
				l.fn(a.event)
			}
		}
	}
}
