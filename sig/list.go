package sig

import (
	"maps"
	"slices"
)

// SenderStatus is one sender of a router, as list_senders tells it.
type SenderStatus struct {
	// Connected is false while listeners wait for the sender.
	Connected bool `json:"connected"`
	// Sender is zero for the router itself: its broadcast.
	Sender Name `json:"sender"`
	// Events are the sender's events, where they were asked for: the zero
	// Name (its broadcast), #connect and #disconnect included.
	Events []EventStatus `json:"events,omitempty"`
}

// EventStatus is one event of a [SenderStatus].
type EventStatus struct {
	Event Name `json:"event"`
}

// list tells of all senders in the order they came, the router itself last.
func (r *Router) list(withEvents bool) []SenderStatus {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]SenderStatus, 0, len(r.order)+1)
	for _, s := range r.order {
		if s == nil {
			continue
		}
		st := SenderStatus{Connected: s.connected, Sender: s.name}
		if withEvents {
			for _, e := range s.known() {
				st.Events = append(st.Events, EventStatus{e})
			}
			st.Events = append(st.Events, builtIn...)
		}
		all = append(all, st)
	}
	router := SenderStatus{Connected: true}
	if withEvents {
		for _, e := range r.knownChannels() {
			router.Events = append(router.Events, EventStatus{e})
		}
		router.Events = append(router.Events, builtIn...)
	}
	return append(all, router)
}

// known are the events that the sender offers, or, while it is not connected,
// those that listeners wait for, each as it was first spelled; the caller holds
// the lock.
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

// knownChannels are the channels that anybody offers or listens to; the caller
// holds the lock.
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

var builtIn = []EventStatus{{EventDisconnect}, {""}, {EventConnect}}
