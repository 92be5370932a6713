//go:build linux

package e2e

import (
	"fmt"
	"image"
	"path/filepath"
	"strings"
	"testing"
)

// notifier is a notification server of one of the desktops.
type notifier struct {
	name    string // of its package
	program string // a pattern for its path
	class   string // of its windows
}

var notifiers = []notifier{
	{"dunst", "/usr/bin/dunst", "Dunst"},
	{"xfce4-notifyd", "/usr/lib/*/xfce4/notifyd/xfce4-notifyd", "Xfce4-notifyd"},
	{"mate-notification-daemon", "/usr/lib/mate-notification-daemon/mate-notification-daemon", "Mate-notification-daemon"},
	{"notification-daemon", "/usr/lib/notification-daemon/notification-daemon", "Notification-daemon"},
	{"lxqt-notificationd", "/usr/bin/lxqt-notificationd", "lxqt-notificationd"},
}

// start starts the server, and waits until it is there.
func (n notifier) start(t testing.TB, d *desktop) *process {
	t.Helper()
	found, _ := filepath.Glob(n.program)
	if len(found) == 0 {
		leaveOut(t, "needs "+n.name)
	}
	argv := []string{found[0]}
	if n.name == "dunst" {
		argv = append(argv, "-conf", filepath.Join(d.dir, "config/dunst/dunstrc"))
	}
	p := start(t, append(d.env, "QT_QPA_PLATFORM=xcb"), argv...)
	d.awaitName(t, "org.freedesktop.Notifications")
	return p
}

// Every notification server shows an alert with its icon, markup in it as it is, in the
// place of the one with the same tag, and takes it back; and the next one after it has
// been started again.
func TestNotificationServers(t *testing.T) {
	for _, n := range notifiers {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			d := newBareDesktop(t)
			server := n.start(t, d)
			bin := program(t)
			router := d.serve(t, bin)
			a := d.startAgent(t, bin, fmt.Sprintf("server: %s\nsubscriptions: [{sender: disk, tag: disk, timeout: never}]\n", router.addr))
			a.await(t, "msg=subscribed")

			show := func(body string, urgency string) {
				t.Helper()
				router.send(t, "disk", "full", fmt.Sprintf(`{"title": "Disk <b>1</b> & 2", "message": %q, "urgency": %q}`, body, urgency))
				got := d.mon.next(t)
				if got.title != "Disk <b>1</b> & 2" || !strings.Contains(got.body, "&lt;i&gt;") && got.body != body {
					t.Errorf("%v", got)
				}
			}
			show("<i>90 %</i> & more", "normal")
			d.window(t, n.class, 0)
			show("<i>95 %</i> & more", "critical")
			at := d.window(t, n.class, 0) // one window: it has taken the other's place
			d.picture(t, "notifications-"+n.name+".png", image.Rect(at.X-260, at.Y-160, at.X+260, at.Y+40).Intersect(image.Rect(0, 0, 1024, 600)))
			router.send(t, "disk", "full", `{"resolved": true}`)
			d.gone(t, n.class)

			server.end()
			eventually(t, "the server is off the bus", func() bool { return !d.hasName("org.freedesktop.Notifications") })
			n.start(t, d)
			show("<i>99 %</i> & more", "low")
			d.window(t, n.class, 0)
		})
	}
}
