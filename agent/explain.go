package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"sigalert/agent/config"
	"sigalert/agent/rule"
	"sigalert/sig"
)

// Recent returns what became of the last n alerts, newest first, without the verdicts
// about subscriptions that are for other events. With all, events that a subscription's
// condition has kept from being alerts are among them, and those that resolved nothing
// that was shown.
func (a *Agent) Recent(n int, all bool) []Explanation {
	entries := a.recents.newest(n, all)
	explained := make([]Explanation, len(entries))
	for i, e := range entries {
		explained[i] = e.explain(false)
	}
	return explained
}

// Explain returns what became of an event, by its number; false: it never had one, or
// is forgotten. The last 256 alerts and 64 other events are remembered.
func (a *Agent) Explain(number int) (Explanation, bool) {
	e := a.recents.get(number)
	if e == nil {
		return Explanation{}, false
	}
	return e.explain(true), true
}

// ExplainEvent returns what would become of an event if it came now, from the only server
// or, if there are several, from one that is none of them. Nothing changes.
func (a *Agent) ExplainEvent(ctx context.Context, ev sig.Event) (Explanation, error) {
	var subs []config.Subscription
	var trial *pipeline
	server := ""
	err := a.do(ctx, func() {
		if a.config != nil {
			subs, trial = a.config.Subscriptions, a.pipeline.clone()
		}
		if len(a.servers) == 1 {
			server = a.servers[0].name
		}
	})
	if err != nil {
		return Explanation{}, err
	}
	if trial == nil {
		return Explanation{}, errors.New("there is no configuration in force yet")
	}
	now := a.now()
	if ev.Time.IsZero() {
		ev.Time = now
	}
	p := newPassage(now, ev)
	p.server, p.matching = server, everyone(subs, server, ev)
	trial.judge(p)
	return entryOf(p, subs).explain(true), nil
}

// explain writes out what became of the event; with others, also why each other
// subscription was not asked.
func (e *entry) explain(others bool) Explanation {
	x := Explanation{
		Number: e.number, Time: e.ev.Time, Server: e.server, Sender: e.ev.Sender, Event: e.ev.Event, Data: e.ev.Data,
		Decision: e.verdicts[len(e.verdicts)-1].decision, Sent: e.sent,
	}
	var seen *rule.Event
	if e.cut {
		x.Verdicts = append(x.Verdicts, Verdict{Stage: "receive", Reason: whyNoData})
	} else {
		seen = rule.NewEvent(e.ev, e.now)
	}
	choice, rest := e.verdicts[:e.choice], e.verdicts[e.choice:]
	if others {
		for i := range e.subs {
			s := &e.subs[i]
			if why := elsewhere(s, e.server, e.ev); why != "" {
				x.Verdicts = append(x.Verdicts, Verdict{Stage: "match", Decision: Skipped, Line: s.Line, Reason: why})
				continue
			}
			for len(choice) > 0 && choice[0].line == s.Line {
				x.Verdicts = append(x.Verdicts, choice[0].written(seen))
				choice = choice[1:]
			}
			if e.sub != nil && s.Line > e.sub.Line {
				x.Verdicts = append(x.Verdicts, Verdict{Stage: "match", Decision: Skipped, Line: s.Line, Reason: fmt.Sprintf("line %d has taken it", e.sub.Line)})
			}
		}
	}
	rest = slices.Concat(choice, rest)
	for i, v := range rest {
		if v.decision != Sent || i == len(rest)-1 { // later, the desktop has answered
			x.Verdicts = append(x.Verdicts, v.written(seen))
		}
	}
	return x
}

// why says in one line what became of the event: "shown by dunst, at 15:04".
func (x Explanation) why() string {
	last := x.Verdicts[len(x.Verdicts)-1]
	line := last.Decision.String()
	if last.Reason != "" {
		line += ": " + last.Reason
	}
	return line + " (" + x.Time.Format("15:04") + ")"
}
