package sig

import "slices"

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
		router.Events = builtIn
	}
	return append(all, router)
}

// known are the events that the sender offers, or, while it is not connected,
// those that listeners wait for; the caller holds the lock.
func (s *Sender) known() []Name {
	if s.connected {
		return s.offered
	}
	var names []Name
	for _, sg := range s.signals {
		if sg.name != EventConnect && sg.name != EventDisconnect {
			names = append(names, sg.name)
		}
	}
	slices.Sort(names)
	return names
}

var builtIn = []EventStatus{{EventDisconnect}, {""}, {EventConnect}}
