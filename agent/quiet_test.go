package agent

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/notify"
)

func TestQuiet(t *testing.T) {
	subs := subscribed(t, "- {sender: a}\n- {sender: b}\n")
	never := time.Time{}
	for name, tc := range map[string]struct {
		do   func(q *quiet)
		want verdict
	}{
		"nothing":             {func(*quiet) {}, verdict{stage: "quiet"}},
		"a pause":             {func(q *quiet) { q.pause.pause(never) }, verdict{stage: "quiet", decision: Held, reason: "paused"}},
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
		p.hold.keep(notify.Notification{Title: "b: e"})
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

func TestHoldTakesBack(t *testing.T) {
	h := hold{paused: true}
	for i := range 3 * maxHeld {
		h.keep(notify.Notification{Title: []string{"a", "b"}[i%2], Key: []string{"a", "b"}[i%2]})
	}
	if len(h.last) != maxHeld || h.count != 3*maxHeld {
		t.Errorf("%d kept, %d counted", len(h.last), h.count)
	}
	h.takeBack("b")
	n, _ := h.resume()
	if want := "640 alerts while paused"; n.Title != want || n.Body != "635 earlier, then:\na\na\na\na\na" {
		t.Errorf("%+v, want %q", n, want)
	}
}
