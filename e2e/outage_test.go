//go:build linux

package e2e

import (
	"testing"
	"time"
)

func TestShortOutageSaysNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d, s, _, tray := watching(t, bin)

		s.kill()
		tray.await(t, "Reconnect now", enabled)
		s = d.serveAt(t, bin, s.addr)
		tray.await(t, "Reconnect now", disabled)
		tray.is(t, s.connected(1))
		d.alerts(t, s, "timer", "tick")
	})
}

func TestServerLostAndBack(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d, s, _, tray := watching(t, bin)

		killed := time.Now()
		s.kill()
		lost := d.mon.next(t)
		lost.says(t, "Lost the server")
		if after := lost.at.Sub(killed); after < 10*time.Second {
			t.Errorf("said after %v, want 10 s of grace", after)
		}
		tray.await(t, "Reconnect now", enabled)

		s = d.serveAt(t, bin, s.addr)
		back := d.mon.next(t)
		back.says(t, "Back after")
		if back.replaces != lost.id {
			t.Errorf("%v\nwants to replace\n%v", back, lost)
		}
		tray.is(t, s.connected(1))
		d.alerts(t, s, "timer", "tick")
	})
}

// The click reconnects at once, and not only when the next attempt is due.
func TestReconnectNow(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d, s, a, tray := watching(t, bin)
		tray.await(t, "Reconnect now", disabled)

		s.kill()
		d.mon.next(t).says(t, "Lost the server")
		for range 20 { // a wait may be over before the click
			a.pass()
			planned, wait := a.await(t, `retry_in=(1\.[2-9]\d*s)`)
			d.choose(t, tray, "Reconnect now")
			next, _ := a.await(t, "retry_in=")
			retry, err := time.ParseDuration(wait[1])
			if err != nil {
				t.Fatal(err)
			}
			if next.after < planned.after+retry-100*time.Millisecond {
				s = d.serveAt(t, bin, s.addr)
				tray.is(t, s.connected(1))
				d.mon.next(t).says(t, "Back after")
				return
			}
		}
		t.Error("no click had the agent try before it would have tried by itself")
	})
}
