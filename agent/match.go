package agent

import (
	"sigalert/agent/config"
	"sigalert/sig"
)

// matcher decides which subscription alerts for an event: the first in the
// file's order that matches.
type matcher []config.Subscription

// match finds the subscription that alerts for an event which came because
// sender and event were asked for; nil if none does. An event that several
// subscriptions ask for comes once for each of them: the first alerts.
func (m matcher) match(sender, event sig.Name, ev sig.Event) *config.Subscription {
	for i := range m {
		if s := &m[i]; matches(*s, ev) {
			if s.Sender != sender || s.Event != event {
				return nil
			}
			return s
		}
	}
	return nil
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
