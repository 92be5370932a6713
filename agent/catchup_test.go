package agent_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/sig"
)

// What happened during an absence is one digest for each subscription, with critical
// alerts beside it, unless they are too old.
func TestWhileAway(t *testing.T) {
	const both = "subscriptions:\n- {sender: backup}\n- {sender: door}\n"
	for name, tc := range map[string]struct {
		yaml string
		away time.Duration
		want []string // in any order, each once, and nothing else
	}{
		"a moment":      {both, 10 * time.Second, []string{"While you were away, 10 s backup done ×3, last at 00:00", "While you were away, 10 s door ring ×1, last at 00:00", "door: fire urgency: critical"}},
		"8 hours":       {both, 8 * time.Hour, []string{"While you were away, 8 h backup done ×3, last at 00:00", "While you were away, 8 h door ring ×1, last at 00:00", "door: fire urgency: critical\nat 00:00"}},
		"too long":      {both + "catch_up: {max_age: 7h}", 8 * time.Hour, []string{"While you were away, 8 h backup done ×3, last at 00:00", "While you were away, 8 h door ring ×1, door fire ×1, last at 00:00"}},
		"not asked for": {both + "catch_up: false", 8 * time.Hour, nil},
	} {
		for _, how := range []string{"restart", "suspend"} {
			t.Run(name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b, _ := remembering(t, tc.yaml)
					backup, door := b.add("backup", "done"), b.add("door", "ring", "fire")
					time.Sleep(time.Second)
					if how == "restart" {
						b.end()
					} else {
						b.network.Freeze(true)
					}
					for i := range 3 {
						b.fire(backup, "done", i)
					}
					b.fire(door, "ring", 0)
					b.fire(door, "fire", map[string]any{"urgency": "critical"})
					time.Sleep(tc.away - 700*time.Millisecond)
					b.screen.take() // that the server is lost
					if how == "restart" {
						b.start()
					} else {
						b.network.Freeze(false)
						b.network.Cut()
						b.Reconnect()
					}
					time.Sleep(4 * time.Second)
					got := b.screen.take()
					want := tc.want
					if name == "a moment" && how == "suspend" { // of which nobody knows
						want = []string{"backup: done 0", "backup: done 1", "backup: done 2", "door: ring 0", "door: fire urgency: critical"}
					}
					for _, want := range want {
						if strings.Count(got, want) != 1 {
							t.Errorf("shown: %q, want %q", got, want)
						}
						got = strings.Replace(got, want, "", 1)
					}
					if got = strings.Trim(got, "; "); got != "" && !strings.HasPrefix(got, "Back after") {
						t.Errorf("also shown: %q", got)
					}
					b.fire(door, "ring", "now")
					b.expect("door: ring now")
				})
			})
		}
	}
}

// An alert that was taken back during the absence is not told.
func TestResolvedWhileAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := remembering(t, `subscriptions: [{sender: door}]`)
		door := b.add("door", "open", "shut")
		time.Sleep(time.Second)
		b.end()
		b.fire(door, "open", map[string]any{"tag": "door"})
		b.fire(door, "shut", map[string]any{"tag": "door", "resolved": true})
		time.Sleep(time.Hour)
		b.start()
		time.Sleep(time.Minute)
		b.expect("")
	})
}

// Of very many subscriptions there are a few digests, whose counts add up.
func TestManyDigests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		yaml := "subscriptions:\n"
		for i := range 40 {
			yaml += fmt.Sprintf("- {sender: s%d}\n", i)
		}
		b, _ := remembering(t, yaml)
		time.Sleep(time.Second)
		b.end()
		for i := range 40 {
			s := b.add(sig.Name(fmt.Sprintf("s%d", i)), "e")
			for range 40 - i {
				if err := s.Trigger("e", nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		time.Sleep(time.Hour)
		b.start()
		time.Sleep(10 * time.Second)
		got := strings.Split(b.screen.take(), "; ")
		if len(got) != 5 || !strings.Contains(got[0], "s0 e ×40") || !strings.Contains(got[4], "s4 e ×36, s5 e ×35, s6 e ×34, s7 e ×33, s8 e ×32, 496 more") {
			t.Errorf("shown: %q", got)
		}
	})
}

