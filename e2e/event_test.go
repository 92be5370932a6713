//go:build linux

package e2e

import (
	"image"
	"os"
	"strings"
	"testing"
)

func TestEventIsShown(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d, s, _, _ := watching(t, bin)

		d.alerts(t, s, "timer", "tick")
		d.closeNotifications(t)

		s.send(t, "timer", "tick", `{"build": 12, "branch": "main", "result": "failed"}`)
		d.mon.next(t).is(t, "timer: tick", "build: 12\nbranch: main\nresult: failed")
		d.shown(t, 1)

		// With the two before, as many as are not yet a flood.
		for _, c := range []struct{ data, body string }{
			{"plain text", "plain text"},
			{`["<b>5 & 6</b>", 7]`, `["&lt;b&gt;5 &amp; 6&lt;/b&gt;",7]`},
			{"null", ""},
		} {
			s.send(t, "timer", "tick", c.data)
			d.mon.next(t).is(t, "timer: tick", c.body)
		}
		d.shown(t, 4)
	})
}

// What a first run and the commands of README.md bring to the screen. The
// documentation has its pictures from here: they are large, so as to be sharp on
// every screen.
func TestExampleIsShown(t *testing.T) {
	t.Parallel()
	example, err := os.ReadFile("../config.example.yaml")
	check(t, err)
	d := newBareDesktopOf(t, newHome(t), "2400x900")
	d.write(t, "config/dunst/dunstrc", dunstConfig+largeNotifications)
	d.startNotifications(t)
	d.env = append(d.env, "GDK_SCALE=2")
	d.startPanel(t)
	address := "127.0.0.1:0"
	if os.Getenv("SIGALERT_PICTURES") != "" {
		address = "127.0.0.1:3000" // as people see it
	}
	s := d.serveAt(t, program(t), address)
	s.stays(t, "doorbell", "ring", "front door")
	a := d.startAgent(t, s.bin, strings.Replace(string(example), "127.0.0.1:3000", s.addr, 1))
	tray := d.tray(t, a.process)
	tray.is(t, s.connected(5))
	s.send(t, "me", "hello", "null")
	d.mon.next(t).is(t, "me: hello", "")
	d.closeNotifications(t)

	s.send(t, "builds", "failed", `{"number": 4200, "project": "lighthouse", "log": "2 of 812 tests failed: TestLogin, TestLogout"}`)
	failed := d.mon.next(t)
	failed.says(t, "Build 4200 failed", "lighthouse at ", ": 2 of 812 tests failed: TestLogin, TestLogout")
	if failed.urgency != 2 {
		t.Errorf("a failed build is not critical: %v", failed)
	}
	s.send(t, "backup", "done", "18,342 files, 7.3 GB in 1 m 52 s")
	d.mon.next(t).is(t, "backup: done", "18,342 files, 7.3 GB in 1 m 52 s")
	d.picture(t, "notification.png", d.shown(t, 2).Inset(-24))

	d.closeNotifications(t)
	s.send(t, "me", "hello", `"dinner is ready"`)
	d.mon.next(t).is(t, "me: hello", "dinner is ready")
	line := s.connected(5) + "s" // and only what is new: all of the senders have been there
	tray.await(t, line+", ", func(it menuItem) bool {
		return strings.HasSuffix(it.label, " new alert") || strings.HasSuffix(it.label, " new alerts")
	})
	recent := tray.await(t, "Recent alerts (", func(it menuItem) bool { return len(it.items) > 4 }).label
	menu := d.openMenu(t)
	title := d.itemAt(t, tray, menu, recent)
	d.click(t, title)
	submenu, _ := d.submenu(t, tray, menu, recent, title)
	d.picture(t, "tray-menu.png", image.Rect(0, 0, submenu.Max.X+24, menu.Max.Y+24))
}

const largeNotifications = `[global]
    scale = 2
    width = 400
    font = DejaVu Sans 21
    separator_height = 1
    show_indicators = no
`
