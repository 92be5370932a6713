//go:build linux

package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// TestOneServerOfTwoIsDead has two servers, of which one is dead, then takes connections
// and never answers, and then is there. The other's alerts come at once all the time, and
// what the one that is back has remembered of the agent's absence comes, too.
func TestOneServerOfTwoIsDead(t *testing.T) {
	h, bin := newHome(t), program(t)
	home, dead := h.serve(t, bin), free(t)
	config := fmt.Sprintf("servers: {home: %q, work: %q}\nsubscriptions:\n  - {sender: timer, event: tick, urgency: critical}\n  - {sender: timer, event: tock}\n", home.addr, dead)
	a := h.startAgent(t, bin, config)
	a.await(t, `msg=subscribed server=home`)
	n := 0
	atOnce := func(while string) {
		t.Helper()
		var took []time.Duration
		for range 5 {
			n++
			began := time.Now()
			home.send(t, "timer", "tick", fmt.Sprint("number ", n))
			a.await(t, fmt.Sprintf(`timer: tick \| number %d"`, n))
			took = append(took, time.Since(began))
		}
		for _, d := range took {
			if d > 3*time.Second { // with the start of a program, on a busy machine
				t.Errorf("while work is %s, alerts take %v", while, took)
				break
			}
		}
	}
	status := func(want ...string) {
		t.Helper()
		got := h.ask(t, bin, 0, "status")
		for _, line := range want {
			if !strings.Contains(got, line) {
				t.Errorf("status:\n%s\nwant %q", got, line)
			}
		}
	}
	atOnce("dead")
	status("Connected to home at "+home.addr, "No connection to work at "+dead, "connection refused", "line 3: timer: tick: in force")

	hangs, err := net.Listen("tcp", dead)
	check(t, err)
	a.await(t, `msg="no connection, trying again" server=work err=".*answer`)
	atOnce("silent")
	status("Connected to home at "+home.addr, "No connection to work at "+dead)
	check(t, hangs.Close())

	work := h.serveAt(t, bin, dead)
	h.ask(t, bin, 0, "reconnect")
	a.await(t, `msg=subscribed server=work`)
	atOnce("there")
	status("Connected to home at "+home.addr, "Connected to work at "+work.addr)
	work.send(t, "timer", "tick", "from work")
	a.await(t, `timer: tick \| from work`)

	// It goes on where it was: an agent that is back has what happened meanwhile.
	time.Sleep(1500 * time.Millisecond) // the memory is written
	a.terminate(t)
	work.send(t, "timer", "tock", "meanwhile")
	a = h.startAgent(t, bin, config)
	a.await(t, `work: while you were away, .*timer tock ×1`)
	atOnce("there")
}
