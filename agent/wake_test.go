package agent_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/sig/sigtest"
)

// A process that was stopped finds its graces over at once. The server, which is
// another one now, and a sender get new ones.
func TestStoppedProcessInventsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := func() {}
		b := newBenchOn(t, `subscriptions: [{sender: timer, presence: true}]`, (*sigtest.Network).Client, func(o *agent.Options) {
			o.Configured = func(*config.Config) { stop() } // holds up the loop
		})
		b.add("timer", "tick")
		time.Sleep(3 * time.Second)
		b.expect("timer connected")

		b.stop()
		time.Sleep(5 * time.Second)
		stop = func() {
			time.Sleep(90 * time.Second)
			b.up()
		}
		if _, err := b.ReloadNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop = func() {}
		b.Reconnect()
		b.add("timer", "tick")
		time.Sleep(time.Minute)
		b.expect("Events may be lost: the router restarted How many is unknown.")

		if err := b.server.RemoveSender(b.server.Sender("timer")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		stop = func() {
			time.Sleep(90 * time.Second)
			b.add("timer", "tick")
		}
		if _, err := b.ReloadNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		b.expect("")
	})
}

// What came while the process was stopped is looked at before anything is said to be
// missing.
func TestStoppedProcessMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := func() {}
		b := newBenchOn(t, `subscriptions: [{sender: timer, title: T, body: B, expect_every: 1m}]`, (*sigtest.Network).Client, func(o *agent.Options) {
			o.Configured = func(*config.Config) { stop() } // holds up the loop
		})
		timer := b.add("timer", "tick")
		b.fire(timer, "tick", 1)
		b.expect("T B")
		stop = func() {
			time.Sleep(90 * time.Second)
			b.fire(timer, "tick", 2)
		}
		if _, err := b.ReloadNow(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop = func() {}
		time.Sleep(10 * time.Second)
		b.expect("T B")
		time.Sleep(2 * time.Minute)
		if got := b.screen.take(); !strings.HasPrefix(got, "Nothing from timer since") {
			t.Errorf("then: %s", got)
		}
	})
}

// The clock and the desktop may both notice a wake: it is logged once.
func TestWakeIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, timerTick)
		time.Sleep(time.Second)
		for range 2 {
			b.Woke()
			time.Sleep(5 * time.Second)
			b.Woke()
			time.Sleep(time.Hour)
		}
		if n := b.log.count("woke from suspend"); n != 2 {
			t.Errorf("logged %d times", n)
		}
		b.expect("")
	})
}
