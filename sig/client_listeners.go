package sig

import (
	"context"
	"slices"
	"sync/atomic"

	"sigalert/sig/internal/wire"
)

// ListenerStatus tells whether a remote listener gets events.
type ListenerStatus uint8

const (
	// Pending: the server has not been told yet, or there is no connection.
	Pending ListenerStatus = iota
	// Active: the server has the listener.
	Active
	// Refused: the server refused it, or the sender is here and does not
	// offer the event. It is in force again once the sender has gone, or has
	// come with the event.
	Refused
)

func (s ListenerStatus) String() string {
	return [...]string{"pending", "active", "refused"}[s]
}

// RemoteListener is a callback for events that come from the server.
type RemoteListener struct {
	Sender, Event Name // zero: every one

	fn      func(Event)
	picks   bool // of all events, those of its name
	sub     *subscription
	watch   [2]*subscription // tell when the sender comes and goes; nil: not needed
	removed atomic.Bool
}

// topic is an event of a sender; as a map's key, by their keys.
type topic struct{ sender, event Name }

// subscription is what the server is told: however many listeners ask for the
// same events here, one message brings them. The client's mutex guards it.
type subscription struct {
	sender, event Name
	listeners     []*RemoteListener // replaced, never changed
	watchers      int               // listeners that need the sender's #connect or #disconnect

	state subscriptionState
	id    Name  // of an active one: the key of the server's choice
	err   error // of a refused one
	// What a #connect said while the request to add it was under way.
	dropped, offered bool

	// With a server that remembers:
	resumes    bool   // the server had it before
	had        uint64 // it has had the events up to this number
	notOffered bool   // the sender is here and does not offer the event
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

// isOffered reports whether a sender that comes with these events offers the
// subscription's.
func (s *subscription) isOffered(offered []Name) bool {
	return s.event.Equal(EventDisconnect) || s.event.Equal(EventConnect) || slices.ContainsFunc(offered, s.event.Equal)
}

// AddRemoteListener registers fn for an event of a sender; the zero Name
// means every one. The registration is kept until it is removed, whatever
// becomes of the connection or the sender; Status tells how it stands. fn may
// wait, but the other listeners wait with it. A listener that is added without
// a connection gets what happens from the next one on, or, where there is one
// of the same sender and event already, what that one gets.
//
// Where a pysig server drops a listener because its sender came without the
// event, it is registered again once the sender goes, and once it comes with
// it; what the sender fires meanwhile is lost. A server of this package keeps
// it.
func (c *ClientRouter) AddRemoteListener(sender, event Name, fn func(Event)) *RemoteListener {
	return c.addRemoteListener(sender, event, fn, false)
}

// ResumeRemoteListener is AddRemoteListener for what an earlier client has
// listened to up to [ClientOptions].Since: what happened behind that comes first,
// and what the server has forgotten of it is told as missed, as if the connection
// had only been lost. It is to be called before Run; after the first connection
// it is AddRemoteListener.
func (c *ClientRouter) ResumeRemoteListener(sender, event Name, fn func(Event)) *RemoteListener {
	return c.addRemoteListener(sender, event, fn, true)
}

func (c *ClientRouter) addRemoteListener(sender, event Name, fn func(Event), resumes bool) *RemoteListener {
	l := &RemoteListener{Sender: sender, Event: event, fn: fn}
	c.guard.Lock()
	if !sender.IsEvery() && !event.IsEvery() && !event.Equal(EventConnect) && !event.Equal(EventDisconnect) {
		for i, e := range [...]Name{EventConnect, EventDisconnect} {
			l.watch[i] = c.subscription(sender, e)
			l.watch[i].watchers++
		}
	}
	if sender.IsEvery() && !event.IsChannel() {
		l.picks = !event.IsEvery()
		event = "" // pysig knows such a listener only for channels
	}
	l.sub = c.subscription(sender, event)
	l.sub.resumes = l.sub.resumes || resumes && !c.begun && c.opts.Since != nil
	l.sub.listeners = append(slices.Clip(l.sub.listeners), l)
	c.guard.Unlock()
	c.receiving.need()
	c.listenersChanged.Raise()
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
	for _, w := range l.watch {
		if w != nil {
			w.watchers--
		}
	}
	c.guard.Unlock()
	c.listenersChanged.Raise()
}

// Status tells how a listener stands with the server. The error, of a
// refused one, is the server's; it is ErrNotOffered where the sender does not
// offer the event.
func (c *ClientRouter) Status(l *RemoteListener) (ListenerStatus, error) {
	c.guard.Lock()
	defer c.guard.Unlock()
	switch s := l.sub; {
	case s.state == active && s.notOffered:
		return Refused, ErrNotOffered
	case s.state == active:
		return Active, nil
	case s.state == refused:
		return Refused, s.err
	}
	return Pending, nil
}

// subscription finds or makes one; the caller holds the lock.
func (c *ClientRouter) subscription(sender, event Name) *subscription {
	t := topic{sender.key(), event.key()}
	s := c.byTopic[t]
	if s == nil {
		s = &subscription{sender: sender, event: event}
		c.byTopic[t] = s
		c.subscriptions = append(c.subscriptions, s)
	}
	return s
}

// keepListeners makes the server's listeners those that are wanted, for as
// long as the connection lasts.
func (c *ClientRouter) keepListeners(ctx context.Context, p *peer) error {
	c.connectedAnew(p)
	defer c.unregistered()
	next := c.registerNext
	if p.greeting.replay {
		next = c.subscribeNext
	}
	for {
		more, err := next(ctx, p)
		if err != nil {
			return err
		}
		if more {
			c.opts.Changed()
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.listenersChanged:
		}
	}
}

// connectedAnew prepares for a server that has no listeners of ours.
func (c *ClientRouter) connectedAnew(p *peer) {
	g := p.greeting
	c.guard.Lock()
	defer c.guard.Unlock()
	c.registering, c.begun = p, true
	resumes := false
	for _, s := range c.subscriptions {
		s.state, s.err = idle, nil
		resumes = resumes || s.resumes
	}
	c.byID = make(map[Name]*subscription)
	c.adding, c.early, c.earlyBytes = nil, nil, 0
	if resumes && (!g.replay || c.cursor.epoch == "") { // to, or from, a server that does not remember
		c.events.push(arrival{missed: -1})
	}
	if g.replay && c.cursor.epoch == "" {
		c.cursor = g.cursor
	}
	if !g.replay {
		c.cursor = cursor{}
		for _, s := range c.subscriptions {
			s.had = 0
		}
	}
	c.resumes = c.cursor
	c.settled = !c.isResuming()
}

// unregistered notes that the server has no listeners of ours any more.
func (c *ClientRouter) unregistered() {
	c.guard.Lock()
	defer c.guard.Unlock()
	c.registering = nil // what is still read must not move the cursor
	if c.isResuming() { // some want what came before; others have had it
		for _, s := range c.subscriptions {
			if s.state == active {
				s.had = max(s.had, c.cursor.seq)
			}
		}
		c.cursor = c.resumes
	}
	for _, s := range c.subscriptions {
		s.resumes = s.resumes || s.state == active || s.state == refused
		s.state, s.err = idle, nil
	}
}

// isResuming reports whether a subscription of an earlier connection is not
// with the server again yet; the caller holds the lock.
func (c *ClientRouter) isResuming() bool {
	return slices.ContainsFunc(c.subscriptions, func(s *subscription) bool {
		return s.resumes && (s.state == idle || s.state == adding)
	})
}

// forgetUnwanted drops subscriptions that neither we nor the server have; the
// caller holds the lock.
func (c *ClientRouter) forgetUnwanted() {
	c.subscriptions = slices.DeleteFunc(c.subscriptions, func(s *subscription) bool {
		gone := !s.wanted() && s.state != active
		if gone {
			delete(c.byTopic, topic{s.sender.key(), s.event.key()})
		}
		return gone
	})
}

// unregisterNext takes a listener that nobody wants off the server, if there is
// one.
func (c *ClientRouter) unregisterNext(ctx context.Context, p *peer) (more bool, err error) {
	c.guard.Lock()
	i := slices.IndexFunc(c.subscriptions, func(s *subscription) bool { return s.state == active && !s.wanted() })
	if i < 0 {
		c.guard.Unlock()
		return false, nil
	}
	sub := c.subscriptions[i]
	sub.state = removing
	c.guard.Unlock()
	params := append(sub.id.appendJSON([]byte(`{"listener_id": `)), '}')
	if _, err := p.call(ctx, "remove_listener", params); err != nil && !isRefusal(err) {
		return false, err
	}
	c.guard.Lock()
	delete(c.byID, sub.id)
	sub.state, sub.resumes = idle, false
	c.guard.Unlock()
	return true, nil
}

// registerNext tells a server that remembers nothing of one listener.
func (c *ClientRouter) registerNext(ctx context.Context, p *peer) (more bool, err error) {
	c.guard.Lock()
	c.forgetUnwanted()
	i := slices.IndexFunc(c.subscriptions, func(s *subscription) bool { return s.state == idle })
	if i < 0 {
		c.guard.Unlock()
		return c.unregisterNext(ctx, p)
	}
	sub := c.subscriptions[i]
	sub.state, sub.dropped, sub.offered = adding, false, false
	c.adding = sub
	c.guard.Unlock()
	response, err := p.call(ctx, "add_listener", appendInfo(nil, sub.sender, sub.event))
	if err != nil && !isRefusal(err) {
		return false, err
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
		c.activate(sub, id)
		for _, a := range early {
			if a.id.Equal(id) {
				a.listeners = sub.listeners
				c.events.push(a)
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
	return true, nil
}

// activate needs the lock.
func (c *ClientRouter) activate(sub *subscription, id Name) {
	sub.state, sub.id, sub.err = active, id.key(), nil
	c.byID[sub.id] = sub
}

// comeOrGone learns from a sender's #connect or #disconnect which of our
// listeners the server has dropped, and which it would take now; the caller
// holds the lock. It reports whether any listener's status changed.
func (c *ClientRouter) comeOrGone(ev Event) (changed bool) {
	gone := ev.Event.Equal(EventDisconnect)
	if !gone && !ev.Event.Equal(EventConnect) {
		return false
	}
	var offered []Name
	if !gone {
		text, _ := ev.Data.wireText()
		events, _ := wire.ArrayOf(member(text, "events"))
		for events.Next() {
			if n, ok := nameOf(events.Value); ok {
				offered = append(offered, n)
			}
		}
	}
	for _, s := range c.subscriptions {
		if s.event.IsEvery() || !s.sender.Equal(ev.Sender) {
			continue
		}
		offers := gone || s.isOffered(offered)
		switch {
		case s.state == active && c.cursor.epoch != "": // the server keeps it
			changed = changed || s.notOffered == offers
			s.notOffered = !offers
		case s.state == adding:
			s.dropped, s.offered = !offers, offers
		case offers && s.state == refused && c.cursor.epoch == "":
			s.state, changed = idle, true
			c.listenersChanged.Raise()
		case !offers && s.state == active:
			s.state, s.err, changed = refused, ErrNotOffered, true
			delete(c.byID, s.id)
		}
	}
	return changed
}
