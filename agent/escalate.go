package agent

import (
	"fmt"
	"slices"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/internal/words"
	"sigalert/sig"
)

const (
	maxEscalating     = 1_000   // before the oldest is escalated early; of twice as many, the newest is not escalated
	maxEscalatingData = 8 << 20 // bytes of events' data
	maxUnderWay       = 16      // commands at once, and publications
)

// escalations do what subscriptions with "escalate" say about a critical alert that
// nobody clicked or closed, and that was not resolved, in time. They are remembered
// until it is known what became of them: one amid which the agent ends is done again.
type escalations struct {
	list     []*escalating
	size     int       // of their data, in bytes
	soonest  time.Time // when the first is due for which there is room; zero: there is none
	underWay [2]int    // by way
}

type escalating struct {
	memory.Escalating
	sub      *config.Subscription
	underWay bool
	by       way  // it is under way
	again    bool // it was under way before
}

// way is how an alert is escalated. Publications may wait for the server for long, which
// must not hold up commands.
type way int

const (
	byCommand way = iota
	byPublication
)

func wayOf(e *config.Escalation) way {
	if e.Command != nil {
		return byCommand
	}
	return byPublication
}

func (e *escalations) judge(p *passage) verdict {
	v := verdict{stage: "escalate", line: p.sub.Line}
	switch {
	case p.sub.Escalate == nil || urgency(p.said) != notify.Critical:
	case isEscalation(p):
		v.reason = "not escalated: it is what its subscription publishes about one that nobody answered"
	case len(e.list) >= 2*maxEscalating:
		v.reason = fmt.Sprintf("not escalated: %s wait for an answer already", words.Number(2*maxEscalating))
	default:
		v.reason = "escalated after " + words.Span(p.sub.Escalate.After) + ", if nobody clicks or closes it"
	}
	return v
}

// isEscalation reports whether an event is what its own subscription publishes, which
// would otherwise be published about again and again.
func isEscalation(p *passage) bool {
	to := p.sub.Escalate.Publish
	return to != nil && to.Sender.Equal(p.ev.Sender) && to.Event.Equal(p.ev.Event)
}

// begin is for an alert that is on its way to the desktop. One that takes the place of
// an older one must be answered by when that was to be. If there are too many, the
// oldest is escalated at once.
func (e *escalations) begin(p *passage) {
	var due time.Time
	if len(e.list) > 0 && p.alert.Key != "" {
		if i := slices.IndexFunc(e.list, func(x *escalating) bool { return x.Alert.Key == p.alert.Key }); i >= 0 && !e.list[i].underWay {
			due = e.list[i].Due
		}
		e.resolve(p.alert.Key)
	}
	if p.sub.Escalate == nil || p.alert.Urgency != notify.Critical || isEscalation(p) || len(e.list) >= 2*maxEscalating {
		return
	}
	x := &escalating{sub: p.sub, Escalating: memory.Escalating{
		Sub: p.sub.ID(), Server: p.server, Sender: p.ev.Sender, Event: p.ev.Event, Time: keepable(p.ev.Time), Alert: p.alert.Cut(),
		Due: earlier(due, p.now.Add(p.sub.Escalate.After)),
	}}
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
		if !x.underWay && e.underWay[wayOf(x.sub.Escalate)] < maxUnderWay {
			e.soonest = earlier(e.soonest, x.Due)
		}
		e.size += len(x.Data)
	}
}

// due returns what is to be escalated now, and is under way from now on, until settled
// is called.
func (e *escalations) due(now time.Time) (all []*escalating) {
	if e.soonest.IsZero() || now.Before(e.soonest) {
		return nil
	}
	for _, x := range e.list {
		if by := wayOf(x.sub.Escalate); !x.underWay && !now.Before(x.Due) && e.underWay[by] < maxUnderWay {
			x.underWay, x.by = true, by
			e.underWay[by]++
			all = append(all, x)
		}
	}
	e.settle()
	return all
}

// settled is for one that is no longer under way: it is done, or is to be done again at
// a time.
func (e *escalations) settled(x *escalating, again time.Time) {
	e.underWay[x.by]--
	x.underWay = false
	if x.again = !again.IsZero(); x.again {
		x.Due = again
		e.settle()
		return
	}
	e.drop(func(o *escalating) bool { return o == x })
}

// next is when due has something to escalate; zero: never, or not before settled is
// called.
func (e *escalations) next() time.Time { return e.soonest }

// use replaces the subscriptions. Alerts of those that stay, and still escalate, keep
// their time.
func (e *escalations) use(subs []config.Subscription) {
	if len(e.list) == 0 {
		return
	}
	by := byID(subs)
	e.drop(func(x *escalating) bool {
		x.sub = by[x.Sub]
		return x.sub == nil || x.sub.Escalate == nil
	})
}

// state is what waits for an answer, for a restart.
func (e *escalations) state() []memory.Escalating {
	var all []memory.Escalating
	for _, x := range e.list {
		all = append(all, x.Escalating)
	}
	return all
}

// restore takes over what waited for an answer before a restart. What was due meanwhile
// gets a minute more: nobody could answer.
func (e *escalations) restore(all []memory.Escalating, subs []config.Subscription, now time.Time) {
	for _, x := range all[:min(len(all), 2*maxEscalating)] {
		e.list = append(e.list, &escalating{Escalating: x})
	}
	e.use(subs)
	soon := now.Add(time.Minute)
	for _, x := range e.list { // the clock may have been set back
		x.Due = earlier(later(x.Due, soon), later(soon, now.Add(x.sub.Escalate.After)))
	}
	e.settle()
}

// passage is the alert on its way, once more.
func (x *escalating) passage(now time.Time) *passage {
	ev := sig.Event{Sender: x.Sender, Event: x.Event, Time: x.Time}
	if len(x.Data) > 0 {
		ev.Data = sig.JSONData(x.Data)
	}
	p := newPassage(now, ev)
	p.server, p.sub = x.Server, x.sub
	settle(p)
	p.alert = x.Alert
	return p
}
