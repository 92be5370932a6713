//go:build linux

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// tool runs a command of the desktop that ends by itself and returns what it prints.
func (d *desktop) tool(argv ...string) (string, error) {
	c := exec.Command(argv[0], argv[1:]...)
	c.Env = d.env
	c.WaitDelay = time.Second
	out, err := c.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%s: %w: %s", argv[0], err, exit.Stderr)
	}
	return string(out), err
}

// windows returns where the visible windows of a program are.
func (d *desktop) windows(class string) []image.Rectangle {
	ids, _ := d.tool("xdotool", "search", "--onlyvisible", "--class", class)
	var all []image.Rectangle
	for _, id := range strings.Fields(ids) {
		out, err := d.tool("xdotool", "getwindowgeometry", "--shell", id)
		var window, x, y, w, h int
		n, _ := fmt.Sscanf(out, "WINDOW=%d\nX=%d\nY=%d\nWIDTH=%d\nHEIGHT=%d", &window, &x, &y, &w, &h)
		if err == nil && n == 5 {
			all = append(all, image.Rect(x, y, x+w, y+h))
		}
	}
	return all
}

// shown waits until dunst displays this many notifications and returns where.
func (d *desktop) shown(t testing.TB, count uint32) image.Rectangle {
	t.Helper()
	dunst := d.bus.Object("org.freedesktop.Notifications", "/org/freedesktop/Notifications")
	var where image.Rectangle
	eventually(t, fmt.Sprintf("dunst shows %d notifications", count), func() bool {
		var n uint32
		err := d.call(dunst, "org.freedesktop.DBus.Properties.Get", "org.dunstproject.cmd0", "displayedLength").Store(&n)
		windows := d.windows("Dunst")
		if err != nil || n != count || len(windows) == 0 {
			return false
		}
		where = windows[0]
		return true
	})
	return where
}

// closeNotifications clears the screen.
func (d *desktop) closeNotifications(t testing.TB) {
	t.Helper()
	dunst := d.bus.Object("org.freedesktop.Notifications", "/org/freedesktop/Notifications")
	if err := d.call(dunst, "org.dunstproject.cmd0.NotificationCloseAll").Err; err != nil {
		t.Fatal(err)
	}
	d.gone(t, "Dunst")
}

// click moves the pointer there, rests as a hand does (a menu that has not yet
// seen the pointer enter ignores the click), and clicks.
func (d *desktop) click(t testing.TB, at image.Point) {
	t.Helper()
	d.clickWith(t, "1", at)
}

// clickWith is click with a button of the mouse: 1 is the left one, 2 the middle one.
func (d *desktop) clickWith(t testing.TB, button string, at image.Point) {
	t.Helper()
	_, err := d.tool("xdotool", "mousemove", fmt.Sprint(at.X), fmt.Sprint(at.Y), "sleep", "0.15", "click", button)
	if err != nil {
		t.Fatalf("xdotool: %v", err)
	}
}

// The panel is at the top left, and the icon is the first thing on it.
var trayIcon = image.Pt(17, 16)

// openMenu clicks the tray icon until the menu is open and returns where it is.
func (d *desktop) openMenu(t testing.TB) image.Rectangle {
	t.Helper()
	for range 5 {
		d.click(t, trayIcon)
		for give := time.After(2 * time.Second); ; {
			if menu, ok := d.menu(); ok {
				return menu
			}
			select {
			case <-time.After(20 * time.Millisecond):
				continue
			case <-give:
			}
			break
		}
	}
	t.Fatal("a click on the tray icon opens no menu")
	return image.Rectangle{}
}

// menu returns where the tray's open menu is. The process of the panel that
// shows the tray has one more window, of the height of the panel. A panel that
// returns at once may get two icons from libayatana-appindicator; the menu of
// the one that is for XEmbed is the program's own window.
func (d *desktop) menu() (image.Rectangle, bool) {
	for _, w := range d.windows("wrapper-2.0|sigalert") {
		if w.Dy() > 100 {
			return w, true
		}
	}
	return image.Rectangle{}, false
}

// The theme's heights: a menu's border at the top, and a separator.
const menuEdge, menuSeparator = 4, 1

// choose opens the tray menu with the mouse and clicks the item with this label. With
// several labels, each but the last is a submenu's title.
func (d *desktop) choose(t testing.TB, m *trayMenu, labels ...string) {
	t.Helper()
	open := d.openMenu(t)
	items, err := m.items()
	check(t, err)
	title := image.Point{}
	for i, label := range labels {
		if i > 0 {
			open, title = d.submenu(t, m, open, labels[i-1], title)
			// The pointer enters it on the line of its title: others would open theirs.
			_, err := d.tool("xdotool", "mousemove", fmt.Sprint(open.Min.X+40), fmt.Sprint(title.Y), "sleep", "0.15")
			check(t, err)
		}
		title = place(t, items, open, label)
		d.click(t, title)
		items = items[slices.IndexFunc(items, func(it menuItem) bool { return it.label == label })].items
	}
	eventually(t, "the menu closes after the click on "+labels[len(labels)-1], func() bool {
		_, still := d.menu()
		return !still
	})
}

