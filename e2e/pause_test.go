//go:build linux

package e2e

import "testing"

func TestPause(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d, s, _, tray := watching(t, bin)

		d.alerts(t, s, "timer", "tick")

		menu := d.openMenu(t)
		d.click(t, d.itemAt(t, tray, menu, "Pause alerts"))
		tray.await(t, "Pause alerts", checked)
		s.send(t, "timer", "tick", "held one")
		s.send(t, "timer", "tick", "held two")
		tray.is(t, "Paused, 2 held back")

		d.choose(t, tray, "Pause alerts")
		tray.await(t, "Pause alerts", unchecked)
		d.mon.next(t).says(t, "2 alerts")
		s.send(t, "timer", "tick", "let through")
		d.mon.next(t).is(t, "timer: tick", "let through")
	})
}
