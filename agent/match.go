package agent

import (
	"sigalert/agent/config"
	"sigalert/internal/copies"
	"sigalert/internal/topic"
	"sigalert/sig"
)

// matcher decides which subscriptions an event is for. Of the copies that their
// listeners bring, the first to come counts, whichever listener brought it.
type matcher struct {
	subs     []config.Subscription
	again    []bool // which of them have the topic, and so the listener, of an earlier one
	copies   copies.Filter
	matching []*config.Subscription // what match returned last
}

// match finds the subscriptions that match an event which came because what was asked
// for, in the file's order; none if another copy of the event came before. They are
// valid until the next call.
func (m *matcher) match(what topic.Topic, ev sig.Event) []*config.Subscription {
	m.matching = m.matching[:0]
	listeners, mine := 0, false
	for i := range m.subs {
		s := &m.subs[i]
		if !matches(*s, ev) {
			continue
		}
		m.matching = append(m.matching, s)
		if !m.again[i] {
			listeners++
		}
		mine = mine || s.Topic() == what
	}
	switch {
	case !mine: // asked for before the file changed
		return nil
	case !m.copies.First(what, ev, listeners):
		return nil
	}
	return m.matching
}

// use replaces the subscriptions.
func (m *matcher) use(subs []config.Subscription) {
	m.subs, m.again = subs, make([]bool, len(subs))
	topics := make(map[topic.Topic]bool)
	for i, s := range subs {
		m.again[i] = topics[s.Topic()]
		topics[s.Topic()] = true
	}
	m.copies.Keep(func(t topic.Topic) bool { return topics[t] })
}

// forget is for the end of a connection: no more copies will come.
func (m *matcher) forget() { m.copies.Forget() }

func matches(s config.Subscription, ev sig.Event) bool {
	if s.Event.IsEvery() && topic.IsPresence(ev.Event) {
		return false // comings and goings are what presence is for
	}
	return s.Topic().Matches(ev)
}
