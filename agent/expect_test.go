package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/agent/notify"
)

// week is a simulated week, or two, of an agent that expects something.
type week struct {
	t    *testing.T
	subs []config.Subscription
	e    expects
	zone *time.Location
	now  time.Time
	said []string
}

// until lets time pass, and notes what is said, and when.
func (w *week) until(end time.Time) {
	for {
		next := w.e.next()
		if next.IsZero() || next.After(end) {
			break
		}
		if next.After(w.now) {
			w.now = next
		}
		told := w.e.due(w.now.In(w.zone))
		if len(told) == 0 {
			w.t.Fatalf("%s: nothing is due", w.now)
		}
		for _, m := range told {
			w.said = append(w.said, w.now.In(w.zone).Format("Mon 15:04 ")+m.Title)
		}
	}
	w.now = end
}

// saw takes an event that happened at a time; it is replayed if that is over.
func (w *week) saw(at time.Time, data string) {
	ev := event("backup", "done", data)
	ev.Time, ev.Replayed = at, at.Before(w.now)
	p := passed(w.now.In(w.zone), ev)
	p.matching = everyone(w.subs, "", p.ev)
	for range w.e.saw(p) {
		w.said = append(w.said, w.now.In(w.zone).Format("Mon 15:04 ")+"is over")
	}
}

func (w *week) restart(away time.Duration) {
	kept := reread(w.t, w.e.state(w.now, true))
	w.now = w.now.Add(away)
	w.e = expects{}
	w.e.restore(kept, w.now.In(w.zone))
	w.e.use(w.now, w.subs, down)
	w.e.link(w.now, up)
}

