package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/notify"
)

func TestRepeats(t *testing.T) {
	subs := subscribed(t, "- {sender: a, repeat: {every: 15m, at_most: 3}}\n")
	minutes := func(m float64) time.Time { return at(60 * m) }
	shown := func(number uint64, key string) *passage {
		p := passed(start, event("a", "e", ""))
		p.sub, p.alert = &subs[0], notify.Notification{Title: "T", Key: key, Ref: number}
		return p
	}
	for name, tc := range map[string]struct {
		do   map[float64]func(r *repeats, q *quiet) // by minute
		want string                                 // "MINUTE:how often"
	}{
		"nobody answers":   {nil, "15:1 30:2 45:3"},
		"clicked":          {map[float64]func(*repeats, *quiet){20: func(r *repeats, _ *quiet) { r.answer(7) }}, "15:1"},
		"another clicked":  {map[float64]func(*repeats, *quiet){20: func(r *repeats, _ *quiet) { r.answer(8) }}, "15:1 30:2 45:3"},
		"resolved":         {map[float64]func(*repeats, *quiet){31: func(r *repeats, _ *quiet) { r.resolve("k") }}, "15:1 30:2"},
		"another resolved": {map[float64]func(*repeats, *quiet){31: func(r *repeats, _ *quiet) { r.resolve("") }}, "15:1 30:2 45:3"},
		"replaced": {map[float64]func(*repeats, *quiet){20: func(r *repeats, _ *quiet) {
			p := shown(9, "k")
			p.now = minutes(20)
			r.begin(p)
		}}, "15:1 35:1 50:2 65:3"},
		"a pause": {map[float64]func(*repeats, *quiet){
			20: func(_ *repeats, q *quiet) { q.pause.pause(time.Time{}) },
			40: func(_ *repeats, q *quiet) { q.pause.resume() },
		}, "15:1 45:2 60:3"},
		"muted":        {map[float64]func(*repeats, *quiet){20: func(_ *repeats, q *quiet) { q.mute(&subs[0], minutes(300)) }}, "15:1"},
		"a reload":     {map[float64]func(*repeats, *quiet){20: func(r *repeats, _ *quiet) { r.use(subs) }}, "15:1 30:2 45:3"},
		"it is gone":   {map[float64]func(*repeats, *quiet){20: func(r *repeats, _ *quiet) { r.use(nil) }}, "15:1"},
		"it is edited": {map[float64]func(*repeats, *quiet){20: func(r *repeats, _ *quiet) { r.use(subscribed(t, "- {sender: a, repeat: 5m}\n")) }}, "15:1 30:2 35:3 40:4 45:5 50:6 55:7 60:8"},
		"no longer":    {map[float64]func(*repeats, *quiet){20: func(r *repeats, _ *quiet) { r.use(subscribed(t, "- {sender: a}\n")) }}, "15:1"},
		"it is stopped": {map[float64]func(*repeats, *quiet){20: func(r *repeats, _ *quiet) {
			kept := reread(t, r.state())
			*r = repeats{}
			r.restore(kept, subs, minutes(20))
		}}, "15:1 30:2 45:3"},
	} {
		var r repeats
		q := newQuiet()
		r.begin(shown(7, "k"))
		var got []string
		for m := 1.0; m < 120; m++ {
			if do := tc.do[m]; do != nil {
				do(&r, q)
			}
			for _, n := range r.due(minutes(m), func(x *repeating) bool { return (&pipeline{quiet: q}).holds(minutes(m), x) }) {
				var i, of int
				if _, err := fmt.Sscanf(n.Body, "Shown again (%d of %d), unanswered since 12:", &i, &of); err != nil || n.Title != "T" || n.Key != "k" {
					t.Errorf("%s: %+v, %v", name, n, err)
				}
				got = append(got, fmt.Sprintf("%g:%d", m, i))
			}
		}
		if diff := cmp.Diff(tc.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if len(got) > 0 && name != "muted" && !r.next().IsZero() {
			t.Errorf("%s: next is %s", name, r.next())
		}
	}
	var r repeats
	for i := range maxRepeating + 1 {
		r.begin(shown(uint64(i), fmt.Sprint(i)))
	}
	if v := r.judge(shown(1, "")); len(r.list) != maxRepeating || v.decision != Passed || v.reason != "not shown again: 1,000 are already" {
		t.Errorf("%d are repeated, %+v", len(r.list), v)
	}
}
