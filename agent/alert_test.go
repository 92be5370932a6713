package agent_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/outcome"
	"sigalert/sig/sigtest"
)

// fates is what became of alerts.
type fates struct {
	mu  sync.Mutex // guards the field below
	all []agent.Alert
}

func (f *fates) add(a agent.Alert) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, a)
}

// take returns what came since the last take.
func (f *fates) take() []agent.Alert {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.all
	f.all = nil
	return all
}

func newAlertedBench(t *testing.T, yaml string) (*bench, *fates) {
	t.Helper()
	f := new(fates)
	b := newBenchOn(t, yaml, (*sigtest.Network).Client, func(o *agent.Options) { o.Alerted = f.add })
	return b, f
}

// expect compares with a line for each alert: "shown timer: tick 1", and in
// brackets why.
func (f *fates) expect(t *testing.T, want ...string) {
	t.Helper()
	time.Sleep(pace)
	var got []string
	for _, a := range f.take() {
		line := fmt.Sprintf("%s %s: %s %v", a.Outcome, a.Event.Sender, a.Event.Event, a.Event.Data.Value())
		if a.Why != "" {
			line += " (" + a.Why + ")"
		}
		got = append(got, line)
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("became of them:\n%s\nwant:\n%s", g, w)
	}
}

func TestAlertedShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := newAlertedBench(t, timerTick)
		timer, other := b.add("timer", "tick", "tock"), b.add("other", "tick")
		b.fire(timer, "tick", 1) // two subscriptions match
		b.fire(timer, "tock", "text")
		b.fire(other, "tick", 3) // none does
		f.expect(t, "shown timer: tick 1", "shown timer: tock text")
	})
}

// Of what no event caused, the history has what happened to the server and the senders.
func TestAlertedIsOfEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := newAlertedBench(t, `subscriptions: [{sender: timer, presence: true}]`)
		b.add("timer", "tick")
		b.SendTest()
		b.Tell(notify.Notification{Title: "told"})
		time.Sleep(5 * time.Second)
		b.stop()
		time.Sleep(time.Minute)
		b.expect("sigalert works This is a test alert.; told; timer connected; " +
			"Lost the server cannot reach memory: the server is down\nTrying again until it answers.")
		f.expect(t, "shown sigalert: presence map[title:timer connected]",
			"shown sigalert: link map[message:cannot reach memory: the server is down\nTrying again until it answers. title:Lost the server]")
		b.Pause(0)
		b.up()
		time.Sleep(3 * time.Minute)
		b.expect("")
		all := f.take()
		var got []string
		for _, a := range all {
			got = append(got, fmt.Sprintf("%s: %s %s %s", a.Event.Sender, a.Event.Event, a.Outcome, a.Why))
		}
		if want := "sigalert: link held back paused, sigalert: gap held back paused, sigalert: presence held back paused"; strings.Join(got, ", ") != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

func TestAlertedHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := newAlertedBench(t, `{subscriptions: [{sender: timer}, {sender: fire, urgency: critical}]}`)
		timer, fire := b.add("timer", "tick"), b.add("fire", "alarm")
		b.Pause(0)
		b.fire(timer, "tick", 1)
		b.fire(fire, "alarm", 2)
		f.expect(t, "held back timer: tick 1 (paused)", "shown fire: alarm 2")
		b.Resume()
		b.expect("fire: alarm 2; 1 alert while paused timer: tick (1)")
		f.expect(t)

		var want []string
		for i := range 7 {
			if err := timer.Trigger("tick", i); err != nil {
				t.Fatal(err)
			}
			line := fmt.Sprint("shown timer: tick ", i)
			if i >= 5 {
				line = fmt.Sprintf("held back timer: tick %d (more than 5 alerts in 2 s, merged into one)", i)
			}
			want = append(want, line)
			synctest.Wait()
		}
		b.fire(fire, "alarm", 8)
		f.expect(t, append(want, "shown fire: alarm 8")...)
		time.Sleep(5 * time.Second)
		f.expect(t) // the count is of no event
	})
}

func TestAlertedFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := newAlertedBench(t, `subscriptions: [{sender: fire, urgency: critical}]`)
		fire := b.add("fire", "alarm")
		b.screen.set(false, errors.New("no\nserver"))
		b.fire(fire, "alarm", 1)
		f.expect(t, "not shown fire: alarm 1 (no server; it went to the log)")

		b.screen.set(true, nil)
		b.fire(fire, "alarm", 2)
		f.expect(t) // not known yet
		for i := range 66 {
			if err := fire.Trigger("alarm", 3+i); err != nil {
				t.Fatal(err)
			}
		}
		f.expect(t,
			"not shown fire: alarm 3 (64 newer ones were waiting for the desktop; it went to the log)",
			"not shown fire: alarm 4 (64 newer ones were waiting for the desktop; it went to the log)")
		time.Sleep(5 * time.Second)
		f.expect(t, "not shown fire: alarm 2 (the notification server did not answer within 5s; it went to the log)")

		b.end() // one is under way, the others wait
		all := f.take()
		for i, a := range all {
			if got := fmt.Sprint(a.Outcome, a.Event.Data.Value(), a.Why); got != fmt.Sprint("not shown", 5+i, "the agent ended; it went to the log") {
				t.Errorf("at the end: %s", got)
			}
		}
		if len(all) != 64 {
			t.Errorf("at the end: %d, want 64", len(all))
		}
	})
}

// Each event is reported once, whatever happens.
func TestAlertedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := newAlertedBench(t, `{subscriptions: [{sender: timer}, {event: tick}, {sender: fire, urgency: critical}]}`)
		timer, fire := b.add("timer", "tick"), b.add("fire", "alarm")
		for i := range 300 {
			switch i % 100 {
			case 10:
				b.Pause(0)
			case 20:
				b.Resume()
				b.screen.set(true, nil)
			case 50:
				b.screen.set(false, errors.New("no server"))
			case 70:
				b.screen.set(false, nil)
			}
			b.fire(timer, "tick", i)
			b.fire(fire, "alarm", i)
		}
		b.screen.set(true, nil)
		b.fire(fire, "alarm", 300)
		b.end()
		seen, outcomes := make(map[string]bool), make(map[outcome.Outcome]int)
		for _, a := range f.take() {
			key := fmt.Sprintf("%s %v", a.Event.Sender, a.Event.Data.Value())
			if seen[key] {
				t.Errorf("%s: twice", key)
			}
			seen[key] = true
			outcomes[a.Outcome]++
		}
		if len(seen) != 601+1 || !seen["sigalert map[message:Counted in one notification. Last: timer: tick title:timer: 265 alerts from 00:00 to 00:01]"] || outcomes[outcome.Shown] == 0 || outcomes[outcome.Held] == 0 || outcomes[outcome.Failed] == 0 {
			t.Errorf("%d events, %v", len(seen), outcomes)
		}
	})
}

// While the desktop hangs, the data that wait with the alerts are bounded.
func TestAlertedIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := newAlertedBench(t, `subscriptions: [{sender: fire, urgency: critical}]`)
		fire := b.add("fire", "alarm")
		b.screen.set(true, nil)
		b.fire(fire, "alarm", "under way")
		large := strings.Repeat("x", 1<<20-len(`""`))
		for range 10 {
			b.fire(fire, "alarm", large)
		}
		b.fire(fire, "alarm", "small") // the queue is full to the byte
		b.screen.set(false, nil)
		time.Sleep(10 * time.Second)
		b.fire(fire, "alarm", large)
		var got []string
		for _, a := range f.take() {
			data := fmt.Sprintf("%.9v", a.Event.Data.Value())
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", a.Outcome, data, a.Why)))
		}
		const whole, without = "shown xxxxxxxxx", "shown <nil> its data was too large to keep"
		want := append([]string{"not shown under way the notification server did not answer within 5s; it went to the log"},
			slices.Concat(slices.Repeat([]string{whole}, 8), slices.Repeat([]string{without}, 3), []string{whole})...)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards the line below
		var got []*config.Config
		b := newBenchOn(t, timerTick, (*sigtest.Network).Client, func(o *agent.Options) {
			o.Configured = func(c *config.Config) {
				mu.Lock()
				defer mu.Unlock()
				got = append(got, c)
			}
		})
		c, err := config.Parse("config.yaml", []byte(timerTick))
		if err != nil {
			t.Fatal(err)
		}
		b.Apply(c)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if len(got) != 2 || len(got[0].Subscriptions) != 3 || got[1] != c {
			t.Errorf("configured with %v, want the first and %v", got, c)
		}
	})
}
