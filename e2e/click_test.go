//go:build linux

package e2e

import (
	"image"
	"os"
	"testing"
)

// What an event says about itself is shown, and a click opens its address, by each
// kind of server. All subscribe to the sender and set nothing.
func TestEventSaysHowItIsShown(t *testing.T) {
	for name, desk := range map[string]struct {
		start  func(*desktop, testing.TB) *process
		class  string // of its windows
		button string // of the mouse
		above  int    // how far above the window's lower edge to click
	}{
		"dunst":         {(*desktop).startNotifications, "Dunst", "2", 10},                // the middle button, by its default settings
		"xfce4-notifyd": {(*desktop).startXfceNotifications, "[Xx]fce4-notifyd", "1", 30}, // shows a button of its own
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newBareDesktop(t)
			bin := program(t)
			file := d.fakeEditor(t)
			opened := func() string { text, _ := os.ReadFile(file); return string(text) }
			desk.start(d, t)
			s := d.serve(t, bin)
			a := d.startAgent(t, bin, "server: tcp://"+s.addr+"\nhistory: false\nsubscriptions:\n  - {sender: backup}\n")
			a.await(t, subscribedLine)

			s.send(t, "backup", "done", `{"title": "Backup runs", "message": "12 %", "priority": 1, "tag": "backup"}`)
			first := d.mon.next(t)
			first.is(t, "Backup runs", "12 %")
			s.send(t, "backup", "done", `{"title": "Backup failed", "message": "Disk <sdb> is full.", "priority": "max", "tag": "backup", "url": "https://backup.example/log?a=1&b=2", "icon": "drive-harddisk"}`)
			second := d.mon.next(t)
			second.is(t, "Backup failed", "Disk &lt;sdb&gt; is full.")
			if first.urgency != 0 || second.urgency != 2 || second.icon != "drive-harddisk" {
				t.Errorf("%v, then %v with the icon %q", first, second, second.icon)
			}
			if second.replaces != first.id || second.id != first.id {
				t.Errorf("%v does not replace %v", second, first)
			}

			d.clickWith(t, desk.button, d.window(t, desk.class, desk.above))
			eventually(t, "the address is opened", func() bool { return opened() == "https://backup.example/log?a=1&b=2\n" })
			d.gone(t, desk.class)

			// The tag has nothing to replace now, and what nobody may open is only text.
			s.send(t, "backup", "done", `{"title": "Backup is done", "tag": "backup", "url": "file:///etc/passwd"}`)
			third := d.mon.next(t)
			third.is(t, "Backup is done", "url: file:///etc/passwd")
			if third.replaces != 0 {
				t.Errorf("%v replaces what is closed", third)
			}
			d.clickWith(t, desk.button, d.window(t, desk.class, desk.above))
			d.gone(t, desk.class)
			if got := opened(); got != "https://backup.example/log?a=1&b=2\n" {
				t.Errorf("opened %q", got)
			}

			s.send(t, "backup", "done", `{"message": "The disk is full.", "tag": "disk"}`)
			d.mon.next(t).is(t, "backup: done", "The disk is full.")
			d.window(t, desk.class, desk.above)
			s.send(t, "backup", "done", `{"tag": "disk", "resolved": true}`)
			d.gone(t, desk.class)
		})
	}
}

// startXfceNotifications starts XFCE's notification server in the place of dunst.
func (d *desktop) startXfceNotifications(t testing.TB) *process {
	t.Helper()
	p := start(t, d.env, installed(t, "/usr/lib/*/xfce4/notifyd/xfce4-notifyd"))
	d.parts = append(d.parts, p)
	d.awaitName(t, "org.freedesktop.Notifications")
	return p
}

// window waits until a program shows a window, which may grow at first, and returns a
// point in the middle of it, this far above its lower edge.
func (d *desktop) window(t testing.TB, class string, above int) image.Point {
	t.Helper()
	var where image.Rectangle
	rests := 0
	eventually(t, class+" shows a window, which rests", func() bool {
		all := d.windows(class)
		if len(all) != 1 || all[0] != where {
			rests = 0
		}
		if len(all) == 1 {
			where = all[0]
			rests++
		}
		return rests > 10
	})
	return image.Pt((where.Min.X+where.Max.X)/2, where.Max.Y-above)
}

// gone waits until a program shows no window.
func (d *desktop) gone(t testing.TB, class string) {
	t.Helper()
	eventually(t, class+" shows nothing", func() bool { return len(d.windows(class)) == 0 })
}
