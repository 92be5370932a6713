package agent

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/notify"
)

// reread is a state as it comes back from a file.
func reread[T any](t *testing.T, state T) (back T) {
	t.Helper()
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// What does not fit among the alerts that wait is shown at once, and counted.
func TestWaitsAreBounded(t *testing.T) {
	subs := subscribed(t, "- {sender: a, for: 1h}\n")
	for name, tc := range map[string]struct {
		data string
		fit  int
	}{
		"many":  {`1`, maxWaiting},
		"large": {`"` + strings.Repeat("x", 1<<20-2) + `"`, 8},
	} {
		pl := newPipeline()
		pl.use(subs)
		for i := range tc.fit + 2 {
			p := passed(at(float64(i)), event("a", "e", tc.data), &subs[0])
			pl.judge(p)
			if v := p.decided(); (v.decision == Held) != (i < tc.fit) {
				t.Fatalf("%s: %d: %+v", name, i, v)
			}
		}
		if pl.waits.early != 2 || len(pl.waits.list) != tc.fit {
			t.Errorf("%s: %d early, %d wait", name, pl.waits.early, len(pl.waits.list))
		}
		for i := range tc.fit {
			if p := pl.ripe(at(3600+float64(i)), false); p == nil || pl.ripe(at(3600+float64(i)), false) != nil {
				t.Fatalf("%s: %d is not ripe in its turn", name, i)
			}
		}
		if pl.waits.size != 0 || !pl.waits.next().IsZero() {
			t.Errorf("%s: %d bytes are left", name, pl.waits.size)
		}
	}
}

// What waits waits on after a reload and after a restart, if its subscription stays.
func TestWaitsOverRestart(t *testing.T) {
	file := "- {sender: a, for: 1m, tag: '{{ data.tag }}'}\n- {sender: b, for: 10m}\n- {sender: c, for: 10m}\n"
	subs := subscribed(t, file)
	pl := newPipeline()
	pl.use(subs)
	for i, sender := range []string{"a", "b", "c"} {
		ev := event(subs[i].Sender, "e", `{"tag": "t", "from": "`+sender+`"}`)
		ev.Seq, ev.Time = uint64(i+1), start
		p := passed(start, ev, &subs[i])
		pl.judge(p)
		p.waiting.number = i + 7
	}
	edited := subscribed(t, "- {sender: x}\n"+strings.Replace(file, "- {sender: c, for: 10m}\n", "", 1))
	gone := pl.waits.use(edited)
	if len(gone) != 1 || gone[0].number != 9 || gone[0].v.reason != whyGone {
		t.Errorf("gone: %+v", gone)
	}
	pl.waits.list[1].ev.Time = start.AddDate(9000, 0, 0) // of a server whose clock is wrong
	if kept := reread(t, pl.waits.state()); !kept[1].Time.IsZero() {
		t.Errorf("kept: %+v", kept[1])
	}
	pl.waits.list[1].ev.Time = start
	state := reread(t, pl.waits.state())
	for away, want := range map[time.Duration][]time.Time{
		30 * time.Second: {at(60), at(600)},
		5 * time.Minute:  {at(305), at(600)},
	} {
		later := newPipeline()
		later.use(edited)
		if gone := later.waits.restore(state, edited, start.Add(away)); len(gone) > 0 {
			t.Errorf("gone: %+v", gone)
		}
		var due []time.Time
		var lines []string
		for next := later.waits.next(); !next.IsZero(); next = later.waits.next() {
			p := later.ripe(next, false)
			due = append(due, next)
			lines = append(lines, fmt.Sprintf("%d %d %s", p.number, p.ev.Seq, p.alert.Line()))
		}
		if diff := cmp.Diff(want, due); diff != "" {
			t.Errorf("away for %s: %s", away, diff)
		}
		if diff := cmp.Diff([]string{"7 1 a: e | tag: t from: a at 12:00", "8 2 b: e | tag: t from: b at 12:00"}, lines); diff != "" && away > time.Minute {
			t.Errorf("away for %s: %s", away, diff)
		}
	}
	later := newPipeline()
	later.use(edited)
	later.waits.restore(state, edited, at(10))
	p := passed(at(11), event("a", "e", `{"tag": "t", "resolved": true}`), &edited[1])
	if later.judge(p); len(p.ends) != 1 || p.ends[0].number != 7 || p.ends[0].v.reason != "resolved within 1 m" {
		t.Errorf("after a restart it is not resolved: %+v, %+v", p.decided(), p.ends)
	}
	if gone := later.waits.use(nil); len(gone) != 1 || gone[0].number != 8 {
		t.Errorf("gone: %+v", gone)
	}
}

// A replayed event has waited already; what resolves it may be replayed, too.
func TestReplayedWaits(t *testing.T) {
	subs := subscribed(t, "- {sender: a, for: 10m}\n")
	for ago, want := range map[time.Duration]time.Time{
		0: at(600), 5 * time.Minute: at(300), 10 * time.Minute: at(5), time.Hour: at(5), -time.Hour: at(600),
	} {
		ev := event("a", "e", "")
		ev.Time, ev.Replayed = start.Add(-ago), true
		pl := newPipeline()
		if pl.judge(passed(start, ev, &subs[0])); pl.waits.next() != want {
			t.Errorf("%s ago: %s, want %s", ago, pl.waits.next(), want)
		}
	}
}

// What waits under a tag does not take the place of a newer alert with it.
func TestNewerTakesThePlaceOfWhatWaits(t *testing.T) {
	subs := subscribed(t, "- {sender: a, event: warn, tag: t, for: 1m}\n- {sender: a, event: alarm, tag: t}\n")
	pl := newPipeline()
	pl.use(subs)
	pl.judge(passed(start, event("a", "warn", "1"), &subs[0]))
	p := passed(at(30), event("a", "alarm", "2"), &subs[1])
	pl.judge(p)
	if p.decided().decision != Sent || len(p.ends) != 1 || p.ends[0].v.reason != "a newer one took its place" {
		t.Errorf("%+v, %+v", p.decided(), p.ends)
	}
	if old := pl.ripe(at(60), false); old != nil {
		t.Errorf("the older one is shown after it: %+v", old.decided())
	}
}

// A clock that was set back while the agent was off has nothing wait for longer.
func TestClockSetBackOverRestart(t *testing.T) {
	subs := subscribed(t, "- {sender: a, urgency: critical, for: 1m, repeat: 1m, escalate: {after: 1m, command: [x]}}\n")
	pl := newPipeline()
	p := passed(start, event("a", "e", "1"), &subs[0])
	pl.judge(p)
	p.alert.Urgency = notify.Critical
	pl.repeats.begin(p)
	pl.escalations.begin(p)
	pl.inhibits.used = true
	pl.inhibits.show(start, "t", "k")
	later := newPipeline()
	now := at(-7200)
	later.waits.restore(reread(t, pl.waits.state()), subs, now)
	later.repeats.restore(reread(t, pl.repeats.state()), subs, now)
	later.escalations.restore(reread(t, pl.escalations.state()), subs, now)
	later.inhibits.restore(reread(t, pl.inhibits.state()), now)
	for name, next := range map[string]time.Time{"for": later.waits.next(), "repeat": later.repeats.next(), "escalate": later.escalations.next()} {
		if !next.Equal(at(-7140)) {
			t.Errorf("%s: until %s", name, next)
		}
	}
	if next := later.inhibits.next(); !next.Equal(now.Add(inhibitsFor)) {
		t.Errorf("unless: until %s", next)
	}
}