// An agent that is killed before it has told its digest tells it after the next start,
// with the rest.
func TestKilledBeforeTheDigest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, path := remembering(t, `subscriptions: [{sender: backup}]`)
		backup := b.add("backup", "done")
		time.Sleep(time.Second)
		b.end()
		b.fire(backup, "done", 1)
		b.fire(backup, "done", 2)
		time.Sleep(time.Hour)
		b.start()
		time.Sleep(time.Second)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b.expect("")
		b.end()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		b.fire(backup, "done", 3)
		b.start()
		time.Sleep(time.Minute)
		b.expect("While you were away, 1 h backup done ×3, last at 01:00")
		b.end()
		b.start()
		time.Sleep(time.Minute)
		b.expect("")
	})
}

// What cannot be had is said once: how many, or that nobody knows.
func TestGoneIsSaid(t *testing.T) {
	for name, tc := range map[string]struct {
		restart bool
		events  int
		away    time.Duration
		want    string
	}{
		"nothing":                  {false, 2, time.Hour, ""},
		"forgotten":                {false, 5, time.Hour, "3 events lost: the router had forgotten them"},
		"forgotten in a moment":    {false, 5, time.Second, "3 events lost: the router had forgotten them"},
		"a restart":                {true, 1, time.Hour, "Events may be lost: the router restarted How many is unknown."},
		"a restart in a moment":    {true, 1, time.Second, "Events may be lost: the router restarted How many is unknown."},
		"a restart, and forgotten": {true, 5, time.Hour, "At least 4 events lost: the router restarted"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, _ := remembering(t, timerTick)
				b.stop()
				b.memory = 2
				b.up()
				b.Reconnect()
				timer := b.add("timer", "tick")
				time.Sleep(time.Minute)
				b.fire(timer, "tick", 0)
				time.Sleep(time.Second)
				b.screen.take()
				b.end()
				if tc.restart {
					b.stop()
					b.up()
					timer = b.add("timer", "tick")
				}
				for i := range tc.events {
					b.fire(timer, "tick", i)
				}
				time.Sleep(tc.away)
				b.start()
				time.Sleep(5 * time.Second)
				got := b.screen.take()
				if n := strings.Count(got, "lost"); n != strings.Count(tc.want, "lost") || !strings.Contains(got, tc.want) {
					t.Errorf("shown: %q, want %q", got, tc.want)
				}
				b.end()
				b.start()
				time.Sleep(time.Minute)
				b.expect("")
			})
		})
	}
}

// A digest that is dropped, as more alerts than there is room for wait for a desktop that
// hangs, holds nothing up.
func TestDigestIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := remembering(t, "subscriptions: [{sender: a}, {sender: b}, {sender: c}, {sender: d}, {sender: e}]")
		var all []*sig.Sender
		for _, name := range []sig.Name{"a", "b", "c", "d", "e"} {
			all = append(all, b.add(name, "x"))
		}
		time.Sleep(time.Second)
		b.end()
		for _, s := range all {
			b.fire(s, "x", 1)
		}
		time.Sleep(time.Hour)
		b.screen.set(true, nil)
		b.start()
		time.Sleep(5 * time.Second)
		for i := range 1_000 {
			if err := all[0].Trigger("x", map[string]any{"urgency": "critical", "message": i}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		b.screen.set(false, nil)
		time.Sleep(time.Minute)
		if got := b.screen.take(); !strings.Contains(got, "message: 999") {
			t.Errorf("shown: %q", got)
		}
		if b.Status().Counters.Dropped == 0 {
			t.Error("nothing was dropped")
		}
	})
}
