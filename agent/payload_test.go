package agent_test

import (
	"testing"
	"testing/synctest"

	"sigalert/agent"
)

type object = map[string]any

// An alert that is resolved is closed, even during a pause, and counts as none.
func TestResolvedIsNotShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, f := newAlertedBench(t, timerTick)
		timer := b.add("timer", "tick")
		b.fire(timer, "tick", object{"message": "full", "tag": "disk"})
		b.expect("timer: tick full")
		b.Pause(0)
		b.fire(timer, "tick", object{"message": "fine", "tag": "disk", "resolved": true})
		b.expect(`closes tag "timer" disk`)
		b.Resume()
		b.expect("")
		b.fire(timer, "tick", object{"message": "no tag", "resolved": true})
		b.fire(timer, "tick", object{"message": "open", "tag": "disk", "resolved": false})
		b.expect("timer: tick no tag; timer: tick open")
		f.expect(t,
			"shown timer: tick map[message:full tag:disk]",
			"held back timer: tick map[message:fine resolved:true tag:disk] (resolved: what its tag showed is closed)",
			"shown timer: tick map[message:no tag resolved:true]",
			"shown timer: tick map[message:open resolved:false tag:disk]",
		)
		want := agent.Counters{Received: 4, Shown: 3}
		if got := b.Status().Counters; got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	})
}

// A flood holds back neither what says that it is critical nor what is resolved, but
// it does hold back whatever the file calls less.
func TestFloodAndPayload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, `{subscriptions: [{sender: timer}, {sender: log, urgency: normal}]}`)
		timer, log := b.add("timer", "tick"), b.add("log", "line")
		for range 6 {
			b.fire(timer, "tick", 1)
		}
		b.screen.take()
		b.fire(log, "line", object{"message": "x", "urgency": "critical"})
		b.fire(timer, "tick", object{"message": "y", "urgency": "critical", "tag": "t"})
		b.fire(timer, "tick", object{"message": "z", "tag": "t", "resolved": true})
		b.expect(`timer: tick y; closes tag "timer" t`)
	})
}

// What resolves nothing that is shown asks nothing of the desktop, however much of it
// comes.
func TestNothingToResolve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, timerTick)
		timer := b.add("timer", "tick")
		for range 3 {
			b.fire(timer, "tick", object{"tag": "never", "resolved": true})
		}
		if st := b.Status(); st.Unread != 0 || len(b.Recent(10, false)) != 0 || len(b.Recent(10, true)) != 3 {
			t.Errorf("%d unread of %v", st.Unread, b.Recent(10, false))
		}
		b.Pause(0)
		b.fire(timer, "tick", object{"tag": "disk"})
		if n := b.Status().Held; n != 1 {
			t.Errorf("%d held back, want 1", n)
		}
		b.fire(timer, "tick", object{"tag": "disk", "resolved": true})
		if n := b.Status().Held; n != 0 {
			t.Errorf("%d held back after it was resolved, want 0", n)
		}
		b.Resume()
		b.expect("")
	})
}
