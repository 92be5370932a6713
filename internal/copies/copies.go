// Package copies tells the first copy of an event from the others.
//
// Where several listeners of one client match an event, each brings a copy, and it
// is not known which copies will come: a listener that is not in force brings none,
// and one may come into force between two events. So the copy that comes first
// counts, whichever listener brought it. The others are recognized by the event's
// number. A pysig server gives no numbers: there, of events that are alike, as many
// count as one listener has brought.
package copies

import (
	"crypto/sha256"
	"slices"
	"time"

	"sigalert/internal/topic"
	"sigalert/sig"
)

const (
	// within is how long the copies of one event may be apart: each may wait
	// 10 s for another client that does not answer.
	within  = 30 * time.Second
	maxSeen = 256 // events that are remembered
)

// Filter finds the copies that are the first of their event. The zero Filter is
// ready to use. It belongs to one goroutine, and remembers 256 events without their
// data.
type Filter struct {
	seen []seen // events that may have more copies, oldest first
}

// seen is an event that several listeners match.
type seen struct {
	likeness
	at time.Time
	by []topic.Topic // whose copy has come
}

// likeness is equal for the copies of an event and, where events have numbers, for
// nothing else.
type likeness struct {
	seq           uint64
	time          int64 // only with seq: a server that restarts counts from 1 again
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

// First reports whether the copy of ev that the listener for by brings is the first
// of its event. It is called once for each copy, in the order in which they come;
// listeners is how many of the client's listeners match ev, including that for by.
func (f *Filter) First(by topic.Topic, ev sig.Event, listeners int) bool {
	if listeners <= 1 && len(f.seen) == 0 {
		return true
	}
	f.drop(func(s seen) bool { return ev.Time.Sub(s.at) > within })
	like := likenessOf(ev)
	for i := range f.seen {
		s := &f.seen[i]
		if s.likeness != like || like.seq == 0 && slices.Contains(s.by, by) {
			continue
		}
		if s.by = append(s.by, by); len(s.by) >= listeners {
			f.seen = slices.Delete(f.seen, i, i+1)
		}
		return false
	}
	if listeners > 1 {
		if len(f.seen) == maxSeen {
			f.seen = slices.Delete(f.seen, 0, 1)
		}
		f.seen = append(f.seen, seen{like, ev.Time, []topic.Topic{by}})
	}
	return true
}

// Keep is for a change of the listeners. A listener whose topic is no longer wanted
// is forgotten with the events that it brought: listeners that came into force
// later would seem to bring copies of those when they bring events that are alike.
// First must not be called for what such a listener still brings.
func (f *Filter) Keep(wanted func(topic.Topic) bool) {
	f.drop(func(s seen) bool {
		return slices.ContainsFunc(s.by, func(t topic.Topic) bool { return !wanted(t) })
	})
}

// Forget is for the end of a connection: no more copies will come.
func (f *Filter) Forget() { f.drop(func(seen) bool { return true }) }

// drop forgets events, except those with a number: they may be replayed, and cannot
// be mistaken for others.
func (f *Filter) drop(old func(seen) bool) {
	f.seen = slices.DeleteFunc(f.seen, func(s seen) bool { return s.seq == 0 && old(s) })
}
