package agent

import (
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/internal/words"
)

// stage is one step of an event's way to the desktop. It has neither a clock nor a
// channel nor a logger: what it knows of the event is in the passage.
type stage interface {
	judge(p *passage) verdict
}

// pipeline is all that decides what becomes of an event that subscriptions match.
type pipeline struct {
	tags     tags
	changes  changes
	waits    waits
	inhibits inhibits
	quiet    *quiet
	catchup  catchup
	rates    rates
	floods   *floods
	folds    folds

	repeats     repeats
	escalations escalations

	verdicts []verdict // of the last event; the room is the next one's
}

func newPipeline() *pipeline {
	pl := &pipeline{quiet: newQuiet(), catchup: newCatchup()}
	pl.waits.tags = &pl.tags
	pl.floods = newFloods(&pl.tags)
	return pl
}

// judge takes an event through the stages, until one decides that it goes no further.
// It is called once for each event: stages count what they hold back. The passage's
// verdicts are valid until the next call.
func (pl *pipeline) judge(p *passage) {
	p.verdicts = pl.verdicts[:0]
	v := chooser{&pl.tags, &pl.waits}.judge(p)
	pl.changes.pass(p)
	if v.decision == Passed {
		p.add(v)
	}
	if p.sub != nil {
		settle(p)
	}
	p.choice = len(p.verdicts)
	pl.finish(p, v)
}

// ripe is an alert that has waited long enough, or, at the end, any that waits, and has
// gone through the rest of the stages; nil: there is none.
func (pl *pipeline) ripe(now time.Time, atEnd bool) *passage {
	x := pl.waits.ripe(now, atEnd)
	if x == nil {
		return nil
	}
	why := "not resolved within " + words.Span(x.until.Sub(x.since))
	if atEnd {
		why = "shown at once: the agent is ending"
	}
	p := newPassage(now, x.ev)
	p.server, p.sub, p.number, p.waited = x.server, x.sub, x.number, x
	settle(p)
	p.verdicts = append(pl.verdicts[:0], verdict{stage: "for", line: x.sub.Line, reason: why})
	pl.finish(p, verdict{})
	return p
}

// finish takes an event through the stages that are left, if it has passed the others.
func (pl *pipeline) finish(p *passage, v verdict) {
	if v.decision == Passed {
		v = pl.alert(p)
	}
	if v.decision == Resolved || p.hold != nil {
		renderer{}.judge(p) // for the desktop, or for whoever holds it back
	}
	key := p.key(p.said.Tag)
	switch v.decision {
	case Resolved:
		p.closes = pl.tags.shown(key)
		pl.tags.close(key)
		pl.quiet.takeBack(key)
		pl.waits.takeBack(p, key)
		pl.inhibits.close(key)
		pl.catchup.takeBack(key)
		pl.repeats.resolve(key)
		pl.escalations.resolve(key)
		pl.changes.forget(p)
		pl.folds.forget(p.sub, key)
	case Sent:
		pl.tags.show(key, true)
		pl.inhibits.show(p.now, p.said.Tag, key)
	}
	if p.waiting != nil {
		pl.tags.show(key, false)
	}
	if p.hold != nil {
		pl.tags.show(p.alert.Key, false)
		pl.inhibits.show(p.now, p.said.Tag, p.alert.Key)
		p.hold.keep(heldAlert(p), p.while)
		p.counted = &p.hold.ref
	}
	if v.stage == "catch_up" {
		pl.tags.show(key, false)
		pl.inhibits.show(p.now, p.said.Tag, key)
	}
	p.add(v)
	pl.verdicts = p.verdicts
}

