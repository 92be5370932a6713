package agent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sigalert/agent/config"
)

// What is to be remembered is gathered in the loop, at most once a second: here a thousand
// alerts that wait, with as much data as may wait, and as many that are shown again; and
// 256 that nobody has read.
func BenchmarkState(b *testing.B) {
	c, err := config.Parse("c.yaml", []byte("subscriptions:\n- {sender: a, event: b, for: 1h}\n- {sender: c, repeat: 1h, tag: \"{{ data.n }}\"}"))
	if err != nil {
		b.Fatal(err)
	}
	a := New(Options{Notifier: nil})
	a.ctx, a.config = b.Context(), c
	a.pipeline.use(c.Subscriptions)
	a.pipeline.waits.use(c.Subscriptions)
	data := strings.Repeat("[1, \"<a>\"], ", 640)
	for i := range maxWaiting {
		p := newPassage(start, event("a", "b", fmt.Sprintf(`{"n": %d, "all": [%s 0]}`, i, data)))
		p.sub = &c.Subscriptions[0]
		if v := a.pipeline.waits.judge(p); v.decision != Held {
			b.Fatal(v)
		}
		p.sub = &c.Subscriptions[1]
		p.alert.Title, p.alert.Body, p.alert.Key = "A title", strings.Repeat("a body ", 200), fmt.Sprint(i)
		a.pipeline.repeats.begin(p)
		if i < maxAlerts {
			p.add(verdict{stage: "deliver", decision: Sent})
			a.recents.put(p, c.Subscriptions)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if s := a.state(start.Add(time.Second)); len(s.Waiting) != maxWaiting || len(s.Repeating) != maxRepeating {
			b.Fatal(len(s.Waiting), len(s.Repeating))
		}
	}
}
