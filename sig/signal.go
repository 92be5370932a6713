package sig

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
)

// Signal is one event of one sender, ready to be triggered.
type Signal struct {
	sender    *Sender
	name      Name
	offered   bool // otherwise listeners wait for it
	listeners []*Listener
	route     atomic.Pointer[route]
}

// route is who gets a signal's events: it is made once, and used without a lock
// until something changes in the router.
type route struct {
	generation uint64
	connected  bool
	remote     *RemoteSender // the sender's; nil: it has none
	owner      *session      // the client that has the sender; nil: this process
	intercept  func(Event) (Event, bool)
	local      []*Listener // in the order of their calls
	clients    []target
}

// target is a client that gets an event, and the listeners for which it gets
// it.
type target struct {
	session   *session
	listeners []*Listener
	ids       []byte // theirs, comma-separated
}

// Trigger calls the listeners, one at a time, before it returns: first those
// for every event of every sender, then those for every event of this sender,
// then the channel's, then those for this very event; within each group, in the
// order they were added. A listener that is added meanwhile misses the event;
// one that is removed meanwhile may miss it.
//
// At a server, the event is first encoded as JSON, numbered and handed to the
// clients' queues; the data may be changed once Trigger has returned. The error
// is ErrNotConnected if the sender was removed; if it is [json.Marshal]'s for
// data that JSON cannot hold, or ErrTooLarge, the listeners of this process
// have had the event, and clients have not.
//
// If the sender is a [RemoteSender], Trigger is [RemoteSender.Trigger] without an
// end of its own.
func (sg *Signal) Trigger(data any) error {
	rt := sg.current()
	switch {
	case !rt.connected:
		return fmt.Errorf("sender %s: %w", sg.sender.name, ErrNotConnected)
	case rt.remote != nil:
		return rt.remote.Trigger(context.Background(), sg.name, data)
	}
	_, err := sg.pass(rt, dataOf(data), nil)
	return err
}

// Listeners returns how many registrations get the signal's events: those for it,
// for its sender, for its channel and for everything, of this process and of
// clients.
func (sg *Signal) Listeners() int { return sg.current().listeners() }

func (rt *route) listeners() int {
	n := len(rt.local)
	for _, t := range rt.clients {
		n += len(t.listeners)
	}
	return n
}

// hear is Trigger for this router; it returns the event's number, 0 if it has none.
func (sg *Signal) hear(data Data, rest *rest) (seq uint64, err error) {
	return sg.pass(sg.current(), data, rest)
}

func (sg *Signal) pass(rt *route, data Data, rest *rest) (seq uint64, err error) {
	ev := Event{Sender: sg.sender.name, Event: sg.name, Data: data, rest: rest}
	if rt.intercept != nil {
		if ev.Data.checked { // the text may be a client's read buffer
			ev.Data = received(bytes.Clone(ev.Data.text))
		}
		var pass bool
		if ev, pass = rt.intercept(ev); !pass {
			return 0, nil
		}
	}
	if r := sg.sender.router; r.journal != nil {
		ev, rt, err = r.publish(sg, ev)
	}
	rt.call(ev)
	return ev.Seq, err
}

// call calls the listeners of this process.
func (rt *route) call(ev Event) {
	for _, l := range rt.local {
		if !l.removed.Load() {
			l.fn(ev)
		}
	}
}

func (sg *Signal) current() *route {
	r := sg.sender.router
	rt := sg.route.Load()
	if rt == nil || rt.generation != r.generation.Load() {
		r.mu.RLock()
		rt = sg.newRoute()
		r.mu.RUnlock()
	}
	return rt
}

// newRoute must be called with the lock held.
func (sg *Signal) newRoute() *route {
	s := sg.sender
	rt := &route{generation: s.router.generation.Load(), connected: s.connected, remote: s.remote, owner: s.session, intercept: s.router.intercept}
	if s.connected { // otherwise it is kept by somebody, and nobody is kept for it
		rt.reach(sg)
	}
	sg.route.Store(rt)
	return rt
}

// noRight is the index of a client that may not hear an event.
const noRight = -1

// reach adds the listeners that are for a signal; the caller holds the lock.
func (rt *route) reach(sg *Signal) {
	s, r := sg.sender, sg.sender.router
	own := sg.listeners
	if sg == s.broadcast {
		own = nil // they are already among the sender's
	}
	index := make(map[*session]int)
	for _, listeners := range [...][]*Listener{r.every, s.broadcast.listeners, r.channels[sg.name.key()], own} {
		for _, l := range listeners {
			if l.client == nil {
				rt.local = append(rt.local, l)
				continue
			}
			session := l.client.session
			i, ok := index[session]
			if !ok {
				i = noRight
				if session.may(ToHear, s.name, sg.name) {
					i = len(rt.clients)
					rt.clients = append(rt.clients, target{session: session})
				}
				index[session] = i
			}
			if i == noRight {
				continue
			}
			t := &rt.clients[i]
			t.listeners = append(t.listeners, l)
			t.ids = appendID(t.ids, l.client.id)
		}
	}
}

// unroute forgets the routes that are stale: they keep clients that have left.
func (r *Router) unroute() {
	r.mu.RLock()
	defer r.mu.RUnlock()
	now := r.generation.Load()
	for _, s := range r.senders {
		s.broadcast.unroute(now)
		for _, sg := range s.signals {
			sg.unroute(now)
		}
	}
}

func (sg *Signal) unroute(now uint64) {
	if rt := sg.route.Load(); rt != nil && rt.generation != now {
		sg.route.CompareAndSwap(rt, nil)
	}
}

// appendID adds an id to a list.
func appendID(ids []byte, id uint64) []byte {
	if len(ids) > 0 {
		ids = append(ids, ',')
	}
	return strconv.AppendUint(ids, id, 10)
}
