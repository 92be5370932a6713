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
	// LeftOut is how many more events there are: too many for a message.
	LeftOut int
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
	// A page of senders ends with the sender that makes it as long as this, in
	// bytes, and has at most so many in all.
	fullPage, maxPage = 32 << 10, 1 << 20
	// maxListed is how many senders a client takes from a server.
	maxListed = 1_000_000
)

// listing is a list of senders as it is written, with room for so many bytes.
type listing struct {
	text    []byte // with commas between
	room    int
	leftOut int // senders and events for which there was none
}

// add adds a sender, and what fits of its events.
func (l *listing) add(connected bool, sender Name, events []Name) {
	begin := len(l.text)
	if begin > 0 {
		l.text = append(l.text, ", "...)
	}
	l.text = sender.appendJSON(fmt.Appendf(l.text, `{"connected": %t, "sender": `, connected))
	if events != nil {
		const end = `], "left_out": 1000000}`
		n := 0
		l.text = append(l.text, `, "events": [`...)
		for ; n < len(events); n++ {
			mark := len(l.text)
			if n > 0 {
				l.text = append(l.text, ", "...)
			}
			l.text = append(events[n].appendJSON(append(l.text, `{"event": `...)), '}')
			if len(l.text)+len(end) > l.room {
				l.text = l.text[:mark]
				break
			}
		}
		l.text = append(l.text, ']')
		if left := len(events) - n; left > 0 {
			l.text = fmt.Appendf(l.text, `, "left_out": %d`, left)
			l.leftOut += left
		}
	}
	l.text = append(l.text, '}')
	if len(l.text) > l.room {
		l.text = l.text[:begin]
		l.leftOut++
	}
}

// page lists the senders from a number on, and tells the next page's; 0 after
// the last, which ends with the router itself.
func (r *Router) page(withEvents bool, from uint64) (l listing, next uint64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	l.room = maxPage
	for _, s := range r.order {
		if s == nil || s.number < from {
			continue
		}
		if len(l.text) >= fullPage {
			return l, s.number
		}
		l.add(s.connected, s.name, s.listed(withEvents))
	}
	l.add(true, "", r.listed(withEvents))
	return l, 0
}

// list lists what has room, the senders that are connected first.
func (r *Router) list(withEvents bool, room int) listing {
	r.mu.RLock()
	defer r.mu.RUnlock()
	l := listing{room: room}
	for _, connected := range [...]bool{true, false} {
		for _, s := range r.order {
			if s != nil && s.connected == connected {
				l.add(connected, s.name, s.listed(withEvents))
			}
		}
		if connected {
			l.add(true, "", r.listed(withEvents))
		}
	}
	return l
}

// listed are a sender's events for a list; nil where they are not wanted. The
// caller holds the lock.
func (s *Sender) listed(withEvents bool) []Name {
	if !withEvents {
		return nil
	}
	return append(s.known(), builtIn...)
}

// listed are the events of the router itself, likewise.
func (r *Router) listed(withEvents bool) []Name {
	if !withEvents {
		return nil
	}
	return append(r.knownChannels(), builtIn...)
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
// caller holds the lock.
func (r *Router) knownChannels() []Name {
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
	return slices.Sorted(maps.Values(found))
}

func isBuiltIn(event Name) bool { return event.Equal(EventConnect) || event.Equal(EventDisconnect) }

// builtIn are the events that every sender has.
var builtIn = []Name{EventDisconnect, "", EventConnect}
