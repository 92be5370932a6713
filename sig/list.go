package sig

import (
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
}

// wireSender is a SenderStatus as it goes over the wire.
type wireSender struct {
	Connected bool        `json:"connected"`
	Sender    Name        `json:"sender"`
	Events    []wireEvent `json:"events,omitempty"`
}

type wireEvent struct {
	Event Name `json:"event"`
}

func (w wireSender) status() SenderStatus {
	st := SenderStatus{Connected: w.Connected, Sender: w.Sender}
	for _, e := range w.Events {
		st.Events = append(st.Events, e.Event)
	}
	return st
}

func wireEvents(names []Name) []wireEvent {
	events := make([]wireEvent, len(names))
	for i, n := range names {
		events[i] = wireEvent{n}
	}
	return events
}

// list returns all senders in the order in which they came, the router itself
// last.
func (r *Router) list(withEvents bool) []wireSender {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]wireSender, 0, len(r.order)+1)
	for _, s := range r.order {
		if s == nil {
			continue
		}
		w := wireSender{Connected: s.connected, Sender: s.name}
		if withEvents {
			w.Events = wireEvents(append(s.known(), builtIn...))
		}
		all = append(all, w)
	}
	router := wireSender{Connected: true}
	if withEvents {
		router.Events = wireEvents(append(r.knownChannels(), builtIn...))
	}
	return append(all, router)
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
