package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"sigalert/agent/notify"
	"sigalert/internal/outcome"
	"sigalert/internal/plain"
	"sigalert/internal/words"
	"sigalert/sig"
)

const (
	escalationTimeout = 10 * time.Minute // for which an escalation waits for the server
	escalationPause   = 10 * time.Second // until one is tried again for whose command there was no room
)

// concludeWaiting does what was decided about the alerts that have waited long enough.
func (a *Agent) concludeWaiting(now time.Time) {
	for p := a.pipeline.ripe(now, false); p != nil; p = a.pipeline.ripe(now, false) {
		a.conclude(p)
		a.memory.changed = true
	}
}

// settling notes that an event's alert is given to the desktop; the function is for when
// it is known whether that took it. Until then the memory has it. An alert that has
// waited is there by itself: the events since then need not come again. So is one from our
// own router, whose memory ends with us: its event cannot come again.
func (a *Agent) settling(p *passage) (settled func()) {
	if p.waited != nil {
		return a.pipeline.waits.leaves(p.waited)
	}
	s := a.server(p.server)
	if s.router.runs() {
		return a.pipeline.waits.leaves(&waiting{
			number: int(p.alert.Ref), server: p.server, ev: p.ev, sub: p.sub, key: p.alert.Key, since: p.now, until: p.now,
		})
	}
	c, seq := s.cursor, p.ev.Seq
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
		a.opts.Fallback(n.Notification)
	}
	if n := len(a.pipeline.escalations.list); n > 0 {
		a.log.Warn("alerts were not escalated: the agent ended", "count", n)
	}
}

// escalateDue escalates the alerts that nobody has answered.
func (a *Agent) escalateDue(now time.Time) {
	for _, x := range a.pipeline.escalations.due(now) {
		a.escalate(x, now)
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
func (a *Agent) escalate(x *escalating, now time.Time) {
	e, p := x.sub.Escalate, x.passage(now)
	what := "its command is run"
	if e.Command == nil {
		what = fmt.Sprintf("it is published as %s: %s", e.Publish.Sender, e.Publish.Event)
	}
	if !x.again {
		what = "nobody clicked or closed it within " + words.Span(e.After) + ": " + what
		a.noteEscalation(x, what)
		a.alerted(ownEvent(now, ownEscalated, notify.Notification{Title: x.Alert.Title, Body: what}), outcome.None, "")
		a.log.Info("escalated", "line", x.sub.Line, "alert", x.Alert.Ref)
	}
	if e.Command == nil {
		a.publishUnanswered(x, p)
		return
	}
	err := a.commands.start(p, e.Command, func(why string) {
		a.ask(func() {
			if why != "" {
				a.noteEscalation(x, "its command failed: "+why)
			}
			a.pipeline.escalations.settled(x, time.Time{})
		})
	})
	if err == nil {
		return
	}
	again := time.Time{}
	if err == errCommandsFull {
		again = now.Add(escalationPause)
	} else {
		a.noteEscalation(x, "its command cannot be run: "+err.Error())
	}
	a.pipeline.escalations.settled(x, again)
	if n, first := a.commands.failed(x.sub.ID(), x.sub.Line, err.Error()); first {
		a.tell(n)
	}
}

// noteEscalation adds to what is known of an alert.
func (a *Agent) noteEscalation(x *escalating, what string) {
	a.recents.add(int(x.Alert.Ref), verdict{stage: "escalate", line: x.sub.Line, reason: what})
}

// publishUnanswered publishes an alert as a command gets it. While there is no server,
// it is tried again.
func (a *Agent) publishUnanswered(x *escalating, p *passage) {
	to, line, first := x.sub.Escalate.Publish, x.sub.Line, !x.again
	failed := func(err error, why string) {
		if first {
			a.noteEscalation(x, "it failed: "+why)
		}
		a.log.Warn("an escalation failed", "line", line, "err", err)
		a.report(time.Now(), ownEscalated, notify.Notification{
			Title: fmt.Sprintf("The escalation of line %d failed", line), Body: plain.Text(why, maxAnswer), Urgency: notify.Critical, Key: fmt.Sprintf("escalation %d", line),
		})
	}
	s := a.server(p.server)
	if s == nil {
		err := errors.New("its server is no longer in the configuration")
		a.pipeline.escalations.settled(x, time.Time{})
		failed(err, err.Error())
		return
	}
	r := s.receiver
	in, err := inputOf(p)
	text, jerr := json.Marshal(in)
	a.tasks.Go(func() {
		ctx, cancel := context.WithTimeout(r.ctx, escalationTimeout)
		defer cancel()
		if err = errors.Join(err, jerr); err == nil {
			_, err = r.client.Publish(ctx, sig.Publication{Sender: to.Sender, Event: to.Event, Data: json.RawMessage(text)})
		}
		late, left := errors.Is(err, context.DeadlineExceeded), r.ctx.Err() != nil
		a.ask(func() {
			again := time.Time{}
			if err != nil && (late || left) {
				again = a.now()
			}
			a.pipeline.escalations.settled(x, again)
			if err == nil || left {
				return
			}
			why := err.Error()
			if late {
				why = "no answer within " + words.Span(escalationTimeout) + ", trying again"
			}
			failed(err, why)
		})
	})
}

// missing says that nothing came of what subscriptions expect, but for those that are
// muted.
func (a *Agent) missing(now time.Time) (all []unasked) {
	for _, m := range a.expects.due(now) {
		n := unasked{Notification: m.Notification, what: ownMissing}
		if h := a.pipeline.quiet.of(m.sub); h != nil {
			h.keep(held{name: m.Title, key: m.Key}, whilePaused)
			a.reported(now, n, outcome.Held, "its subscription is muted"+untilText(now, h.until))
			continue
		}
		all = append(all, n)
	}
	return all
}

// arrived takes an event for those who expect one: what was said of its absence is over.
func (a *Agent) arrived(p *passage) {
	for _, key := range a.expects.saw(p) {
		a.pipeline.quiet.takeBack(key)
		a.delivery.push(notify.Notification{Title: "It came: " + defaultTitle(p.ev), Key: key, Resolved: true})
	}
}
