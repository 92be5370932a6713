package agent

import (
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/agent/notify"
)

// stage is one step of an event's way to the desktop. It has neither a clock nor a
// channel nor a logger: what it knows of the event is in the passage.
type stage interface {
	judge(p *passage) verdict
}

// pipeline is all that decides what becomes of an event that subscriptions match.
type pipeline struct {
	tags    tags
	changes changes
	quiet   *quiet
	catchup catchup
	rates   rates
	floods  *floods
	folds   folds

	verdicts []verdict // of the last event; the room is the next one's
}

func newPipeline() *pipeline {
	pl := &pipeline{quiet: newQuiet(), catchup: newCatchup()}
	pl.floods = newFloods(&pl.tags)
	return pl
}

// judge takes an event through the stages, until one decides that it goes no further.
// It is called once for each event: stages count what they hold back. The passage's
// verdicts are valid until the next call.
func (pl *pipeline) judge(p *passage) {
	p.verdicts = pl.verdicts[:0]
	v := chooser{&pl.tags}.judge(p)
	pl.changes.pass(p)
	if v.decision == Passed {
		p.add(v)
	}
	if p.sub != nil {
		settle(p)
	}
	p.choice = len(p.verdicts)
	if v.decision == Passed {
		v = pl.alert(p)
	}
	if v.decision == Resolved || p.hold != nil {
		renderer{}.judge(p) // for the desktop, or for whoever holds it back
	}
	switch key := tagKey(p.ev.Sender, p.said.Tag); v.decision {
	case Resolved:
		p.closes = pl.tags.shown(key)
		pl.tags.close(key)
		pl.quiet.takeBack(key)
		pl.catchup.takeBack(key)
		pl.changes.forget(p)
		pl.folds.forget(p.sub, key)
	case Sent:
		pl.tags.show(key, true)
	}
	if p.hold != nil {
		pl.tags.show(p.alert.Key, false)
		p.hold.keep(heldAlert(p), p.while)
	}
	if v.stage == "catch_up" {
		pl.tags.show(tagKey(p.ev.Sender, p.said.Tag), false)
	}
	p.add(v)
	pl.verdicts = p.verdicts
}

// alert takes the alert of an event, which a subscription has taken, through the rest
// of the stages.
func (pl *pipeline) alert(p *passage) verdict {
	for _, s := range [...]stage{&pl.changes, pl.quiet, &pl.catchup, &pl.rates, pl.floods, renderer{}, &pl.folds} {
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
	return append(pl.rates.use(subs), pl.quiet.use(subs)...)
}

// due returns what the stages have to say now.
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

// rest returns what would be lost at the end, and is not remembered.
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
	next := earlier(earlier(pl.quiet.next(), pl.catchup.next()), pl.floods.next())
	for _, l := range pl.rates.of {
		next = earlier(next, l.next())
	}
	return next
}

// state is what the stages have to know after a restart.
func (pl *pipeline) state() (s memory.State) {
	s.Pause, s.Muted = pl.quiet.state()
	s.Tags, s.Away = pl.tags.state(), pl.catchup.state()
	return s
}

// restore takes over what state returned in an earlier run.
func (pl *pipeline) restore(s memory.State, now time.Time) {
	pl.quiet.restore(s.Pause, s.Muted)
	pl.tags.restore(s.Tags)
	pl.catchup.restore(s.Away, now)
}

// clone is a pipeline that decides as this one would, and leaves it as it is.
func (pl *pipeline) clone() *pipeline {
	c := &pipeline{
		tags:    tags{pl.tags.known.clone()},
		changes: changes{pl.changes.values.clone()},
		quiet:   pl.quiet.clone(),
		catchup: pl.catchup.clone(),
		rates:   rates{make(map[string]*limiter)},
		folds:   pl.folds.clone(),
	}
	c.floods = pl.floods.clone(&c.tags)
	for id, l := range pl.rates.of {
		c.rates.of[id] = l.clone()
	}
	return c
}
