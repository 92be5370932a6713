package sig

import (
	"fmt"
	"maps"
	"slices"
)

// SenderStatus is one sender of a router, as list_senders reports it.
type SenderStatus struct {
	// Connected is false if the sender is not there, and listeners wait for it.
	Connected bool
	// Sender is zero for the router itself: its broadcast.
	Sender Name
	// Events are the sender's events, if they were asked for, including the
	// zero Name (its broadcast), #connect and #disconnect.
	Events []Name
	// LeftOut is how many more events the sender has: too many for a message.
	LeftOut int
}

// List returns the senders in the order in which they came, those that listeners
// wait for included, with their events; the router itself comes last.
func (r *Router) List() []SenderStatus {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var all []SenderStatus
	for _, s := range r.order {
		if s != nil {
			all = append(all, SenderStatus{Connected: s.connected, Sender: s.name, Events: s.listed(true)})
		}
	}
	return append(all, SenderStatus{Connected: true, Events: r.listed(true)})
}

// wireSender is a SenderStatus as it goes over the wire.
type wireSender struct {
	Connected bool `json:"connected"`
	Sender    Name `json:"sender"`
	Events    []struct {
		Event Name `json:"event"`
	} `json:"events"`
	LeftOut int `json:"left_out"`
}

func (w wireSender) status() SenderStatus {
	st := SenderStatus{Connected: w.Connected, Sender: w.Sender, LeftOut: w.LeftOut}
	for _, e := range w.Events {
		st.Events = append(st.Events, e.Event)
	}
	return st
}

const (
	// A page of senders is full when it has fullPage bytes, and is at most
	// maxPage bytes long.
	fullPage, maxPage = 32 << 10, 1 << 20
	// maxListed is how many senders a client accepts from a server.
	maxListed = 1_000_000
)

// listing is a list of senders as it goes over the wire.
type listing struct {
	text    []byte // the senders, with commas in between
	room    int    // for text, in bytes
	leftOut int    // senders and events for which there was no room
}

// add adds a sender, and reports whether there was room. The first is added in
// any case, with as many of its events as there is room for.
func (l *listing) add(connected bool, sender Name, events []Name) bool {
	const end = `],"left_out":1000000}`
	begin := len(l.text)
	if begin > 0 {
		l.text = append(l.text, ',')
	}
	l.text = sender.appendJSON(fmt.Appendf(l.text, `{"connected":%t,"sender":`, connected))
	if events != nil {
		l.text = append(l.text, `,"events":[`...)
	}
	for i, e := range events {
		mark := len(l.text)
		if i > 0 {
			l.text = append(l.text, ',')
		}
		l.text = append(e.appendJSON(append(l.text, `{"event":`...)), '}')
		if begin > 0 && len(l.text) > l.room {
			break
		}
		if begin == 0 && len(l.text)+len(end) > l.room {
			l.leftOut += len(events) - i
			l.text = fmt.Appendf(l.text[:mark], `],"left_out":%d}`, len(events)-i)
			return true
		}
	}
	if events != nil {
		l.text = append(l.text, ']')
	}
	l.text = append(l.text, '}')
	if begin > 0 && len(l.text) > l.room {
		l.text = l.text[:begin]
		return false
	}
	return true
}

// page lists the senders that a client may see from a number on, and returns the number of the next page's
// first; 0 if there is no more. The router itself comes last.
func (r *Router) page(c *session, withEvents bool, from uint64) (l listing, next uint64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	l.room = maxPage
	for _, s := range r.order {
		if s == nil || s.number < from || !c.may(ToSee, s.name, "") {
			continue
		}
		if len(l.text) >= fullPage || !l.add(s.connected, s.name, c.sees(s.name, s.listed(withEvents))) {
			return l, s.number
		}
	}
	if !l.add(true, "", c.sees("", r.listed(withEvents))) {
		return l, r.came + 1
	}
	return l, 0
}

// list lists those senders in the order in which they came, the router itself last.
// If there is not room for all of them, those that are connected come first.
func (r *Router) list(c *session, withEvents bool, room int) listing {
	r.mu.RLock()
	defer r.mu.RUnlock()
	senders := slices.DeleteFunc(slices.Clone(r.order), func(s *Sender) bool { return s == nil || !c.may(ToSee, s.name, "") })
	l := r.listOf(c, senders, withEvents, room)
	if l.leftOut > 0 {
		slices.SortStableFunc(senders, func(a, b *Sender) int {
			switch {
			case a.connected == b.connected:
				return 0
			case a.connected:
				return -1
			}
			return 1
		})
		l = r.listOf(c, senders, withEvents, room)
	}
	return l
}

func (r *Router) listOf(c *session, senders []*Sender, withEvents bool, room int) listing {
	l := listing{room: room}
	for _, s := range senders {
		full := len(l.text) > 0 && len(l.text)+s.least(withEvents) > room
		if full || !l.add(s.connected, s.name, c.sees(s.name, s.listed(withEvents))) {
			l.leftOut++
		}
	}
	if !l.add(true, "", c.sees("", r.listed(withEvents))) {
		l.leftOut++
	}
	return l
}

// least is fewer bytes than the sender takes up in a list: with thousands of
// senders, most are left out by it alone.
func (s *Sender) least(withEvents bool) int {
	n := len(`{"connected":true,"sender":`) + len(s.name)
	if withEvents {
		n += len(`,"events":[{"event":"#disconnect"},{"event":null},{"event":"#connect"}]`)
		n += len(s.offered) * len(`{"event":1},`)
	}
	return n
}

// listed returns a sender's events for a list; nil if they are not asked for. The
// caller holds the lock.
func (s *Sender) listed(withEvents bool) []Name {
	if !withEvents {
		return nil
	}
	return append(s.known(), builtIn...)
}

// listed returns the events of the router itself, likewise.
func (r *Router) listed(withEvents bool) []Name {
	if !withEvents {
		return nil
	}
	return slices.Concat(r.knownChannels(), builtIn)
}

// known returns the events that the sender offers or, while it is not
// connected, those that listeners wait for, each as it was first spelled; the
// caller holds the lock.
func (s *Sender) known() []Name {
	var names []Name
	for _, e := range s.offered {
		names = append(names, s.signal(e).name)
	}
	if s.connected {
		return names
	}
	for _, sg := range s.signals {
		if !isBuiltIn(sg.name) {
			names = append(names, sg.name)
		}
	}
	slices.Sort(names)
	return names
}

// knownChannels returns the channels that anybody offers or listens to; the
// caller holds the lock. There may be thousands: it keeps them until something
// changes.
func (r *Router) knownChannels() []Name {
	if known := r.known.Load(); known != nil {
		return *known
	}
	found := make(map[Name]Name) // by key
	add := func(e Name) {
		if _, ok := found[e.key()]; !ok && !isBuiltIn(e) {
			found[e.key()] = e
		}
	}
	for _, listeners := range r.channels {
		add(listeners[0].event)
	}
	for _, s := range r.senders {
		for _, sg := range s.signals {
			if sg.name.IsChannel() {
				add(sg.name)
			}
		}
	}
	names := slices.Sorted(maps.Values(found))
	r.known.Store(&names)
	return names
}

func isBuiltIn(event Name) bool { return event.Equal(EventConnect) || event.Equal(EventDisconnect) }

// builtIn are the events that every sender has.
var builtIn = []Name{EventDisconnect, "", EventConnect}
