package agent

import (
	"fmt"

	"sigalert/agent/config"
	"sigalert/internal/copies"
	"sigalert/internal/topic"
	"sigalert/sig"
)

// matcher decides which subscriptions an event is for. Of the copies that their
// listeners bring, the first to come counts, whichever listener brought it.
type matcher struct {
	subs     []config.Subscription
	first    []int              // of each, the first with its topic, and so with its listener
	brings   []bool             // of each that is the first: whether its listener brings the event that find is at
	named    map[sig.Name][]int // those whose sender is this text, in order
	others   []int              // all others, in order
	copies   copies.Filter
	matching []*config.Subscription // what match returned last
}

// match finds the subscriptions that match an event which came because what was asked
// for, in the file's order; none if another copy of the event came before. They are
// valid until the next call.
func (m *matcher) match(what topic.Topic, ev sig.Event) []*config.Subscription {
	listeners, mine := m.find(what, ev)
	switch {
	case !mine: // asked for before the file changed
		return nil
	case len(m.matching) == 0: // of a glob, no copy needs to be known
		return nil
	case !m.copies.First(what, ev, listeners):
		return nil
	}
	return m.matching
}

// find sets matching. It returns how many listeners bring the event, and whether the
// one for what does.
func (m *matcher) find(what topic.Topic, ev sig.Event) (listeners int, mine bool) {
	m.matching = m.matching[:0]
	named, others := m.named[ev.Sender], m.others
	for len(named)+len(others) > 0 {
		from := &named
		if len(named) == 0 || len(others) > 0 && others[0] < named[0] {
			from = &others
		}
		i := (*from)[0]
		*from = (*from)[1:]
		s := &m.subs[i]
		if m.first[i] == i {
			if m.brings[i] = brings(s, ev); m.brings[i] {
				listeners++
				mine = mine || s.Topic() == what
			}
		}
		if m.brings[m.first[i]] && s.SenderGlob.Matches(ev.Sender) && s.EventGlob.Matches(ev.Event) {
			m.matching = append(m.matching, s)
		}
	}
	return listeners, mine
}

// use replaces the subscriptions.
func (m *matcher) use(subs []config.Subscription) {
	m.subs, m.first, m.brings = subs, make([]int, len(subs)), make([]bool, len(subs))
	m.named, m.others = make(map[sig.Name][]int), nil
	first := make(map[topic.Topic]int)
	for i := range subs {
		s := &subs[i]
		if _, known := first[s.Topic()]; !known {
			first[s.Topic()] = i
		}
		m.first[i] = first[s.Topic()]
		if isText(s.Sender) {
			m.named[s.Sender] = append(m.named[s.Sender], i)
		} else {
			m.others = append(m.others, i)
		}
	}
	m.copies.Keep(func(t topic.Topic) bool { _, wanted := first[t]; return wanted })
}

// isText reports whether a name is text, of which there is one spelling only.
func isText(n sig.Name) bool { return n != "" && n[0] != 0 }

// forget is for the end of a connection: no more copies will come.
func (m *matcher) forget() { m.copies.Forget() }

// brings reports whether the subscription's listener brings an event that may be for
// it. Comings and goings are what presence is for.
func brings(s *config.Subscription, ev sig.Event) bool {
	return s.Topic().Matches(ev) && !(s.Event.IsEvery() && topic.IsPresence(ev.Event))
}

// elsewhere says why an event of a server is not for the subscription; "" if it is.
func elsewhere(s *config.Subscription, server string, ev sig.Event) string {
	switch {
	case !s.IsFor(server):
		return fmt.Sprintf("the server is %s, not %s", server, s.OnServer())
	case !s.Sender.IsEvery() && !s.Sender.Equal(ev.Sender), !s.SenderGlob.Matches(ev.Sender):
		return fmt.Sprintf("the sender is %s, not %s", topic.Name(ev.Sender), topic.Name(s.Shown().Sender))
	case !s.Event.IsEvery() && !s.Event.Equal(ev.Event), !s.EventGlob.Matches(ev.Event):
		return fmt.Sprintf("the event is %s, not %s", topic.Name(ev.Event), topic.Name(s.Shown().Event))
	case !brings(s, ev):
		return `comings and goings are alerted for with "presence: true"`
	}
	return ""
}

// everyone finds all subscriptions that match an event, as match does, for one that no
// listener has brought.
func everyone(subs []config.Subscription, server string, ev sig.Event) (matching []*config.Subscription) {
	for i := range subs {
		if elsewhere(&subs[i], server, ev) == "" {
			matching = append(matching, &subs[i])
		}
	}
	return matching
}
