//go:build linux

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// desktop is a user's session: a screen, a session bus, and on demand a
// notification server and a panel with a tray.
type desktop struct {
	*home
	address string     // of the session bus
	bus     *dbus.Conn // the test's own connection
	mon     *monitor   // every notification sent on this bus
	screen  string     // its size
	shot    []string   // the command that prints it as PNG
	parts   []*process // in the order of their start
	panel   *process   // the last that was started
}

// newBus starts a session bus, without a screen: the least that delivers notifications.
func newBus(t testing.TB) *desktop {
	t.Helper()
	return newBusOf(t, newHome(t))
}

// newBusOf is newBus for a user who may have had a session before.
func newBusOf(t testing.TB, user *home) *desktop {
	t.Helper()
	need(t, "dbus-daemon")
	d := &desktop{home: &home{user.dir, slices.Clone(user.env)}}
	d.address = d.announced(t, "dbus-daemon", "--nofork", "--nopidfile", "--print-address=3", "--config-file="+d.busConfig(t))
	d.env = append(d.env, "DBUS_SESSION_BUS_ADDRESS="+d.address)
	var err error
	if d.bus, err = dbus.Connect(d.address); err != nil {
		t.Fatalf("session bus: %v", err)
	}
	t.Cleanup(func() { d.bus.Close() })
	d.mon = watch(t, d.address)
	return d
}

// newBareDesktop starts a screen and a session bus, with neither a notification server nor a panel.
func newBareDesktop(t testing.TB) *desktop {
	t.Helper()
	return newBareDesktopOf(t, newHome(t), "1024x600")
}

func newBareDesktopOf(t testing.TB, user *home, screen string) *desktop {
	t.Helper()
	need(t, "Xvfb", "dbus-daemon", "dunst", "xfce4-panel", "xdotool", "import")
	d := newBusOf(t, user)
	d.screen = screen
	d.shot = []string{"import", "-window", "root", "png:-"}
	// These choose the size of the panel's menu, and with it where its items are.
	d.write(t, "config/gtk-3.0/settings.ini", gtkSettings)
	d.write(t, "config/xfce4/xfconf/xfce-perchannel-xml/xfce4-panel.xml", panelConfig)
	d.write(t, "config/dunst/dunstrc", dunstConfig)

	// Two servers that look for a free display at once may choose the same.
	xvfb.Lock()
	number := d.announced(t, "Xvfb", "-displayfd", "3", "-screen", "0", screen+"x24", "-nolisten", "tcp", "-noreset")
	xvfb.Unlock()
	d.env = append(d.env, "DISPLAY=:"+number, "XDG_CURRENT_DESKTOP=XFCE",
		// The accessibility bus would start more processes, and answers nothing here.
		"NO_AT_BRIDGE=1", "GTK_A11Y=none", "LIBGL_ALWAYS_SOFTWARE=1")
	return d
}

var xvfb sync.Mutex

// newDesktop starts a whole desktop.
func newDesktop(t testing.TB) *desktop {
	t.Helper()
	return logIn(t, newHome(t))
}

// logIn starts a whole desktop for a user.
func logIn(t testing.TB, user *home) *desktop {
	t.Helper()
	d := newBareDesktopOf(t, user, "1024x600")
	d.startNotifications(t)
	d.startPanel(t)
	return d
}

// logOut ends all of the desktop, and nothing that runs on it.
func (d *desktop) logOut() {
	d.mon.stop()
	for _, p := range slices.Backward(d.parts) {
		p.end()
	}
}

// startNotifications starts dunst, and waits until it is the notification server.
func (d *desktop) startNotifications(t testing.TB) *process {
	t.Helper()
	p := start(t, d.env, "dunst", "-conf", filepath.Join(d.dir, "config/dunst/dunstrc"))
	d.parts = append(d.parts, p)
	d.awaitName(t, "org.freedesktop.Notifications")
	return p
}

// trayHost is the bus name of whoever shows tray icons.
const trayHost = "org.kde.StatusNotifierWatcher"

// startPanel starts a panel, and waits until it is the tray host.
func (d *desktop) startPanel(t testing.TB) *process {
	t.Helper()
	p := start(t, d.env, "xfce4-panel", "--disable-wm-check")
	d.panel = p
	d.parts = append(d.parts, p)
	d.awaitName(t, trayHost)
	return p
}

// endPanel ends the panel, and waits until its plugin, a process of its own, is
// no longer a tray host: the next panel's would have to wait for the name.
func (d *desktop) endPanel(t testing.TB, panel *process) {
	t.Helper()
	panel.end()
	eventually(t, trayHost+" is off the bus", func() bool { return !d.hasName(trayHost) })
}

func (d *desktop) awaitName(t testing.TB, name string) {
	t.Helper()
	eventually(t, name+" is on the bus", func() bool { return d.hasName(name) })
}

func (d *desktop) hasName(name string) bool {
	var has bool
	return d.call(d.bus.BusObject(), "org.freedesktop.DBus.NameHasOwner", name).Store(&has) == nil && has
}

// call makes a D-Bus call that ends: a program that is stuck never answers.
func (d *desktop) call(o dbus.BusObject, method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return o.CallWithContext(ctx, method, 0, args...)
}

// announced starts a server of the desktop that writes one line, its address, to descriptor 3 when it is ready.
func (d *desktop) announced(t testing.TB, argv ...string) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := startWith(t, d.env, w, argv...)
	d.parts = append(d.parts, p)
	w.Close()
	r.SetReadDeadline(time.Now().Add(patience))
	said, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("%s does not start: %v", p.name, err)
	}
	return strings.TrimSpace(said)
}

// busConfig writes the configuration of a bus that starts what the panels of XFCE and
// MATE need, and nothing else: the system's would start dunst by itself.
func (d *desktop) busConfig(t testing.TB) string {
	t.Helper()
	services := filepath.Join(d.dir, "services")
	for _, name := range []string{"org.xfce.Xfconf", "org.mate.panel.applet.NotificationAreaAppletFactory"} {
		if text, err := os.ReadFile("/usr/share/dbus-1/services/" + name + ".service"); err == nil {
			d.write(t, "services/"+name+".service", string(text))
		}
	}
	return d.write(t, "bus.conf", fmt.Sprintf(busConfig, d.dir, services))
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir=%s</listen>
  <auth>EXTERNAL</auth>
  <servicedir>%s</servicedir>
  <policy context="default">
    <allow user="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

const gtkSettings = `[Settings]
gtk-theme-name = Adwaita
gtk-icon-theme-name = hicolor
gtk-font-name = DejaVu Sans 10
gtk-xft-dpi = 98304
gtk-enable-animations = false
`

const panelConfig = `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array"><value type="int" value="1"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="length" type="uint" value="100"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="size" type="uint" value="32"/>
      <property name="plugin-ids" type="array"><value type="int" value="1"/></property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="systray"><property name="square-icons" type="bool" value="true"/></property>
  </property>
</channel>
`

const dunstConfig = `[global]
    origin = top-right
    offset = 20x60
    width = (200, 400)
    font = DejaVu Sans 11
    markup = full
    format = "<b>%s</b>\n%b"
    idle_threshold = 0
    notification_limit = 10
    icon_position = left
    padding = 12
    horizontal_padding = 14
    text_icon_padding = 14
    frame_width = 1
    frame_color = "#8a94a0"
[urgency_normal]
    background = "#23272e"
    foreground = "#f2f2f2"
    # A notification stays: what replaces it may come much later.
    timeout = 0
[urgency_critical]
    background = "#23272e"
    foreground = "#f2f2f2"
    frame_color = "#e5534b"
    timeout = 0
`
