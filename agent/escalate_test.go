package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sigalert/agent/notify"
)

func TestEscalations(t *testing.T) {
	subs := subscribed(t, "- {sender: a, urgency: critical, escalate: {after: 5m, command: [x]}}\n- {sender: b}\n")
	minutes := func(m float64) time.Time { return at(60 * m) }
	shown := func(m float64, number uint64, u notify.Urgency) *passage {
		p := passed(minutes(m), event("a", "e", `{"x": 1}`))
		p.sub, p.alert = &subs[0], notify.Notification{Title: "T", Key: "k", Ref: number, Urgency: u}
		return p
	}
	for name, tc := range map[string]struct {
		do   func(e *escalations) // after two minutes
		want float64              // in which minute it is escalated; 0: never
	}{
		"nobody answers":            {func(*escalations) {}, 5},
		"clicked":                   {func(e *escalations) { e.answer(7) }, 0},
		"another is clicked":        {func(e *escalations) { e.answer(8) }, 5},
		"resolved":                  {func(e *escalations) { e.resolve("k") }, 0},
		"replaced":                  {func(e *escalations) { e.begin(shown(2, 8, notify.Critical)) }, 5},
		"replaced, the old clicked": {func(e *escalations) { e.begin(shown(2, 8, notify.Critical)); e.answer(7) }, 5},
		"replaced, the new clicked": {func(e *escalations) { e.begin(shown(2, 8, notify.Critical)); e.answer(8) }, 0},
		"replaced by a normal one":  {func(e *escalations) { e.begin(shown(2, 8, notify.Normal)) }, 0},
		"a reload":                  {func(e *escalations) { e.use(subs) }, 5},
		"it is gone":                {func(e *escalations) { e.use(subs[1:]) }, 0},
		"a restart": {func(e *escalations) {
			kept := reread(t, e.state())
			*e = escalations{}
			e.restore(kept, subs, minutes(2))
		}, 5},
		"a late restart": {func(e *escalations) {
			kept := reread(t, e.state())
			*e = escalations{}
			e.restore(kept, subs, minutes(9))
		}, 10},
	} {
		var e escalations
		e.begin(shown(0, 7, notify.Critical))
		tc.do(&e)
		got := 0.0
		for m := 3.0; m < 30; m++ {
			for _, x := range e.due(minutes(m)) {
				got = m
				e.settled(x, time.Time{})
				p := x.passage(minutes(m))
				j, err := newJob(p, p.sub.Escalate.Command)
				if err != nil || !strings.Contains(string(j.input), `"title":"T"`) || !strings.Contains(string(j.input), `"data":{"x":1}`) {
					t.Errorf("%s: %s, %v", name, j.input, err)
				}
			}
		}
		if got != tc.want || !e.next().IsZero() {
			t.Errorf("%s: in minute %g, want %g; next is %s", name, got, tc.want, e.next())
		}
	}
	var e escalations
	for i := range maxEscalating + 2 {
		p := shown(0, uint64(i), notify.Critical)
		p.alert.Key = fmt.Sprint(i)
		e.begin(p)
	}
	early := e.due(start)
	for _, x := range early {
		e.settled(x, time.Time{})
	}
	if len(early) != 2 || len(e.list) != maxEscalating {
		t.Errorf("%d are escalated at once, %d wait", len(early), len(e.list))
	}
	for i := range 2 * maxEscalating {
		p := shown(0, uint64(i), notify.Critical)
		p.alert.Key = fmt.Sprint("more", i)
		e.begin(p)
	}
	p := shown(0, 1, notify.Critical)
	p.said.Urgency = "critical"
	if v := e.judge(p); len(e.list) != 2*maxEscalating || v.decision != Passed || !strings.HasPrefix(v.reason, "not escalated: ") {
		t.Errorf("%d wait, %+v", len(e.list), v)
	}
}

// Of many that are due at once, some are under way, and the rest wait until those are
// done. What is under way is remembered, and done again after a restart.
func TestEscalationsUnderWay(t *testing.T) {
	subs := subscribed(t, "- {sender: a, urgency: critical, escalate: {after: 5m, command: [x]}}\n")
	var e escalations
	for i := range 100 {
		p := passed(start, event("a", "e", "1"), &subs[0])
		p.sub, p.alert = &subs[0], notify.Notification{Title: "T", Ref: uint64(i + 1), Urgency: notify.Critical}
		e.begin(p)
	}
	first := e.due(at(300))
	if len(first) != maxUnderWay || len(e.due(at(300))) > 0 || !e.next().IsZero() || len(e.state()) != 100 {
		t.Fatalf("%d are under way, the next is due at %s, %d are remembered", len(first), e.next(), len(e.state()))
	}
	e.settled(first[0], time.Time{})
	e.settled(first[1], at(310))
	e.answer(5) // which goes on
	if next := e.due(at(300)); len(next) != 2 || next[0].Alert.Ref != maxUnderWay+1 || len(e.state()) != 98 {
		t.Errorf("then %d more, %d are remembered", len(next), len(e.state()))
	}
	for _, x := range first[2:] {
		e.settled(x, time.Time{})
	}
	if next := e.due(at(310)); len(next) != maxUnderWay-2 || next[0] != first[1] || !next[0].again {
		t.Errorf("then %d more, of which the first is %+v", len(next), next[0])
	}
	kept := reread(t, e.state())
	var later escalations
	later.restore(kept, subs, at(310))
	if got := later.due(at(370)); len(got) != maxUnderWay || len(later.list) != len(kept) {
		t.Errorf("after a restart: %d of %d", len(got), len(kept))
	}
}

// Publications that wait for the server hold up no commands.
func TestEscalationsOfBothWays(t *testing.T) {
	subs := subscribed(t, "- {sender: a, urgency: critical, escalate: {after: 5m, publish: {sender: b, event: c}}}\n- {sender: d, urgency: critical, escalate: {after: 5m, command: [x]}}\n")
	var e escalations
	for i := range 21 {
		p := passed(start, event("a", "e", "1"))
		p.sub, p.alert = &subs[i/20], notify.Notification{Title: "T", Ref: uint64(i + 1), Urgency: notify.Critical}
		e.begin(p)
	}
	if all := e.due(at(300)); len(all) != maxUnderWay+1 || all[maxUnderWay].sub != &subs[1] || !e.next().IsZero() {
		t.Errorf("%d are under way, the next is due at %s", len(all), e.next())
	}
}
