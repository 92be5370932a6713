package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/agent/notify"
)

// alerts returns the alerts that were lines of the log.
func (l *logged) alerts() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var texts []string
	for line := range strings.Lines(l.text.String()) {
		if _, text, ok := strings.Cut(line, "msg=alert text="); ok {
			texts = append(texts, strings.Trim(text, "\"\n"))
		}
	}
	return strings.Join(texts, "; ")
}

// What is still to be shown when the agent ends becomes lines of the log.
func TestEndTellsWhatIsPending(t *testing.T) {
	for name, tc := range map[string]struct {
		yaml  string
		do    func(b *bench)
		lines string
	}{
		"a flood": {timerTick, func(b *bench) {
			timer := b.add("timer", "tick")
			for i := range 20 {
				_ = timer.Trigger("tick", i)
			}
		}, "15 more events from timer | Last: timer: tick"},
		"a pause": {timerTick, func(b *bench) {
			timer := b.add("timer", "tick")
			b.Pause(0)
			b.fire(timer, "tick", 1)
			b.fire(timer, "tick", 2)
		}, "2 alerts while paused | timer: tick ×2 (last: 2)"},
		"a pause amid a flood": {timerTick, func(b *bench) {
			timer := b.add("timer", "tick")
			for i := range 20 {
				_ = timer.Trigger("tick", i)
			}
			time.Sleep(pace)
			b.Pause(0)
			b.fire(timer, "tick", 1)
		}, "2 alerts while paused | 15 more events from timer timer: tick (1)"},
		"a pause without alerts": {timerTick, func(b *bench) { b.Pause(0) }, ""},
		"who came": {`subscriptions: [{presence: true, sender: timer}]`, func(b *bench) {
			b.add("timer", "tick")
		}, "timer connected"},
		"who went within the grace": {`subscriptions: [{presence: true, sender: timer}]`, func(b *bench) {
			timer := b.add("timer", "tick")
			time.Sleep(5 * time.Second)
			_ = b.server.RemoveSender(timer)
		}, ""},
		"a hung desktop": {timerTick, func(b *bench) {
			timer := b.add("timer", "tick")
			b.screen.set(true, nil)
			for i := range 3 {
				_ = timer.Trigger("tick", i)
			}
		}, "timer: tick | 0; timer: tick | 1; timer: tick | 2"},
		"a server lost within the grace": {timerTick, func(b *bench) { b.stop() }, ""},
		"nothing":                        {timerTick, func(*bench) {}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, tc.yaml)
				tc.do(b)
				time.Sleep(pace)
				before := time.Now()
				b.end()
				if took := time.Since(before); took > time.Second {
					t.Errorf("the end took %v", took)
				}
				if got := b.log.alerts(); got != tc.lines {
					t.Errorf("lines: %q, want %q", got, tc.lines)
				}
			})
		})
	}
}

// Our own end does not count as a loss of the server.
func TestEndIsNoTroubleOfTheLink(t *testing.T) {
	for range 20 { // the end meets the loop anywhere
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, timerTick)
			before := b.log.count("no connection") // the agent may have begun before the server
			b.end()
			if b.log.count("no connection") > before {
				t.Error("the log reports it")
			}
		})
	}
}

// An event alerts or comes too late, also if it meets the end.
func TestEndLosesNothingThatCame(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, `subscriptions: [{sender: fire, urgency: critical}]`)
			fire := b.add("fire", "alarm")
			b.screen.set(true, nil)
			for i := range 40 {
				if err := fire.Trigger("alarm", i); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			want := make([]string, b.Status().Counters.Received)
			for i := range want {
				want[i] = fmt.Sprintf("fire: alarm | %d", i)
			}
			b.SendTest()
			b.Tell(notify.Notification{Title: "the end"})
			b.end()
			want = append(want, "sigalert works | This is a test alert.", "the end")
			if got := b.log.alerts(); got != strings.Join(want, "; ") {
				t.Errorf("lines: %q, want %q", got, want)
			}
		})
	}
}
