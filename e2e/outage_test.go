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

// The click reconnects at once, while a retry may be half a minute away.
func TestReconnectNow(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d, s, a, tray := watching(t, bin)
		tray.await(t, "Reconnect now", disabled)

		s.kill()
		d.mon.next(t).says(t, "Lost the server")
		// Long enough, from now on, for the click to come before the agent tries
		// by itself.
		a.pass()
		a.await(t, `retry_in=([5-9]|[12]\d)\.\d+s`)
		s = d.serveAt(t, bin, s.addr)
		d.choose(t, tray, "Reconnect now")
		tray.is(t, s.connected(1))
		d.mon.next(t).says(t, "Back after")
	})
}
