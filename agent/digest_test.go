package agent_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/agent"
	"sigalert/agent/notify"
	"sigalert/sig"
)

// A click on what counts alerts leads to the last of them, and says that it was held back.
func TestClickOnADigest(t *testing.T) {
	several := func(b *bench, timer *sig.Sender) {
		for i := range 3 {
			b.fire(timer, "tick", i)
		}
	}
	for name, tc := range map[string]struct {
		keys  string
		do    func(b *bench, timer *sig.Sender)
		title string
		last  string // the data of the alert
	}{
		"a pause": {"", func(b *bench, timer *sig.Sender) {
			b.Pause(0)
			several(b, timer)
			b.Resume()
		}, "3 alerts while paused", "2"},
		"a pause over a restart": {"", func(b *bench, timer *sig.Sender) {
			b.Pause(time.Hour)
			several(b, timer)
			b.end()
			b.start()
			b.fire(timer, "tick", 3)
			b.Resume()
		}, "4 alerts while paused", "3"},
		"a subscription's pause": {"", func(b *bench, timer *sig.Sender) {
			b.Mute(1, time.Time{})
			several(b, timer)
			b.Unmute(1)
		}, "3 alerts while paused: every event of timer", "2"},
		"an absence": {"", func(b *bench, timer *sig.Sender) {
			b.end()
			several(b, timer)
			time.Sleep(10 * time.Second)
			b.start()
			time.Sleep(5 * time.Second)
		}, "While you were away, 10 s", "2"},
		"another alert": {`, unless: "down"`, func(b *bench, timer *sig.Sender) {
			router := b.add("router", "down")
			b.fire(router, "down", map[string]any{"tag": "down"})
			several(b, timer)
			b.fire(router, "down", map[string]any{"tag": "down", "resolved": true})
		}, `3 alerts while "down" was shown`, "2"},
		"a rate": {", rate_limit: 1/1h", func(b *bench, timer *sig.Sender) {
			several(b, timer)
			time.Sleep(2 * time.Second)
		}, "2 more events from timer", "2"},
		"a storm": {"", func(b *bench, timer *sig.Sender) {
			several(b, timer)
			several(b, timer)
			time.Sleep(2 * time.Second)
		}, "1 more event from timer", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clicked := make(chan string, 1)
				b, _ := remembering(t, "{history: {}, subscriptions: [{sender: timer"+tc.keys+"}, {sender: router}]}", func(o *agent.Options) {
					o.OpenAlert = func(ev sig.Event, held bool) { clicked <- fmt.Sprintf("%v %v", ev.Data.Value(), held) }
				})
				timer := b.add("timer", "tick")
				time.Sleep(pace)
				tc.do(b, timer)
				time.Sleep(pace)
				n := b.last()
				if n.Title != tc.title || !n.Click {
					t.Errorf("%+v", n)
				}
				b.answer(n, notify.Clicked)
				if got, want := <-clicked, tc.last+" true"; got != want {
					t.Errorf("%s was opened, want %s", got, want)
				}
			})
		})
	}
}
