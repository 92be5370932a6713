package sig

import (
	"slices"
	"sync/atomic"
)

// ListenerStatus says whether a remote listener gets events.
type ListenerStatus uint8

const (
	// Pending: the server does not know of the listener yet, or there is no
	// connection.
	Pending ListenerStatus = iota
	// Active: the server has the listener.
	Active
	// Refused: the server refused it, or the sender is connected and does not
	// offer the event. It becomes active again once the sender has left, or has
	// come back with the event.
	Refused
)

func (s ListenerStatus) String() string {
	return [...]string{"pending", "active", "refused"}[s]
}

// RemoteListener is a callback for events that come from the server.
type RemoteListener struct {
	Sender, Event Name // zero: every one

	fn      func(Event)
	picks   bool // it gets every event, and picks those of its name
	sub     *subscription
	watch   [2]*subscription // for the sender's #connect and #disconnect; nil: not needed
	removed atomic.Bool
}

// topic is a sender and an event; as a map key, it holds their keys.
type topic struct{ sender, event Name }

// AddRemoteListener registers fn for an event of a sender; the zero Name means
// every one. The registration lasts until it is removed, whatever becomes of
// the connection or the sender; Status returns its state. fn may block, but it
// holds up the other listeners. A listener added while there is no connection
// gets what happens from the next one on or, if there is already a listener for
// the same sender and event, what that one gets.
//
// If a pysig server drops a listener because its sender came without the event,
// the listener is registered again once the sender leaves, or comes back with
// the event; what the sender fires meanwhile is lost. A server of this package
// keeps the listener.
func (c *ClientRouter) AddRemoteListener(sender, event Name, fn func(Event)) *RemoteListener {
	return c.addRemoteListener(sender, event, fn, false)
}

// ResumeRemoteListener is AddRemoteListener for what an earlier client listened
// to up to [ClientOptions].Since: what happened after that comes first, and
// what the server has forgotten of it is reported as missed, as if the
// connection had only been lost. Call it before Run; after the first connection
// it is the same as AddRemoteListener.
func (c *ClientRouter) ResumeRemoteListener(sender, event Name, fn func(Event)) *RemoteListener {
	return c.addRemoteListener(sender, event, fn, true)
}

func (c *ClientRouter) addRemoteListener(sender, event Name, fn func(Event), resumes bool) *RemoteListener {
	l := &RemoteListener{Sender: sender, Event: event, fn: fn}
	c.guard.Lock()
	if !sender.IsEvery() && !event.IsEvery() && !event.Equal(EventConnect) && !event.Equal(EventDisconnect) {
		for i, e := range [...]Name{EventConnect, EventDisconnect} {
			l.watch[i] = c.subs.obtain(sender, e)
			l.watch[i].watchers++
		}
	}
	if sender.IsEvery() && !event.IsChannel() {
		l.picks = !event.IsEvery()
		event = "" // pysig has listeners across senders only for channels
	}
	l.sub = c.subs.obtain(sender, event)
	if resumes {
		c.subs.resume(l.sub)
	}
	l.sub.listeners = append(slices.Clip(l.sub.listeners), l)
	c.guard.Unlock()
	c.receiving.need()
	c.listenersChanged.Raise()
	return l
}

// RemoveRemoteListener ends a registration. A call that is under way may
// outlast it.
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

// Status returns a listener's state. The error of a refused one is the
// server's; it is ErrNotOffered if the sender does not offer the event.
func (c *ClientRouter) Status(l *RemoteListener) (ListenerStatus, error) {
	c.guard.Lock()
	defer c.guard.Unlock()
	switch s := l.sub; {
	case s.state == active && s.unoffered:
		return Refused, ErrNotOffered
	case s.state == active:
		return Active, nil
	case s.state == refused:
		return Refused, s.err
	}
	return Pending, nil
}
