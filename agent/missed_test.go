package agent_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const unknownGap = "alerts may be missing"

func TestForgottenEventsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := newAlertedBench(t, timerTick)
		b.stop()
		b.memory = 2
		b.up()
		b.Reconnect()
		time.Sleep(5 * time.Second)
		if n := b.log.count(unknownGap); n != 1 {
			t.Errorf("a server that restarted is reported %d times", n)
		}
		if got := b.Status().Counters.Dropped; got != 0 {
			t.Errorf("%d dropped, which nobody can know", got)
		}
		timer := b.add("timer", "tick")
		time.Sleep(5 * time.Second)
		b.network.Cut()
		for i := range 5 {
			if err := timer.Trigger("tick", i); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(5 * time.Second)
		b.expect("timer: tick 3; timer: tick 4; 3 events lost: the router had forgotten them")
		f.expect(t, "shown timer: tick 3", "shown timer: tick 4", "shown sigalert: gap map[title:3 events lost: the router had forgotten them]")
		st := b.Status()
		if st.Counters.Dropped != 3 || !strings.HasSuffix(st.Line(), ", 3 dropped") {
			t.Errorf("status: %s, %+v", st.Line(), st.Counters)
		}
		if n := b.log.count(unknownGap); n != 1 {
			t.Errorf("a gap of known size is reported as one of unknown size: %d", n)
		}
	})
}

// A pysig server remembers nothing: each lost connection may have cost events.
func TestGapOfAPysigServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBenchOn(t, timerTick, asPysig)
		for gap := 1; gap <= 2; gap++ {
			b.network.Cut()
			time.Sleep(5 * time.Second)
			if n := b.log.count(unknownGap); n != gap {
				t.Errorf("%d gaps are reported as %d", gap, n)
			}
		}
		if got := b.Status().Counters.Dropped; got != 0 {
			t.Errorf("%d dropped, which nobody can know", got)
		}
	})
}

// What comes after a moment alerts like all, floods included; TestWhileAway is about what
// comes later.
func TestReplayedEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, timerTick)
		timer := b.add("timer", "tick")
		b.network.Freeze(true)
		for i := range 8 {
			if err := timer.Trigger("tick", i); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(20 * time.Second)
		b.screen.take()
		b.network.Freeze(false)
		b.network.Cut()
		b.Reconnect()
		time.Sleep(5 * time.Second)
		got := b.screen.take()
		for _, want := range []string{"timer: tick 0;", "timer: tick 4;", "3 more events from timer"} {
			if !strings.Contains(got, want) {
				t.Errorf("shown: %q, want %q", got, want)
			}
		}
	})
}
