//go:build linux

package e2e

import (
	"testing"

	"github.com/godbus/dbus/v5"
)

// A notification server that hangs stops nothing else.
func TestHungNotificationServer(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d := newBareDesktop(t)
		d.startPanel(t)
		d.hangNotifications(t)
		s := d.serve(t, bin)
		a := d.startAgent(t, bin, timer(s))
		tray := d.tray(t, a.process)
		tray.is(t, s.connected(1))

		s.send(t, "timer", "tick", "one")
		s.send(t, "timer", "tick", "two")
		d.choose(t, tray, "Pause alerts")
		tray.await(t, "Pause alerts", checked)
		d.choose(t, tray, "Pause alerts")
		tray.await(t, "Pause alerts", unchecked)
		a.await(t, `timer: tick \| one`) // no alert is lost in silence
		d.choose(t, tray, "Quit")
		if code := a.wait(t); code != 0 {
			t.Errorf("Quit ends it with %d", code)
		}
	})
}

// hangNotifications takes the name of the notification server and answers nothing.
func (d *desktop) hangNotifications(t testing.TB) {
	t.Helper()
	conn, err := dbus.Connect(d.address)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.RequestName("org.freedesktop.Notifications", dbus.NameFlagDoNotQueue)
	// What is eavesdropped is not answered, and nobody reads this channel.
	messages := make(chan *dbus.Message)
	conn.Eavesdrop(messages)
	t.Cleanup(func() { stopEavesdropping(conn, messages) })
	check(t, err)
}
