package agent

import (
	"slices"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/internal/words"
	"sigalert/sig"
)

const (
	maxEscalating     = 1_000
	maxEscalatingData = 8 << 20     // bytes of events' data
	escalatesAgain    = time.Minute // after a start, at the earliest
)

// escalations do what subscriptions with "escalate" say about a critical alert that
// nobody clicked or closed, and that was not resolved, in time.
type escalations struct {
	list     []*escalating
	size     int       // of their data, in bytes
	soonest  time.Time // when the first is due; zero: there is none
	restored []memory.Escalating
	recalled time.Time // when these were
}

type escalating struct {
	memory.Escalating
	sub *config.Subscription
}

func (e *escalations) judge(p *passage) verdict {
	v := verdict{stage: "escalate", line: p.sub.Line}
	if p.sub.Escalate != nil && urgency(p.said) == notify.Critical {
		v.reason = "escalated after " + words.Span(p.sub.Escalate.After) + ", if nobody clicks or closes it"
	}
	return v
}

// begin is for an alert that is on its way to the desktop. One that takes the place of
// an older one must be answered by when that was to be. If there are too many, the
// oldest is escalated at once.
func (e *escalations) begin(p *passage) {
	var due time.Time
	if len(e.list) > 0 && p.alert.Key != "" {
		if i := slices.IndexFunc(e.list, func(x *escalating) bool { return x.Alert.Key == p.alert.Key }); i >= 0 {
			due = e.list[i].Due
		}
		e.resolve(p.alert.Key)
	}
	if p.sub.Escalate == nil || p.alert.Urgency != notify.Critical {
		return
	}
	x := &escalating{memory.Escalating{
		Sub: p.sub.ID(), Sender: p.ev.Sender, Event: p.ev.Event, Time: keepable(p.ev.Time), Alert: p.alert.Cut(),
		Due: earlier(due, p.now.Add(p.sub.Escalate.After)),
	}, p.sub}
	if data, err := p.ev.Data.JSON(); err == nil && e.size+len(data) <= maxEscalatingData {
		x.Data = data
	}
	if over := len(e.list) - maxEscalating; over >= 0 {
		e.list[over].Due = p.now
	}
	e.list = append(e.list, x)
	e.settle()
}

// answer is for somebody who has clicked or closed an alert.
func (e *escalations) answer(number int) {
	e.drop(func(x *escalating) bool { return x.Alert.Ref == uint64(number) })
}

// resolve is for an alert that is resolved, or replaced by a newer one.
func (e *escalations) resolve(key string) {
	if key != "" {
		e.drop(func(x *escalating) bool { return x.Alert.Key == key })
	}
}

func (e *escalations) drop(which func(*escalating) bool) {
	e.list = slices.DeleteFunc(e.list, which)
	e.settle()
}

// settle finds out what is due first, and how large all are.
func (e *escalations) settle() {
	e.soonest, e.size = time.Time{}, 0
	for _, x := range e.list {
		e.soonest = earlier(e.soonest, x.Due)
		e.size += len(x.Data)
	}
}

// due takes out what is to be escalated now.
func (e *escalations) due(now time.Time) (all []*escalating) {
	if e.soonest.IsZero() || now.Before(e.soonest) {
		return nil
	}
	e.drop(func(x *escalating) bool {
		if now.Before(x.Due) {
			return false
		}
		all = append(all, x)
		return true
	})
	return all
}

// next is when due has something to escalate; zero: never.
func (e *escalations) next() time.Time { return e.soonest }

// use replaces the subscriptions. Alerts of those that stay, and still escalate, keep
// their time.
func (e *escalations) use(subs []config.Subscription) {
	if len(e.list)+len(e.restored) == 0 {
		return
	}
	by := byID(subs)
	for _, x := range e.restored {
		e.list = append(e.list, &escalating{Escalating: x})
	}
	e.restored = nil
	e.drop(func(x *escalating) bool {
		known := x.sub != nil
		if x.sub = by[x.Sub]; x.sub == nil || x.sub.Escalate == nil {
			return true
		}
		if !known { // the clock may have been set back since
			x.Due = earlier(x.Due, e.recalled.Add(max(x.sub.Escalate.After, escalatesAgain)))
		}
		return false
	})
}

// state is what waits for an answer, for a restart.
func (e *escalations) state() []memory.Escalating {
	all := slices.Clone(e.restored)
	for _, x := range e.list {
		all = append(all, x.Escalating)
	}
	return all
}

// restore takes over what waited for an answer before a restart, once use says for which
// subscriptions. What was due meanwhile gets a minute more: nobody could answer.
func (e *escalations) restore(all []memory.Escalating, now time.Time) {
	e.recalled = now
	for _, x := range all[:min(len(all), maxEscalating)] {
		if soon := now.Add(escalatesAgain); x.Due.Before(soon) {
			x.Due = soon
		}
		e.restored = append(e.restored, x)
	}
}

// passage is the alert on its way, once more.
func (x *escalating) passage(now time.Time) *passage {
	ev := sig.Event{Sender: x.Sender, Event: x.Event, Time: x.Time}
	if len(x.Data) > 0 {
		ev.Data = sig.JSONData(x.Data)
	}
	p := newPassage(now, ev)
	p.sub = x.sub
	settle(p)
	p.alert = x.Alert
	return p
}