// submenu waits until one is open to the right of the tray's menu, and has all of its
// items: a panel that has just been told of them may open it without. Its title, which is
// labelled so, was clicked; if nothing opens, as happens when the panel is just drawing the
// menu anew, it is again, in a new panel: XFCE's keeps a submenu empty if it has read it
// just before its items were there.
func (d *desktop) submenu(t testing.TB, m *trayMenu, menu image.Rectangle, label string, title image.Point) (where image.Rectangle, at image.Point) {
	t.Helper()
	name, _, _ := strings.Cut(label, " (") // without the number of what is new, for one
	again := time.Now().Add(patience / 6)
	eventually(t, "a submenu opens", func() bool {
		if time.Now().After(again) && where.Empty() {
			again = time.Now().Add(patience / 6)
			d.endPanel(t, d.panel)
			d.startPanel(t)
			now := m.await(t, name, enabled).label
			menu = d.openMenu(t)
			title = d.itemAt(t, m, menu, now)
			d.click(t, title)
		}
		for _, w := range d.windows("wrapper-2.0|sigalert") {
			if w.Min.X > menu.Min.X+50 && w.Min.Y >= menu.Min.Y && w.Dy() > 20 {
				before := where
				where = w
				return w == before
			}
		}
		return false
	})
	return where, title
}

// itemAt returns where in the open menu the item is.
func (d *desktop) itemAt(t testing.TB, m *trayMenu, open image.Rectangle, label string) image.Point {
	t.Helper()
	items, err := m.items()
	if err != nil {
		t.Fatalf("the menu: %v", err)
	}
	return place(t, items, open, label)
}

// place returns where among the items of an open menu or submenu one is.
func place(t testing.TB, items []menuItem, open image.Rectangle, label string) image.Point {
	t.Helper()
	separators, before, at := 0, 0, -1
	for i, it := range items {
		if it.label == label {
			at, before = i, separators
		}
		if it.separator {
			separators++
		}
	}
	if at < 0 {
		t.Fatalf("no item %q in the menu: %+v", label, items)
	}
	height := (open.Dy() - 2*menuEdge - separators*menuSeparator) / (len(items) - separators)
	return image.Pt(open.Min.X+50, open.Min.Y+menuEdge+before*menuSeparator+(at-before)*height+height/2)
}

// screenshot returns what is on the screen.
func (d *desktop) screenshot(t testing.TB) image.Image {
	t.Helper()
	out, err := d.tool(d.shot...)
	if err != nil {
		t.Fatalf("screenshot: %v", err)
	}
	m, err := png.Decode(strings.NewReader(out))
	if err != nil {
		t.Fatalf("screenshot: %v", err)
	}
	return m
}

// picture saves a part of the screen for the documentation, if a folder for it
// is given. It fails the test if there is nothing to see on it, or if the part is not
// all on the screen.
func (d *desktop) picture(t testing.TB, name string, part image.Rectangle) {
	t.Helper()
	if os.Getenv("SIGALERT_PICTURES") != "" {
		d.paint()
	}
	screen := d.screenshot(t)
	if !part.In(screen.Bounds()) {
		t.Fatalf("%s: %v is not on the screen, %v", name, part, screen.Bounds())
	}
	m := image.NewRGBA(image.Rectangle{Max: part.Size()})
	draw.Draw(m, m.Bounds(), screen, part.Min, draw.Src)
	blank := true
	for i := 4; blank && i < len(m.Pix); i += 4 {
		blank = bytes.Equal(m.Pix[i:i+4], m.Pix[:4])
	}
	if blank {
		t.Fatalf("%s: nothing to see in %v", name, part)
	}
	savePicture(t, name, m)
}

// paint gives the screen its background.
func (d *desktop) paint() {
	// It ends with 1 even when it has set the background.
	d.tool("display", "-size", d.screen, "-window", "root", "xc:#66788a")
}

// savePicture saves a picture for the documentation, if a folder for it is given.
func savePicture(t testing.TB, name string, m image.Image) {
	t.Helper()
	dir := os.Getenv("SIGALERT_PICTURES")
	if dir == "" {
		return
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	check(t, encoder.Encode(&b, m))
	check(t, os.MkdirAll(dir, 0o755))
	check(t, os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644))
}
