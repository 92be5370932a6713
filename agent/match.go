package agent

import (
	"slices"

	"sigalert/agent/config"
	"sigalert/internal/copies"
	"sigalert/internal/topic"
	"sigalert/sig"
)

// matcher decides which events alert, and by which subscription: the first in
// the file's order that matches. Of the copies that the subscriptions' listeners
// bring, the first to come alerts, whichever listener brought it.
type matcher struct {
	subs   []config.Subscription
	copies copies.Filter
}

// match finds the subscription that alerts for an event that came because what
// was asked for; nil if there is none, or if the event has already alerted.
func (m *matcher) match(what topic.Topic, ev sig.Event) *config.Subscription {
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
		mine = mine || s.Topic() == what
	}
	switch {
	case !mine: // asked for before the file changed
		return nil
	case !m.copies.First(what, ev, listeners):
		return nil
	}
	return first
}

// use replaces the subscriptions.
func (m *matcher) use(subs []config.Subscription) {
	m.subs = subs
	m.copies.Keep(func(t topic.Topic) bool {
		return slices.ContainsFunc(subs, func(s config.Subscription) bool { return s.Topic() == t })
	})
}

// forget is for the end of a connection: no more copies will come.
func (m *matcher) forget() { m.copies.Forget() }

func matches(s config.Subscription, ev sig.Event) bool {
	if s.Event.IsEvery() && topic.IsPresence(ev.Event) {
		return false // comings and goings are what presence is for
	}
	return s.Topic().Matches(ev)
}
