//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"testing"
)

// notifier is a notification server of one of the desktops.
type notifier struct {
	name    string // of its package
	program string // a pattern for its path
	button  string // of the mouse, for a click on a notification; "": its action has a button
	answer  string // what such a click is, in words
	alike   bool   // a critical alert looks like any other
	wayland bool   // it runs there only
}

var notifiers = []notifier{
	{name: "dunst", program: "/usr/bin/dunst", button: "2", answer: "a middle click: it shows no buttons"},
	{name: "xfce4-notifyd", alike: true, program: "/usr/lib/*/xfce4/notifyd/xfce4-notifyd", answer: "a button"},
	{name: "mate-notification-daemon", program: "/usr/lib/mate-notification-daemon/mate-notification-daemon", answer: "a button"},
	{name: "notification-daemon", alike: true, program: "/usr/lib/notification-daemon/notification-daemon", answer: "a button"},
	{name: "lxqt-notificationd", alike: true, program: "/usr/bin/lxqt-notificationd", answer: "a button"},
	{name: "mako", program: "/usr/bin/mako", button: "1", answer: "a click: it shows no buttons", alike: true, wayland: true},
}

func (n notifier) title() string { return n.name }

// start starts the server, and waits until it is there.
func (n notifier) start(t testing.TB, d *desktop) *process {
	t.Helper()
	argv := []string{installed(t, n.program)}
	if n.name == "dunst" {
		argv = append(argv, "-conf", filepath.Join(d.dir, "config/dunst/dunstrc"))
	}
	p := start(t, append(d.env, "QT_QPA_PLATFORM=xcb"), argv...)
	d.awaitName(t, "org.freedesktop.Notifications")
	return p
}

var notifierColumns = row{"notification server", "text as it is", "icon", "critical stands out", "replaced by its tag", "closed when resolved", "answered by", "after its restart"}

// try has the server show an alert with markup in its text, replaces that, answers one, has
// one taken back, and starts the server again.
func (n notifier) try(t *testing.T) row {
	bin, d := program(t), newPlainDesktop(t, n.wayland)
	file := d.fakeEditor(t)
	router := d.serve(t, bin)
	action := `actions: [{label: Details, open: "https://disk.example/"}]`
	if n.name == "mako" { // shows actions to its own command only
		action = `url: "https://disk.example/"`
	}
	a := d.startAgent(t, bin, fmt.Sprintf("server: %s\nsubscriptions: [{sender: disk, tag: disk, timeout: never, %s}]\n", router.addr, action))
	a.await(t, "msg=subscribed")
	server := n.start(t, d) // some end when they have nothing to show for half a minute
	screen := image.Rect(0, 0, 1024, 600)
	send := func(body, urgency string) sight {
		t.Helper()
		router.send(t, "disk", "full", fmt.Sprintf(`{"title": "Disk <b>one</b> & two", "message": "<u>%s</u> full & slow", "urgency": %q}`, body, urgency))
		d.mon.next(t)
		d.find(t, screen, "<u>"+body+"</u> full & slow")
		return d.lookAtRest(t, screen)
	}

	first := send("half", "normal")
	d.find(t, screen, "Disk <b>one</b> & two")
	if blue := count(first, first.things(), color.RGBA{0x2f, 0x80, 0xed, 255}); blue < 50 {
		t.Errorf("the icon is not there: %d blue points", blue)
	}
	normal := send("nearly", "normal")
	if _, read, still := normal.find(t, "<u>half</u> full & slow"); still {
		t.Errorf("what is replaced is still there: %s", read)
	}
	send("half", "normal") // what comes after it cannot be taken for what was there before it
	if again := send("nearly", "normal"); !bytes.Equal(again.Pix, normal.Pix) {
		t.Error("two that are alike look different")
	}
	send("half", "normal")
	critical := send("nearly", "critical")
	look := "yes"
	if alike := bytes.Equal(critical.Pix, normal.Pix); alike != n.alike {
		t.Errorf("a critical alert looks like any other: %v", alike)
	} else if alike {
		look = "no: it looks like any other"
	}
	at := critical.things()
	d.picture(t, "desktop-"+n.name+".png", at.Inset(-16).Intersect(screen))

	n.click(t, d, at)
	eventually(t, "the address is opened", func() bool {
		text, _ := os.ReadFile(file)
		return string(text) == "https://disk.example/\n"
	})
	router.send(t, "disk", "full", `{"resolved": true}`)
	d.blank(t, screen)

	send("completely", "critical")
	router.send(t, "disk", "full", `{"resolved": true}`)
	d.blank(t, screen)

	send("again", "normal")
	server.end()
	eventually(t, "the server is off the bus", func() bool { return !d.hasName("org.freedesktop.Notifications") })
	n.start(t, d)
	send("still", "low")
	return row{"yes", "yes", look, "yes", "yes", n.answer, "yes"}
}

// click presses the button of a notification that is there, or clicks on it.
func (n notifier) click(t testing.TB, d *desktop, at image.Rectangle) {
	t.Helper()
	if n.button == "" {
		d.click(t, middle(d.find(t, at, "Details")))
	} else {
		d.clickWith(t, n.button, middle(at))
	}
}