// alert takes the alert of an event, which a subscription has taken, through the rest
// of the stages.
func (pl *pipeline) alert(p *passage) verdict {
	stages := [...]stage{
		&pl.changes, &pl.waits, &pl.inhibits, pl.quiet, &pl.catchup, &pl.rates, pl.floods, renderer{}, &pl.folds,
		&pl.repeats, &pl.escalations,
	}
	rest := stages[:]
	if p.waited != nil {
		rest = stages[2:]
	}
	for _, s := range rest {
		v := s.judge(p)
		if v.decision != Passed {
			return v
		}
		if v.reason != "" || v.err != nil {
			p.add(v)
		}
	}
	return verdict{stage: "deliver", decision: Sent}
}

// use replaces the subscriptions.
func (pl *pipeline) use(subs []config.Subscription) (told []notify.Notification) {
	pl.inhibits.use(subs)
	pl.repeats.use(subs)
	pl.escalations.use(subs)
	return append(pl.rates.use(subs), pl.quiet.use(subs)...)
}

// due returns what the stages have to say now, but for what tellUnasked shows.
func (pl *pipeline) due(now time.Time) (told []notify.Notification) {
	told = pl.quiet.due(now)
	if n, ok := pl.floods.due(now); ok {
		told = append(told, n)
	}
	for _, l := range pl.rates.of {
		if n, ok := l.summary(now); ok {
			told = append(told, n)
		}
	}
	return told
}

// rest returns what was counted, at the end.
func (pl *pipeline) rest() (told []notify.Notification) {
	told = pl.floods.rest()
	for _, l := range pl.rates.of {
		if n, ok := l.summary(l.next()); ok {
			told = append(told, n)
		}
	}
	return told
}

// next is when due has something to say; zero: never.
func (pl *pipeline) next() time.Time {
	var next time.Time
	for _, at := range [...]time.Time{
		pl.waits.next(), pl.quiet.next(), pl.catchup.next(), pl.floods.next(), pl.escalations.next(),
	} {
		next = earlier(next, at)
	}
	for _, l := range pl.rates.of {
		next = earlier(next, l.next())
	}
	return next
}

// pending counts the alerts that wait, in whatever way.
func (pl *pipeline) pending() Pending {
	n := Pending{Waiting: len(pl.waits.list), Repeating: len(pl.repeats.list), Escalating: len(pl.escalations.list)}
	for _, x := range pl.inhibits.tags {
		n.Inhibited += x.held.count
	}
	return n
}

// state is what the stages have to know after a restart, but for quiet.
func (pl *pipeline) state() memory.State {
	s := memory.State{
		Tags: pl.tags.state(), Waiting: pl.waits.state(), Inhibitors: pl.inhibits.state(), Away: pl.catchup.state(),
		Repeating: pl.repeats.state(), Escalating: pl.escalations.state(), Untold: pl.floods.untold(),
	}
	for _, l := range pl.rates.of {
		if n, ok := l.clone().summary(l.next()); ok {
			s.Untold = append(s.Untold, n)
		}
	}
	return s
}

// restore takes over what state returned in an earlier run. What waited for subscriptions
// that are gone is returned.
func (pl *pipeline) restore(s memory.State, subs []config.Subscription, now time.Time) (gone []ended) {
	pl.tags.restore(s.Tags)
	pl.inhibits.restore(s.Inhibitors, now)
	pl.catchup.restore(s.Away, now)
	pl.repeats.restore(s.Repeating, subs, now)
	pl.escalations.restore(s.Escalating, subs, now)
	return pl.waits.restore(s.Waiting, subs, now)
}

// clone is a pipeline that decides as this one would, and leaves it as it is.
func (pl *pipeline) clone() *pipeline {
	c := &pipeline{
		tags:     tags{pl.tags.known.clone()},
		changes:  changes{pl.changes.values.clone()},
		inhibits: pl.inhibits.clone(),
		quiet:    pl.quiet.clone(),
		catchup:  pl.catchup.clone(),
		rates:    rates{make(map[string]*limiter)},
		folds:    pl.folds.clone(),
	}
	c.waits = pl.waits.clone(&c.tags)
	c.floods = pl.floods.clone(&c.tags)
	for id, l := range pl.rates.of {
		c.rates.of[id] = l.clone()
	}
	return c
}
