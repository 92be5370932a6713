//go:build linux

package e2e

import (
	"fmt"
	"os"
	"testing"
)

// With no display and no bus the alerts are lines in the log.
func TestWithoutDesktop(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		h := newHome(t)
		s := h.serve(t, bin)
		a := h.startAgent(t, bin, timer(s))
		a.await(t, subscribedLine)
		a.logsAlerts(t, s)
		// Where dbus-launch is installed, D-Bus libraries start a bus of their own.
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", a.pid()))
		if err != nil || len(children) > 0 {
			t.Errorf("processes started by the agent: %q, %v", children, err)
		}
		if code := a.terminate(t); code != 0 {
			t.Errorf("ends with %d after SIGTERM", code)
		}
	})
}

// A notification server and a panel that start after the agent are found.
func TestDesktopComesLater(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d := newBareDesktop(t)
		s := d.serve(t, bin)
		a := d.startAgent(t, bin, timer(s))
		a.await(t, subscribedLine)
		a.logsAlerts(t, s)

		d.startNotifications(t)
		s.send(t, "timer", "tick", "in time")
		d.mon.next(t).is(t, "timer: tick", "in time")
		d.shown(t, 1)

		panel := d.startPanel(t)
		tray := d.tray(t, a.process)
		tray.is(t, s.connected(1))
		d.endPanel(t, panel)
		d.startPanel(t)
		tray = d.tray(t, a.process)
		d.choose(t, tray, "Pause alerts")
		tray.await(t, "Pause alerts", checked)
	})
}

// subscribedLine is the line of the log that says that the server has the agent's subscriptions.
const subscribedLine = `msg=subscribed server=`
