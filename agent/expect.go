package agent

import (
	"cmp"
	"slices"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/internal/age"
	"sigalert/internal/words"
)

const (
	expectGrace = time.Minute    // after a connection: what was missed is replayed first
	dayLong     = 12 * time.Hour // what is expected this rarely follows the clock on the wall
)

// expects say that nothing came of what a subscription with "expect_every" expects. Time
// counts only while every server that the subscription is for is connected.
type expects struct{ all map[string]*expected } // by the subscription's identity

type expected struct {
	memory.Expected
	sub    *config.Subscription
	linked time.Time // since when all its servers are connected; zero: they are not
	since  time.Time // from when time counts beyond Counted, while they are
	grace  time.Time // nothing is said before
}

// use replaces the subscriptions. One that stays goes on counting.
func (e *expects) use(now time.Time, subs []config.Subscription, connected func(*config.Subscription) bool) {
	old := e.all
	e.all = make(map[string]*expected)
	for i := range subs {
		s := &subs[i]
		if s.ExpectEvery == 0 {
			continue
		}
		id := s.ID()
		x := old[id]
		if x == nil {
			x = &expected{since: now, grace: now}
			if connected(s) {
				x.linked = now
			}
		}
		x.sub = s
		e.all[id] = x
	}
}

// link takes over whether all servers of a subscription are connected.
func (e *expects) link(now time.Time, connected func(*config.Subscription) bool) {
	for _, x := range e.all {
		switch is := connected(x.sub); {
		case is && x.linked.IsZero():
			x.linked, x.since, x.grace = now, now, now.Add(expectGrace)
		case !is && !x.linked.IsZero():
			x.Counted, x.linked = x.counted(now), time.Time{}
		}
	}
}

// stoodStill is for an agent that has not run since a time: what came meanwhile is still
// to be looked at.
func (e *expects) stoodStill(since, now time.Time) {
	for _, x := range e.all {
		if !x.linked.IsZero() {
			x.Counted = x.counted(since)
			x.since, x.grace = now, now.Add(expectGrace)
		}
	}
}

// counted is for how long nothing came, as it is while the servers are connected.
func (x *expected) counted(now time.Time) time.Duration { return x.Counted + max(0, now.Sub(x.since)) }

// saw takes an event that came for subscriptions, whichever of them takes it. The keys
// of alerts that are over now are returned.
func (e *expects) saw(p *passage) (over []string) {
	now := p.now
	if len(e.all) == 0 {
		return nil
	}
	for _, s := range p.matching {
		if s.ExpectEvery == 0 {
			continue
		}
		if holds, _ := when(p, s); !holds {
			continue
		}
		x := e.all[s.ID()]
		if x == nil {
			continue
		}
		last := p.ev.Time
		if last.IsZero() || last.After(now) {
			last = now
		}
		if p.ev.Replayed && last.Before(x.Last) { // later than a newer one
			continue
		}
		if x.Told {
			over = append(over, x.key())
		}
		x.Last, x.Counted, x.Told, x.since = last, 0, false, now
		if p.ev.Replayed {
			x.since = later(x.linked, last)
		}
	}
	return over
}

// at is when it is to be said that nothing came, if nothing does.
func (x *expected) at() time.Time {
	at := x.since.Add(x.sub.ExpectEvery - x.Counted)
	if x.sub.ExpectEvery >= dayLong {
		// A job of 3:00 comes an hour later in the night in which clocks are set back.
		from := x.Last
		if from.IsZero() {
			from = x.since
		}
		_, was := from.Zone()
		if _, is := at.In(from.Location()).Zone(); is < was {
			at = at.Add(time.Duration(was-is) * time.Second)
		}
	}
	if at.Before(x.grace) {
		return x.grace
	}
	return at
}

// due returns what did not come, with the subscription that expects it. It is given the
// time in the zone of this machine.
func (e *expects) due(now time.Time) (told []missing) {
	for _, x := range e.all {
		if x.linked.IsZero() || x.Told || now.Before(x.at()) {
			continue
		}
		x.Told = true
		told = append(told, missing{x.sub, x.tell(now)})
	}
	slices.SortFunc(told, func(a, b missing) int { return cmp.Compare(a.sub.Line, b.sub.Line) })
	return told
}

// missing says that nothing came of what a subscription expects.
type missing struct {
	sub *config.Subscription
	notify.Notification
}

func (x *expected) key() string { return notify.ShortKey("expect " + x.sub.ID()) }

func (x *expected) tell(now time.Time) notify.Notification {
	n := notify.Notification{Key: x.key(), Body: "Expected every " + age.Text(x.sub.ExpectEvery) + "."}
	if x.sub.Urgency != nil {
		if u, _ := x.sub.Urgency.Constant(); u == notify.Critical.String() {
			n.Urgency = notify.Critical
		}
	}
	n.Title = "Nothing"
	if t := x.sub.Shown(); !t.Sender.IsEvery() && !t.Event.IsEvery() {
		n.Title = "No " + t.Event.String() + " from " + t.Sender.String()
	} else if !t.Sender.IsEvery() {
		n.Title += " from " + t.Sender.String()
	} else if !t.Event.IsEvery() {
		n.Title = "No " + t.Event.String()
	}
	if on := x.sub.Server; !on.IsEvery() {
		n.Title = says(on.String(), n.Title)
	}
	if x.Last.IsZero() {
		n.Title += " for " + words.Span(x.counted(now))
	} else {
		n.Title += " since " + ago(now, x.Last)
	}
	return n
}

// ago is a time for people: "02:10", "yesterday 02:10", "Monday 02:10" or "2026-01-31 02:10".
func ago(now, t time.Time) string {
	t = t.In(now.Location())
	day := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	switch days := int(day(now).Sub(day(t)) / (24 * time.Hour)); {
	case days == 0:
		return t.Format("15:04")
	case days == 1:
		return "yesterday " + t.Format("15:04")
	case days < 7:
		return t.Format("Monday 15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// next is when due has something to say; zero: never.
func (e *expects) next() (next time.Time) {
	for _, x := range e.all {
		if !x.linked.IsZero() && !x.Told {
			next = earlier(next, x.at())
		}
	}
	return next
}

// state is what is expected, by subscription, for a restart. Before the end it is a little
// behind: a memory that changes all the time would be written all the time.
func (e *expects) state(now time.Time, atEnd bool) map[string]memory.Expected {
	all := make(map[string]memory.Expected, len(e.all))
	for id, x := range e.all {
		kept := x.Expected
		kept.Last = keepable(kept.Last)
		if !x.linked.IsZero() {
			kept.Counted = x.counted(now)
			if !atEnd {
				kept.Counted = kept.Counted.Truncate(min(memoryIdle, x.sub.ExpectEvery/60))
			}
		}
		all[id] = kept
	}
	return all
}

// restore takes over what was expected before a restart; use then leaves what the file
// still expects.
func (e *expects) restore(all map[string]memory.Expected, now time.Time) {
	e.all = make(map[string]*expected, len(all))
	for id, kept := range all {
		kept.Last = kept.Last.In(now.Location())
		e.all[id] = &expected{Expected: kept, since: now, grace: now}
	}
}
