package agent_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/agent"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// What comes without a new event, and all at once, is within the limits of all alerts.
func TestUnaskedIsNoFlood(t *testing.T) {
	var expected, parents strings.Builder
	for i := range 50 {
		fmt.Fprintf(&expected, "{sender: job%d, expect_every: 1h},", i)
		fmt.Fprintf(&parents, "{sender: router%d, tag: down%[1]d}, {sender: host%[1]d, unless: down%[1]d},", i)
	}
	for name, tc := range map[string]struct {
		yaml string
		do   func(b *bench) // until it is about to be due
		wait time.Duration  // until it is
		want string         // of each
		of   int
	}{
		"shown again": {`{sender: a, tag: "{{ data }}", title: "{{ data }}", body: B, repeat: {every: 4h, at_most: 1}}`, func(b *bench) {
			a := b.add("a", "e")
			for i := range 50 { // within the limits
				b.fire(a, "e", fmt.Sprint("r", i))
				time.Sleep(4 * time.Second)
			}
			b.end()
			b.screen.take()
			time.Sleep(5 * time.Hour)
			b.start()
		}, time.Minute, "r", 50},
		"missing": {expected.String(), func(b *bench) { time.Sleep(59 * time.Minute) }, 2 * time.Minute, "Nothing from job", 50},
		"what others held back": {parents.String(), func(b *bench) {
			b.PauseUntil(time.Now().Add(time.Hour))
			senders := make(map[string]*sig.Sender)
			add := func(name string) { senders[name] = b.add(sig.Name(name), "e") }
			for i := range 50 {
				add(fmt.Sprint("router", i))
				add(fmt.Sprint("host", i))
				b.fire(senders[fmt.Sprint("router", i)], "e", 1)
				b.fire(senders[fmt.Sprint("host", i)], "e", 1)
			}
			time.Sleep(2 * time.Hour)
			b.screen.take()
			go func() {
				for i := range 50 {
					b.fire(senders[fmt.Sprint("router", i)], "e", map[string]any{"resolved": true})
				}
			}()
		}, 2 * time.Minute, "1 alert while", 50},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b, _ := remembering(t, "subscriptions: ["+tc.yaml+"]")
				tc.do(b)
				single, merged := 0, 0
				var bubbles []time.Time
				for begin := time.Now(); time.Since(begin) < tc.wait; time.Sleep(500 * time.Millisecond) {
					b.screen.mu.Lock()
					for _, n := range b.screen.shown {
						var more int
						switch _, err := fmt.Sscanf(n.Title, "%d more notifications", &more); {
						case n.Resolved:
							continue
						case err == nil:
							merged += more
							if !strings.Contains(n.Body, "\n"+tc.want) {
								t.Errorf("merged: %s", n.Line())
							}
						case strings.HasPrefix(n.Title, tc.want):
							single++
						default:
							continue
						}
						bubbles = append(bubbles, time.Now())
					}
					b.screen.shown = nil
					b.screen.mu.Unlock()
				}
				if single == 0 || merged == 0 || single+merged != tc.of {
					t.Errorf("%d by themselves, and %d merged, not %d in all", single, merged, tc.of)
				}
				for i, at := range bubbles {
					if i >= 5 && at.Sub(bubbles[i-5]) < 2*time.Second || i >= 20 && at.Sub(bubbles[i-20]) < time.Minute {
						t.Errorf("too many: %d bubbles", len(bubbles))
						break
					}
				}
			})
		})
	}
}

// What did not come is in the history, whatever became of the word about it.
func TestMissingIsInTheHistory(t *testing.T) {
	for name, tc := range map[string]struct {
		do   func(b *bench)
		want []string
	}{
		"shown":  {func(*bench) {}, []string{"shown "}},
		"paused": {func(b *bench) { b.Pause(0) }, []string{"held back paused"}},
		"muted":  {func(b *bench) { b.Mute(1, time.Time{}) }, []string{"held back its subscription is muted"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var got []string
				b := newBenchOn(t, `subscriptions: [{sender: job, expect_every: 1h}]`, (*sigtest.Network).Client, func(o *agent.Options) {
					o.Alerted = func(a agent.Alert) {
						mu.Lock()
						defer mu.Unlock()
						if a.Event.Sender == "sigalert" && a.Event.Event == "missing" {
							got = append(got, fmt.Sprintf("%s %s", a.Outcome, a.Why))
						}
					}
				})
				tc.do(b)
				time.Sleep(2 * time.Hour)
				mu.Lock()
				defer mu.Unlock()
				if fmt.Sprint(got) != fmt.Sprint(tc.want) {
					t.Errorf("%q, want %q", got, tc.want)
				}
			})
		})
	}
}

// Alerts that go on and on, within the limits, leave room for the rest.
func TestUnaskedDoesNotStarve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `subscriptions: [{sender: timer}, {sender: job, expect_every: 10m}]`)
		timer := b.add("timer", "tick")
		for range 12 * 15 {
			b.fire(timer, "tick", 1)
			time.Sleep(4 * time.Second)
		}
		if got := b.screen.take(); strings.Count(got, "Nothing from job for") != 1 || strings.Count(got, "timer: tick") < 170 {
			t.Errorf("%d ticks, and %d words about the job", strings.Count(got, "timer: tick"), strings.Count(got, "Nothing from job for"))
		}
	})
}
