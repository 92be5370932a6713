package agent

import (
	"slices"

	"sigalert/agent/config"
	"sigalert/internal/copies"
	"sigalert/sig"
)

// matcher decides which events alert, and by which subscription: the first in
// the file's order that matches. Of the copies that the subscriptions' listeners
// bring, the one that comes first alerts, whoever brought it.
type matcher struct {
	subs   []config.Subscription
	copies copies.Filter
}

// match finds the subscription that alerts for an event which came because
// that was asked for; nil if none does, or if the event has alerted.
func (m *matcher) match(what copies.Topic, ev sig.Event) *config.Subscription {
	var first *config.Subscription
	listeners, mine := 0, false
	for i := range m.subs {
		s := &m.subs[i]
		if !matches(*s, ev) {
			continue
		}
		if first == nil {
			first = s
		}
		listeners++
		mine = mine || topic(*s) == what
	}
	switch {
	case !mine: // asked for before the file changed
		return nil
	case !m.copies.First(what, ev, listeners):
		return nil
	}
	return first
}

// use takes other subscriptions.
func (m *matcher) use(subs []config.Subscription) {
	m.subs = subs
	m.copies.Keep(func(t copies.Topic) bool {
		return slices.ContainsFunc(subs, func(s config.Subscription) bool { return topic(s) == t })
	})
}

// forget is for the end of a connection: no copies are to come.
func (m *matcher) forget() { m.copies.Forget() }

// topic is what a subscription's listener asks for.
func topic(s config.Subscription) copies.Topic {
	return copies.Topic{Sender: s.Sender, Event: s.Event}
}

func matches(s config.Subscription, ev sig.Event) bool {
	if s.Event.IsEvery() && (ev.Event.Equal(sig.EventConnect) || ev.Event.Equal(sig.EventDisconnect)) {
		return false // coming and going is what presence is for
	}
	return topic(s).Matches(ev)
}
