package agent

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/hours"
)

func TestQuiet(t *testing.T) {
	subs := subscribed(t, "- {sender: a}\n- {sender: b}\n")
	never := time.Time{}
	nightly, daily := ranges(t, "11:00-13:00"), ranges(t, "13:00-14:00")
	for name, tc := range map[string]struct {
		do   func(q *quiet)
		want verdict
	}{
		"nothing":             {func(*quiet) {}, verdict{stage: "quiet"}},
		"a pause":             {func(q *quiet) { q.pause.pause(never) }, verdict{stage: "quiet", decision: Held, reason: "paused"}},
		"quiet hours":         {func(q *quiet) { q.hours = nightly }, verdict{stage: "quiet", decision: Held, reason: "quiet hours until 13:00"}},
		"other hours":         {func(q *quiet) { q.hours = daily }, verdict{stage: "quiet"}},
		"a silent desktop":    {func(q *quiet) { q.desktop = "the screen is locked" }, verdict{stage: "quiet", decision: Held, reason: "the screen is locked"}},
		"paused in the hours": {func(q *quiet) { q.hours = nightly; q.pause.pause(at(60)) }, verdict{stage: "quiet", decision: Held, reason: "paused until 12:01"}},
		"a pause with an end": {func(q *quiet) { q.pause.pause(at(60)) }, verdict{stage: "quiet", decision: Held, reason: "paused until 12:01"}},
		"muted":               {func(q *quiet) { q.mute(&subs[0], never) }, verdict{stage: "quiet", decision: Held, line: 2, reason: "its subscription is muted"}},
		"snoozed":             {func(q *quiet) { q.mute(&subs[0], at(3600)) }, verdict{stage: "quiet", decision: Held, line: 2, reason: "its subscription is muted until 13:00"}},
		"another is muted":    {func(q *quiet) { q.mute(&subs[1], never) }, verdict{stage: "quiet"}},
		"muted and paused": {func(q *quiet) { q.mute(&subs[0], never); q.pause.pause(at(60)) },
			verdict{stage: "quiet", decision: Held, line: 2, reason: "its subscription is muted"}},
		"no longer muted, but paused": {func(q *quiet) { q.mute(&subs[0], never); q.pause.pause(never); q.unmute(&subs[0]) },
			verdict{stage: "quiet", decision: Held, reason: "paused"}},
		"a snooze that is over":        {func(q *quiet) { q.mute(&subs[0], at(-1)); q.due(start) }, verdict{stage: "quiet"}},
		"muted, and the file changed":  {func(q *quiet) { q.mute(&subs[0], never); q.use(subs) }, verdict{stage: "quiet", decision: Held, line: 2, reason: "its subscription is muted"}},
		"gone from the file, and back": {func(q *quiet) { q.mute(&subs[0], never); q.use(subs[1:]); q.use(subs) }, verdict{stage: "quiet"}},
	} {
		q := newQuiet()
		tc.do(q)
		p := passed(start, event("a", "e", ""))
		p.sub = &subs[0]
		got := q.judge(p)
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(verdict{})); diff != "" || (p.hold != nil) != (got.decision == Held) {
			t.Errorf("%s: hold %v\n%s", name, p.hold, diff)
		}
	}
}

// What a subscription's pause has held back is told, however the pause ends.
func TestQuietTellsWhatItHeld(t *testing.T) {
	subs := subscribed(t, "- {sender: a}\n- {sender: \"b*\"}\n")
	want := notify.Notification{Title: "1 alert while paused: " + subs[1].Shown().String(), Body: "b: e"}
	for name, end := range map[string]func(q *quiet) []notify.Notification{
		"it is over":            func(q *quiet) []notify.Notification { return q.due(at(60)) },
		"it is unmuted":         func(q *quiet) []notify.Notification { n, _ := q.unmute(&subs[1]); return []notify.Notification{n} },
		"it is no longer there": func(q *quiet) []notify.Notification { return q.use(subs[:1]) },
	} {
		q := newQuiet()
		q.mute(&subs[1], at(60))
		if q.next() != at(60) || len(q.due(at(59))) > 0 {
			t.Errorf("%s: next is %s", name, q.next())
		}
		p := passed(start, event("b", "e", ""))
		p.sub = &subs[1]
		q.judge(p)
		p.hold.keep(held{name: "b: e"}, p.while)
		if diff := cmp.Diff([]notify.Notification{want}, end(q)); diff != "" || !q.next().IsZero() {
			t.Errorf("%s: next is %s\n%s", name, q.next(), diff)
		}
	}
}

