//go:build linux

package e2e

import (
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"testing"
	"time"
)

// panel is a desktop's panel, with a tray at its left end.
type panel struct {
	name    string // of its package
	button  string // of the mouse: opens the menu
	click   string // the same in words
	env     []string
	config  map[string]string
	wayland bool // it runs there only
}

var panels = []panel{
	{name: "xfce4-panel", button: "1", click: "a left click"},
	{
		name: "mate-panel", button: "3", click: "a right click",
		env:    []string{"GSETTINGS_BACKEND=keyfile"},
		config: map[string]string{"glib-2.0/settings/keyfile": matePanelConfig},
	},
	{
		name: "lxqt-panel", button: "3", click: "a right click",
		env:    []string{"QT_QPA_PLATFORM=xcb"},
		config: map[string]string{"lxqt/panel.conf": lxqtPanelConfig},
	},
	{
		name: "waybar", button: "1", click: "a left click", wayland: true,
		config: map[string]string{"waybar/config": `{"modules-left": ["tray"], "height": 32, "tray": {"icon-size": 24}}`},
	},
}

const matePanelConfig = `[org/mate/panel/general]
toplevel-id-list=['top']
object-id-list=['tray']

[org/mate/panel/toplevels/top]
expand=true
orientation='top'
size=32

[org/mate/panel/objects/tray]
object-type='applet'
applet-iid='NotificationAreaAppletFactory::NotificationArea'
toplevel-id='top'
position=0
`

const lxqtPanelConfig = `panels=panel1

[panel1]
iconSize=24
panelSize=32
plugins=tray
position=Top
width=100
width-percent=true

[tray]
type=statusnotifier
`

func (p panel) title() string { return p.name }

func (p panel) start(t testing.TB, d *desktop) *process {
	t.Helper()
	if p.name == "xfce4-panel" {
		return d.startPanel(t)
	}
	for name, text := range p.config {
		d.write(t, "config/"+name, text)
	}
	// The bus starts a part of MATE's.
	environment := map[string]string{}
	for _, variable := range append(d.env, p.env...) {
		name, value, _ := strings.Cut(variable, "=")
		environment[name] = value
	}
	check(t, d.call(d.bus.BusObject(), "org.freedesktop.DBus.UpdateActivationEnvironment", environment).Err)
	started := start(t, append(d.env, p.env...), p.name)
	d.parts = append(d.parts, started)
	d.awaitName(t, trayHost)
	return started
}

var panelColumns = row{"panel", "icon", "menu", "stays open when an alert comes", "Pause alerts", "after its restart"}

// try has the panel show the icon and the menu, clicks Pause alerts, and starts the panel
// again.
func (p panel) try(t *testing.T) row {
	need(t, p.name)
	d := newPlainDesktop(t, p.wayland)
	started := p.start(t, d)
	bin := program(t)
	s := d.serve(t, bin)
	a := d.startAgent(t, bin, fmt.Sprintf("server: %s\nsubscriptions: [{sender: disk}]\n", s.addr))
	tray := d.tray(t, a.process)
	tray.is(t, s.connected(1))

	strip, below := image.Rect(0, 0, 1024, 40), image.Rect(0, 40, 1024, 600)
	icon := func(c color.RGBA) (at image.Rectangle) {
		t.Helper()
		eventually(t, "the icon is in the panel", func() bool {
			now := d.look(t, strip)
			at = now.where(func(is color.RGBA) bool { return is == c })
			return count(now, at, c) > 50
		})
		return at
	}
	blue, grey := color.RGBA{0x2f, 0x80, 0xed, 255}, color.RGBA{0x7d, 0x86, 0x94, 255}
	open := func() sight {
		t.Helper()
		d.lookAtRest(t, strip) // a panel that arranges its icons loses a click
		eventually(t, "a click opens the menu", func() bool {
			d.clickWith(t, p.button, middle(icon(blue)))
			for give := time.Now().Add(patience / 6); time.Now().Before(give); {
				if !d.look(t, below).things().Empty() {
					return true
				}
			}
			return false
		})
		return d.lookAtRest(t, below)
	}
	menu := open().things()
	d.picture(t, "desktop-"+p.name+".png", image.Rect(0, 0, menu.Max.X+16, menu.Max.Y+16))
	s.send(t, "disk", "full", "null")
	eventually(t, "the tooltip counts the alert", func() bool { return strings.Contains(tray.tooltip(), "1 new alert") })
	d.lookAtRest(t, below)

	clickPause(t, d, tray, below, open)
	tray.await(t, "Pause alerts", checked)
	d.blank(t, below)
	icon(grey)

	d.endPanel(t, started)
	p.start(t, d)
	icon(grey)
	return row{"yes", p.click, "yes", "by a click", "yes"}
}

// clickPause clicks Pause alerts in the open menu. That may close, or be drawn anew, at
// this very moment: then it tries again.
func clickPause(t testing.TB, d *desktop, tray *trayMenu, where image.Rectangle, open func() sight) {
	t.Helper()
	paused := func() bool {
		items, err := tray.items()
		return err == nil && slices.ContainsFunc(items, func(it menuItem) bool { return it.label == "Pause alerts" && it.checked })
	}
	for range 3 {
		now := d.look(t, where)
		if now.things().Empty() {
			now = open()
		}
		if at, _, found := now.find(t, "Pause alerts"); found {
			d.click(t, middle(at))
		}
		for give := time.Now().Add(patience / 3); !paused() && time.Now().Before(give); time.Sleep(20 * time.Millisecond) {
		}
		if paused() {
			return
		}
	}
}
