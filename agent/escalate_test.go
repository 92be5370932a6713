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
			e.restore(kept, minutes(2))
			e.use(subs)
		}, 5},
		"a late restart": {func(e *escalations) {
			kept := reread(t, e.state())
			*e = escalations{}
			e.restore(kept, minutes(9))
			e.use(subs)
		}, 10},
	} {
		var e escalations
		e.begin(shown(0, 7, notify.Critical))
		tc.do(&e)
		got := 0.0
		for m := 3.0; m < 30; m++ {
			for _, x := range e.due(minutes(m)) {
				got = m
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
	if n := len(e.due(start)); n != 2 || len(e.list) != maxEscalating {
		t.Errorf("%d are escalated at once, %d wait", n, len(e.list))
	}
}