// A subscription whose texts alone have changed stays muted; a new condition makes
// another of it.
func TestMutedSubscriptionIsEdited(t *testing.T) {
	for yaml, muted := range map[string]bool{
		"- {sender: x}\n- {sender: a, when: data > 1, title: T}\n": true,
		"- {sender: a, when: data > 2}\n":                          false,
		"- {sender: a, event: e, when: data > 1}\n":                false,
	} {
		q := newQuiet()
		q.mute(&subscribed(t, "- {sender: a, when: data > 1}\n")[0], time.Time{})
		subs := subscribed(t, yaml)
		q.use(subs)
		if got := q.of(&subs[len(subs)-1]) != nil; got != muted {
			t.Errorf("%s: muted: %v", yaml, got)
		}
	}
}

func ranges(t *testing.T, texts ...string) (h hours.Hours) {
	t.Helper()
	for _, text := range texts {
		r, err := hours.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		h = append(h, r)
	}
	return h
}

// What is critical passes, unless the file says otherwise or its subscription is muted.
func TestQuietAndCritical(t *testing.T) {
	subs := subscribed(t, "- {sender: a}\n")
	for name, tc := range map[string]struct {
		do   func(q *quiet)
		data string
		want verdict
	}{
		"a pause":                {func(q *quiet) { q.pause.pause(time.Time{}) }, `{"urgency": "critical"}`, verdict{stage: "quiet", reason: "paused, but it is critical"}},
		"low, in a pause":        {func(q *quiet) { q.pause.pause(time.Time{}) }, `{"urgency": "low"}`, verdict{stage: "quiet", decision: Held, reason: "paused"}},
		"quiet hours":            {func(q *quiet) { q.hours = ranges(t, "11:00-13:00") }, `{"urgency": "critical"}`, verdict{stage: "quiet", reason: "quiet hours, but it is critical"}},
		"no exception":           {func(q *quiet) { q.pause.pause(time.Time{}); q.all = true }, `{"urgency": "critical"}`, verdict{stage: "quiet", decision: Held, reason: "paused"}},
		"its subscription is so": {func(q *quiet) { q.mute(&subs[0], time.Time{}) }, `{"urgency": "critical"}`, verdict{stage: "quiet", decision: Held, line: 2, reason: "its subscription is muted"}},
	} {
		q := newQuiet()
		tc.do(q)
		p := passed(start, event("a", "e", tc.data))
		p.sub = &subs[0]
		if diff := cmp.Diff(tc.want, q.judge(p), cmp.AllowUnexported(verdict{})); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
	q := newQuiet()
	q.pause.pause(time.Time{})
	if q.keep(start, notify.Notification{Urgency: notify.Critical}) != "" || q.keep(start, notify.Notification{}) == "" {
		t.Error("what is of no event")
	}
}

func TestDigest(t *testing.T) {
	many := func(n, different int) (all []held) {
		for i := range n {
			all = append(all, held{fmt.Sprintf("s%d: e", i%different), fmt.Sprint(i), fmt.Sprint("k", i%different)})
		}
		return all
	}
	for name, tc := range map[string]struct {
		held        []held
		back        []string
		title, body string
	}{
		"nothing":                               {nil, nil, "", ""},
		"one":                                   {[]held{{"backup: done", "4 files", ""}}, nil, "1 alert while paused", "backup: done (4 files)"},
		"without a text":                        {[]held{{"door: ring", "", ""}, {"door: ring", "", ""}}, nil, "2 alerts while paused", "door: ring ×2"},
		"of a kind":                             {[]held{{"backup: done", "9 files", ""}, {"door: ring", "", ""}, {"backup: done", "2 files\n", ""}, {"backup: done", "4 files\nof 12", ""}}, nil, "4 alerts while paused", "backup: done ×3 (last: 4 files of 12)\ndoor: ring"},
		"resolved":                              {[]held{{"disk: full", "a", "k"}, {"door: ring", "", ""}, {"disk: full", "b", "k"}}, []string{"k"}, "1 alert while paused", "door: ring"},
		"one of two resolved":                   {[]held{{"disk: full", "a", "k"}, {"disk: full", "b", "l"}}, []string{"l"}, "1 alert while paused", "disk: full (a)"},
		"all resolved":                          {[]held{{"disk: full", "a", "k"}}, []string{"k"}, "", ""},
		"no tag":                                {[]held{{"disk: full", "a", ""}}, []string{""}, "1 alert while paused", "disk: full (a)"},
		"many":                                  {many(20, 10), nil, "20 alerts while paused", "s9: e ×2 (last: 19)\ns8: e ×2 (last: 18)\ns7: e ×2 (last: 17)\ns6: e ×2 (last: 16)\ns5: e ×2 (last: 15)\ns4: e ×2 (last: 14)\ns3: e ×2 (last: 13)\ns2: e ×2 (last: 12)\nand 4 others"},
		"very many":                             {many(5_000, 2), nil, "5,000 alerts while paused", "s1: e ×2500 (last: 4999)\ns0: e ×2500 (last: 4998)"},
		"too many to tell apart, some resolved": {append(many(3_000, 3_000), many(1, 1)...), []string{"k2999"}, "3,000 alerts while paused", "s0: e ×2 (last: 0)\nand 2,998 others"},
	} {
		var h hold
		for _, n := range tc.held {
			h.keep(n, whilePaused)
		}
		for _, key := range tc.back {
			h.takeBack(key)
		}
		if len(h.last) > maxHeld || len(h.names) > maxNames+1 {
			t.Errorf("%s: %d are kept, of %d", name, len(h.last), len(h.names))
		}
		n, _ := h.resume()
		if n.Title != tc.title || n.Body != tc.body {
			t.Errorf("%s: %q, %q; want %q, %q", name, n.Title, n.Body, tc.title, tc.body)
		}
	}
}

func TestHoldEnds(t *testing.T) {
	var h hold
	if n, ok := h.resume(); ok {
		t.Errorf("resumed with nothing held: %+v", n)
	}
	h.pause(at(60))
	if h.expired(at(59)) || !h.expired(at(60)) {
		t.Error("the pause's end")
	}
	h.resume()
	if h.paused || h.expired(at(100)) {
		t.Error("still paused")
	}
}

// What an earlier agent held back is not shown before the file has said when it is quiet.
func TestHeldBackUntilTheFileIsRead(t *testing.T) {
	c, err := config.Parse("config.yaml", []byte(`{quiet_hours: {times: ["00:00-23:59"]}, subscriptions: [{sender: a}]}`))
	if err != nil {
		t.Fatal(err)
	}
	earlier := newPipeline()
	earlier.quiet.follow(c.Quiet)
	earlier.use(c.Subscriptions)
	for i := range c.Subscriptions {
		earlier.judge(passed(start, event("a", "e", "1"), &c.Subscriptions[i]))
	}
	if earlier.quiet.pause.count != 1 {
		t.Fatal("nothing is held back")
	}
	later := newPipeline()
	pause, muted := earlier.quiet.state()
	later.quiet.restore(start, pause, muted)
	told := later.due(start)
	if next := later.next(); len(told) > 0 || !next.IsZero() {
		t.Errorf("before the file is read: %+v, next at %s", told, next)
	}
	later.quiet.follow(c.Quiet)
	later.use(c.Subscriptions)
	if told := later.due(at(60)); len(told) > 0 {
		t.Errorf("in quiet hours: %+v", told)
	}
	later.quiet.follow(config.Quiet{})
	if told := later.due(at(120)); len(told) != 1 {
		t.Errorf("afterwards: %+v", told)
	}
}
