package agent

import (
	"sigalert/agent/config"
	"sigalert/sig"
)

// matcher decides which subscription alerts for an event: the first in the
// file's order that matches.
type matcher []config.Subscription

// match reports whether an event that came for subscription i is to be
// alerted there. An event that several subscriptions ask for comes once for
// each of them, and is alerted for the first.
func (m matcher) match(i int, ev sig.Event) bool {
	for j, s := range m {
		if matches(s, ev) {
			return i == j
		}
	}
	return false
}

func matches(s config.Subscription, ev sig.Event) bool {
	if !s.Sender.IsEvery() && !s.Sender.Equal(ev.Sender) {
		return false
	}
	if s.Event.IsEvery() {
		// Coming and going is what presence is for.
		return !ev.Event.Equal(sig.EventConnect) && !ev.Event.Equal(sig.EventDisconnect)
	}
	return s.Event.Equal(ev.Event)
}
