package agent

import (
	"crypto/sha256"
	"slices"
	"time"

	"sigalert/agent/config"
	"sigalert/sig"
)

const (
	// copiesWithin is how long the copies of one event may be apart: each may
	// wait 10 s for another client that does not answer.
	copiesWithin = 30 * time.Second
	mostAlerted  = 256 // events that are kept in mind
)

// matcher decides which events alert, and by which subscription: the first in
// the file's order that matches.
//
// Each listener that matches brings a copy of the event, and which come is not
// known: one that is not in force brings none, and one may come into force
// between two events. So the copy that comes first alerts, whoever brought it.
// The others are told by the event's number. A pysig server gives none: there,
// of events that are alike, as many alert as one listener has brought.
type matcher struct {
	subs    []config.Subscription
	alerted []alerted // events that may have more copies, oldest first
}

// alerted is an event that several subscriptions match.
type alerted struct {
	likeness
	at time.Time
	by []asked // whose copy has come
}

// likeness is equal for the copies of an event, and where events have numbers
// for nothing else.
type likeness struct {
	seq           uint64
	time          int64 // with seq: a server that begins anew counts anew
	data          [sha256.Size]byte
	sender, event sig.Name
}

func likenessOf(ev sig.Event) likeness {
	like := likeness{seq: ev.Seq, sender: ev.Sender, event: ev.Event}
	if ev.Seq > 0 {
		like.time = ev.Time.UnixMicro()
		return like
	}
	text, _ := ev.Data.JSON() // what JSON cannot hold did not come from a network
	like.data = sha256.Sum256(text)
	return like
}

// match finds the subscription that alerts for an event which came because
// that was asked for; nil if none does, or if the event has alerted.
func (m *matcher) match(what asked, ev sig.Event) *config.Subscription {
	var first *config.Subscription
	copies, mine := 0, false
	for i := range m.subs {
		s := &m.subs[i]
		if !matches(*s, ev) {
			continue
		}
		if first == nil {
			first = s
		}
		copies++
		mine = mine || asks(*s) == what
	}
	switch {
	case !mine: // asked for before the file changed, or for presence
		return nil
	case (copies > 1 || len(m.alerted) > 0) && !m.isFirst(what, ev, copies):
		return nil
	}
	return first
}

// isFirst reports whether this copy is the first of its event.
func (m *matcher) isFirst(what asked, ev sig.Event, copies int) bool {
	m.drop(func(a alerted) bool { return ev.Time.Sub(a.at) > copiesWithin })
	like := likenessOf(ev)
	for i := range m.alerted {
		a := &m.alerted[i]
		if a.likeness != like || like.seq == 0 && slices.Contains(a.by, what) {
			continue
		}
		if a.by = append(a.by, what); len(a.by) >= copies {
			m.alerted = slices.Delete(m.alerted, i, i+1)
		}
		return false
	}
	if copies > 1 {
		if len(m.alerted) == mostAlerted {
			m.alerted = slices.Delete(m.alerted, 0, 1)
		}
		m.alerted = append(m.alerted, alerted{like, ev.Time, []asked{what}})
	}
	return true
}

// use takes other subscriptions. Who brings nothing any more is forgotten with
// the events that he brought: others, which came into force later, would seem
// to bring those when they bring ones that are alike.
func (m *matcher) use(subs []config.Subscription) {
	m.subs = subs
	m.drop(func(a alerted) bool {
		return slices.ContainsFunc(a.by, func(what asked) bool {
			return !slices.ContainsFunc(subs, func(s config.Subscription) bool { return asks(s) == what })
		})
	})
}

// forget is for the end of a connection: no copies are to come.
func (m *matcher) forget() { m.drop(func(alerted) bool { return true }) }

// drop forgets events, but none that has a number: that may be replayed, and
// is taken for no other.
func (m *matcher) drop(f func(alerted) bool) {
	m.alerted = slices.DeleteFunc(m.alerted, func(a alerted) bool { return a.seq == 0 && f(a) })
}

// asks is what a subscription's listener asks for.
func asks(s config.Subscription) asked { return asked{sender: s.Sender, event: s.Event} }

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
