package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/internal/outcome"
	"sigalert/internal/plain"
	"sigalert/internal/words"
	"sigalert/sig"
)

// escalationTimeout is how long an escalation waits for the server.
const escalationTimeout = 10 * time.Minute

// concludeWaiting does what was decided about the alerts that have waited long enough.
func (a *Agent) concludeWaiting(now time.Time) {
	for p := a.pipeline.ripe(now, false); p != nil; p = a.pipeline.ripe(now, false) {
		a.conclude(p)
		a.memory.changed = true
	}
}

// settling notes that an event's alert is given to the desktop; the function is for when
// it is known whether that took it. Until then the memory has it. An alert that has
// waited is there by itself: the events since then need not come again.
func (a *Agent) settling(p *passage) (settled func()) {
	if p.waited != nil {
		return a.pipeline.waits.leaves(p.waited)
	}
	c, seq := &a.server(p.server).cursor, p.ev.Seq
	c.wait(seq)
	return func() { c.settled(seq) }
}

// tellWaiting has what waits, and what another alert holds back, become lines of the log.
func (a *Agent) tellWaiting(now time.Time) {
	for p := a.pipeline.ripe(now, true); p != nil; p = a.pipeline.ripe(now, true) {
		if v := p.decided(); v.decision == Sent {
			a.opts.Fallback(p.alert)
			a.alerted(p.ev, outcome.Failed, whyEnded+"; it went to the log")
		} else {
			a.alerted(p.ev, outcome.Held, v.reason)
		}
	}
	for _, n := range a.pipeline.inhibits.rest() {
		a.opts.Fallback(n)
	}
}

// rememberWaiting adds what waits, in whatever way, to what is to be remembered.
func (a *Agent) rememberWaiting(s *memory.State, now time.Time) {
	pl := a.pipeline
	s.Waiting, s.Inhibitors = pl.waits.state(), pl.inhibits.state()
	s.Repeating, s.Escalating = pl.repeats.state(), pl.escalations.state()
	s.Expected = a.expects.state(now)
}

// recallWaiting takes over what waited when an earlier agent ended.
func (a *Agent) recallWaiting(s memory.State, now time.Time) {
	pl := a.pipeline
	pl.waits.restore(s.Waiting, now)
	pl.inhibits.restore(s.Inhibitors, now)
	pl.repeats.restore(s.Repeating, now)
	pl.escalations.restore(s.Escalating, now)
	a.expects.restore(s.Expected, now.In(a.zone()))
}

// tellUnanswered shows the alerts again that nobody has answered, or escalates them.
func (a *Agent) tellUnanswered(now time.Time) {
	for _, n := range a.pipeline.repeats.due(now, a.pipeline.quiet) {
		a.delivery.push(n)
		a.memory.changed = true
	}
	for _, x := range a.pipeline.escalations.due(now) {
		a.escalate(now, x)
		a.memory.changed = true
	}
}

// ended says of alerts that waited that they are not shown.
func (a *Agent) ended(all []ended) {
	for _, e := range all {
		a.recents.decide(e.number, e.v)
		a.alerted(e.ev, outcome.Held, e.v.reason)
	}
}

// answered is for somebody who has clicked or closed an alert.
func (a *Agent) answered(number int) {
	a.pipeline.repeats.answer(number)
	a.pipeline.escalations.answer(number)
}

// escalate does what is to be done about an alert that nobody has answered.
func (a *Agent) escalate(now time.Time, x *escalating) {
	e, p := x.sub.Escalate, x.passage(now)
	v := verdict{stage: "escalate", line: x.sub.Line, reason: "nobody clicked or closed it within " + words.Span(e.After) + ": "}
	switch {
	case e.Command != nil:
		v.reason += "its command is run"
		if n, failed := a.commands.run(p, e.Command); failed {
			a.tell(n)
		}
	default:
		v.reason += fmt.Sprintf("published as %s: %s", e.Publish.Sender, e.Publish.Event)
		a.publishUnanswered(p, e.Publish)
	}
	a.recents.add(int(x.Alert.Ref), v)
	a.log.Info("escalated", "line", x.sub.Line, "alert", x.Alert.Ref)
}

// publishUnanswered publishes an alert as a command gets it.
func (a *Agent) publishUnanswered(p *passage, to *config.Publication) {
	s := a.server(p.server)
	in, err := inputOf(p)
	text, jerr := json.Marshal(in)
	line := p.sub.Line
	failed := func(err error) {
		a.log.Warn("an escalation failed", "line", line, "err", err)
		a.tell(notify.Notification{
			Title: fmt.Sprintf("The escalation of line %d failed", line), Body: plain.Text(err.Error(), maxAnswer), Urgency: notify.Critical, Key: fmt.Sprintf("escalation %d", line),
		})
	}
	switch {
	case err != nil:
		failed(err)
		return
	case jerr != nil:
		failed(jerr)
		return
	case s == nil:
		failed(errors.New("its server is no longer in the configuration"))
		return
	case a.escalating == maxRequests:
		failed(fmt.Errorf("%s wait for the server already", words.Count(maxRequests, "escalation")))
		return
	}
	a.escalating++
	r := s.receiver
	a.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(r.ctx, escalationTimeout)
		defer cancel()
		_, err := r.client.Publish(ctx, sig.Publication{Sender: to.Sender, Event: to.Event, Data: json.RawMessage(text)})
		a.ask(func() {
			a.escalating--
			if err != nil {
				failed(err)
			}
		})
	})
}

// tellMissing says that nothing came of what subscriptions expect.
func (a *Agent) tellMissing(now time.Time) {
	for _, m := range a.expects.due(now) {
		a.memory.changed = true
		if h := a.pipeline.quiet.of(m.sub); h != nil {
			h.keep(held{name: m.Title, key: m.Key}, whilePaused)
		} else {
			a.tell(m.Notification)
		}
	}
}

// arrived takes an event for those who expect one: what was said of its absence is over.
func (a *Agent) arrived(p *passage) {
	for _, key := range a.expects.saw(p) {
		a.pipeline.quiet.takeBack(key)
		a.delivery.push(notify.Notification{Title: "It came: " + defaultTitle(p.ev), Key: key, Resolved: true})
	}
}