// A job that runs each night, at the same time by the clock on the wall.
func TestExpectsOverAWeek(t *testing.T) {
	const missed = " No done from backup since yesterday 03:10"
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	denver, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Skip(err)
	}
	autumn, spring, summer := time.Date(2026, 10, 22, 0, 0, 0, 0, berlin), time.Date(2026, 3, 26, 0, 0, 0, 0, berlin), time.Date(2026, 7, 1, 0, 0, 0, 0, berlin)
	for name, tc := range map[string]struct {
		begin time.Time
		every string
		skip  string // the days, from 0, on which the job does not run
		// What happens on a day at noon. A server that is away is back when its time is over.
		at   map[int]func(w *week)
		want string
	}{
		"each night":                 {summer, "25h", "", nil, ""},
		"the clocks go back":         {autumn, "25h", "", nil, ""}, // Sunday is day 3, and has 25 hours
		"the clocks go ahead":        {spring, "25h", "", nil, ""}, // Sunday is day 3, and has 23 hours
		"once not":                   {summer, "25h", "3", nil, "Sat 04:10" + missed + "; Sun 03:10 is over"},
		"twice not":                  {summer, "25h", "3 4", nil, "Sat 04:10" + missed + "; Mon 03:10 is over"},
		"twice, apart":               {summer, "25h", "2 5", nil, "Fri 04:10" + missed + "; Sat 03:10 is over; Mon 04:10" + missed + "; Tue 03:10 is over"},
		"not as the clocks go back":  {autumn, "25h", "3", nil, "Sun 04:10" + missed + "; Mon 03:10 is over"},
		"not as the clocks go ahead": {spring, "25h", "3", nil, "Sun 05:10" + missed + "; Mon 03:10 is over"},
		"never":                      {summer, "25h", "0 1 2 3 4 5 6 7", nil, "Thu 01:00 No done from backup for 1 d 1 h"},
		"two days away": {summer, "25h", "4 5 6", map[int]func(*week){3: func(w *week) {
			w.e.link(w.now, down)
			w.until(w.now.Add(48 * time.Hour))
			w.e.link(w.now, up)
		}}, "Tue 04:10 No done from backup since Saturday 03:10; Wed 03:10 is over"},
		"two days away, and both are replayed": {summer, "25h", "4 5", map[int]func(*week){3: func(w *week) {
			w.e.link(w.now, down)
			w.until(w.now.Add(48 * time.Hour))
			w.e.link(w.now, up)
			w.now = w.now.Add(time.Second)
			w.saw(w.now.Add(-33*time.Hour), `{"ok": true}`)
			w.saw(w.now.Add(-9*time.Hour), `{"ok": true}`)
		}}, ""},
		"two days off": {summer, "25h", "4 5 6", map[int]func(*week){3: func(w *week) { w.restart(48 * time.Hour) }},
			"Tue 04:10 No done from backup since Saturday 03:10; Wed 03:10 is over"},
		"restarted each day": {summer, "25h", "3", map[int]func(*week){0: (*week).again, 1: (*week).again, 2: (*week).again, 3: (*week).again, 4: (*week).again},
			"Sat 04:11" + missed + "; Sun 03:10 is over"},
		"restarted after the word": {summer, "25h", "3 4", map[int]func(*week){3: (*week).again}, "Sat 04:10" + missed + "; Mon 03:10 is over"},
		"reloaded":                 {summer, "25h", "3", map[int]func(*week){2: func(w *week) { w.e.use(w.now, w.subs, down) }}, "Sat 04:10" + missed + "; Sun 03:10 is over"},
		"a failure is no success":  {summer, "25h", "3", map[int]func(*week){2: func(w *week) { w.saw(w.now, `{"ok": false}`) }}, "Sat 04:10" + missed + "; Sun 03:10 is over"},
		"a flight":                 {summer, "25h", "3", map[int]func(*week){2: func(w *week) { w.zone = denver }}, "Fri 20:10 No done from backup since yesterday 19:10; Sat 19:10 is over"},
		"a bad link": {summer, "25h", "3", map[int]func(*week){2: func(w *week) {
			for range 16 * 60 { // until Saturday 4:00, half of the time
				w.e.link(w.now, down)
				w.until(w.now.Add(30 * time.Second))
				w.e.link(w.now, up)
				w.until(w.now.Add(30 * time.Second))
			}
		}}, "Sat 12:10" + missed + "; Sun 03:10 is over"},
	} {
		w := &week{t: t, zone: berlin, now: tc.begin}
		w.subs = subscribed(t, "- {sender: backup, event: done, when: data.ok, expect_every: "+tc.every+"}\n")
		w.e.use(w.now, w.subs, down)
		w.e.link(w.now, up)
		for day := range 8 {
			runs := time.Date(tc.begin.Year(), tc.begin.Month(), tc.begin.Day()+day, 3, 10, 0, 0, berlin)
			if runs.After(w.now) {
				w.until(runs)
				if !strings.Contains(tc.skip, fmt.Sprint(day)) {
					w.saw(runs, `{"ok": true}`)
				}
			}
			if noon := runs.Add(8*time.Hour + 50*time.Minute); noon.After(w.now) {
				w.until(noon)
				if do := tc.at[day]; do != nil {
					do(w)
				}
			}
		}
		if diff := cmp.Diff(tc.want, strings.Join(w.said, "; ")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// again is a restart that takes a minute.
func (w *week) again() { w.restart(time.Minute) }

// An event counts for each subscription that it is for, whichever takes it.
func TestExpectsCounts(t *testing.T) {
	subs := subscribed(t, "- {sender: a, when: data == 1}\n- {sender: 'a*', event: e, expect_every: 1m, urgency: critical}\n- {expect_every: 1h}\n")
	var e expects
	e.use(start, subs, down)
	if !e.next().IsZero() || len(e.due(at(9999))) > 0 {
		t.Error("it counts without a connection")
	}
	e.link(start, up)
	p := passed(at(30), event("a", "e", "1"))
	p.matching = everyone(subs, "", p.ev)
	if over := e.saw(p); len(over) > 0 || e.next() != at(90) || len(e.due(at(89))) > 0 {
		t.Errorf("over: %q, next is %s", over, e.next())
	}
	told := e.due(at(90))
	want := notify.Notification{Title: "No e from a* for 1 m", Body: "Expected every 1m.", Urgency: notify.Critical}
	if len(told) == 1 {
		want.Key = told[0].Key
	}
	want.Title = "No e from a* since 12:00"
	if len(told) != 1 || told[0].sub != &subs[1] {
		t.Fatalf("%+v", told)
	}
	if diff := cmp.Diff(want, told[0].Notification); diff != "" {
		t.Error(diff)
	}
	if again := e.due(at(3000)); len(again) > 0 || e.next() != at(3630) {
		t.Errorf("told again: %+v, next is %s", again, e.next())
	}
	p.now = at(3000)
	if over := e.saw(p); len(over) != 1 || over[0] != want.Key {
		t.Errorf("over: %q", over)
	}
	e.use(at(3000), subs[2:], up)
	if told := e.due(at(6600)); len(told) != 1 || told[0].Title != "Nothing since 12:50" {
		t.Errorf("%+v", told)
	}
}

// A server whose clock was ahead, and is right again, has its events count all the same.
func TestExpectsWithAClockSetBack(t *testing.T) {
	subs := subscribed(t, "- {sender: a, expect_every: 1m}\n")
	var e expects
	e.use(start, subs, down)
	e.link(start, up)
	for _, ev := range []struct{ came, clock float64 }{{3600, 0}, {3650, -7200}} {
		p := passed(at(ev.came), event("a", "e", "1"), &subs[0])
		p.ev.Time = at(ev.came + ev.clock)
		e.saw(p)
	}
	if next := e.next(); next != at(3710) {
		t.Errorf("the next is due at %s", next)
	}
}

// While nothing happens, what is remembered hardly changes.
func TestExpectsAreRememberedRarely(t *testing.T) {
	var e expects
	e.use(start, subscribed(t, "- {sender: a, expect_every: 25h}\n- {sender: b, expect_every: 1h}\n"), down)
	e.link(start, up)
	states := make(map[string]bool)
	for s := 0.0; s < 1800; s += 15 {
		states[fmt.Sprint(e.state(at(s), false))] = true
	}
	if len(states) != 30 {
		t.Errorf("%d states within half an hour", len(states))
	}
	for _, x := range e.state(at(1799), true) {
		if x.Counted != 1799*time.Second {
			t.Errorf("at the end: %s", x.Counted)
		}
	}
}

func TestAgo(t *testing.T) {
	now := time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC) // a Wednesday
	for before, want := range map[time.Duration]string{
		time.Hour: "11:00", 12 * time.Hour: "00:00", 13 * time.Hour: "yesterday 23:00", 37 * time.Hour: "Monday 23:00",
		6 * 24 * time.Hour: "Thursday 12:00", 7 * 24 * time.Hour: "2026-07-08 12:00",
	} {
		if got := ago(now, now.Add(-before)); got != want {
			t.Errorf("%s before: %q, want %q", before, got, want)
		}
	}
}

func up(*config.Subscription) bool   { return true }
func down(*config.Subscription) bool { return false }
