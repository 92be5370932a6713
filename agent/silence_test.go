package agent_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/sig/sigtest"
)

// The agent itself, from its file to its status: a flight from Berlin to Denver.
func TestQuietHours(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no zones: ", err)
	}
	denver, err := time.LoadLocation("America/Denver")
	if err != nil {
		t.Skip("no zones: ", err)
	}
	synctest.Test(t, func(t *testing.T) { // which begins at 1:00 in Berlin
		b := newBench(t, `{quiet_hours: {times: "22:00-07:00"}, subscriptions: [{sender: timer}, {sender: fire, urgency: critical}]}`)
		var here atomic.Pointer[time.Location]
		here.Store(berlin)
		b.In(here.Load)
		timer, fire := b.add("timer", "tick"), b.add("fire", "alarm")
		status := func(want string) {
			t.Helper()
			time.Sleep(time.Minute)
			if got := b.Status().Line(); got != want {
				t.Errorf("status: %q, want %q", got, want)
			}
		}
		const connected = "Connected to 127.0.0.1:3000, 2 subscriptions"
		status("Quiet until 07:00. " + connected)
		b.fire(timer, "tick", "a")
		b.fire(timer, "tick", "b")
		b.fire(fire, "alarm", "c")
		b.expect("fire: alarm c")
		status("Quiet until 07:00, 2 held back. " + connected)
		if x := b.Recent(3, false); x[2].Verdicts[1].Reason != "quiet hours until 07:00" || x[0].Verdicts[1].Reason != "quiet hours, but it is critical" {
			t.Errorf("explained: %+v", x)
		}
		here.Store(denver) // 17:00
		status(connected)
		b.expect("2 alerts during quiet hours timer: tick ×2 (last: b)")
		time.Sleep(5 * time.Hour)
		status("Quiet until 07:00. " + connected)
		b.fire(timer, "tick", "d")
		time.Sleep(9 * time.Hour)
		b.expect("1 alert during quiet hours timer: tick (d)")
	})
}

// The desktop is followed while the file says so.
func TestDoNotDisturb(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asks, followed := make(chan string), atomic.Int32{}
		b := newBenchOn(t, `{do_not_disturb: hold, subscriptions: [{sender: timer}]}`, (*sigtest.Network).Client, func(o *agent.Options) {
			o.Silence = func(ctx context.Context, changed func(why string)) {
				followed.Add(1)
				defer followed.Add(-1)
				for {
					select {
					case why := <-asks:
						changed(why)
					case <-ctx.Done():
						return
					}
				}
			}
		})
		timer := b.add("timer", "tick")
		b.fire(timer, "tick", 1)
		b.expect("timer: tick 1")
		asks <- "the screen is locked"
		synctest.Wait()
		b.fire(timer, "tick", 2)
		b.expect("")
		if got := b.Status().Line(); got != "Quiet: the screen is locked, 1 held back. Connected to 127.0.0.1:3000, 1 subscription" {
			t.Errorf("status: %s", got)
		}
		asks <- ""
		b.expect("1 alert while the screen is locked timer: tick (2)")

		asks <- "do not disturb is on"
		synctest.Wait()
		b.fire(timer, "tick", 3)
		c, err := config.Parse("config.yaml", []byte(`{subscriptions: [{sender: timer}]}`))
		if err != nil {
			t.Fatal(err)
		}
		b.Apply(c)
		b.expect("1 alert while do not disturb is on timer: tick (3)")
		if n := followed.Load(); n != 0 {
			t.Errorf("%d still follow the desktop", n)
		}
		b.fire(timer, "tick", 4)
		b.expect("timer: tick 4")
	})
}

// What an earlier agent held back stays held back while it is still quiet: the desktop has
// time to say that it asks for silence.
func TestRestartWhileQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := remembering(t, `{do_not_disturb: hold, subscriptions: [{sender: timer}]}`, func(o *agent.Options) {
			o.Silence = func(ctx context.Context, changed func(why string)) {
				time.Sleep(500 * time.Millisecond)
				changed("the screen is locked")
				time.Sleep(time.Hour)
				changed("")
				<-ctx.Done()
			}
		})
		timer := b.add("timer", "tick")
		b.fire(timer, "tick", 1)
		b.end()
		b.start()
		time.Sleep(30 * time.Minute)
		b.expect("")
		time.Sleep(time.Hour)
		b.expect("1 alert while the screen is locked timer: tick (1)")
	})
}
