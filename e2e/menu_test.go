//go:build linux

package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

func TestMenu(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d := newDesktop(t)
		s := d.serve(t, bin)
		opened := d.fakeEditor(t)
		s.stays(t, "timer", "tick", "before the agent") // so the state takes one line
		a := d.startAgent(t, bin, timer(s))
		tray := d.tray(t, a.process)
		tray.is(t, s.connected(1))

		items, err := tray.items()
		if err != nil {
			t.Fatal(err)
		}
		var labels []string
		for _, it := range items[1:] {
			labels = append(labels, it.label)
		}
		want := []string{
			"", "Recent alerts", "Pause alerts", "Pause for a while", "Subscriptions", "Open history", "Send a test alert",
			"", "Edit configuration", "Reload", "Reconnect now", "About", "", "Quit",
		}
		if !slices.Equal(labels, want) || items[0].enabled {
			t.Fatalf("the menu is %+v", items)
		}
		tray.await(t, "Open history", enabled) // nobody switched it off

		d.choose(t, tray, "Send a test alert")
		d.mon.next(t).says(t, "test")
		d.shown(t, 1)

		d.choose(t, tray, "Reload")
		d.mon.next(t).says(t, "reloaded")

		d.choose(t, tray, "Edit configuration")
		eventually(t, "the configuration is opened", func() bool {
			args, _ := os.ReadFile(opened)
			return strings.Contains(string(args), a.config)
		})

		d.choose(t, tray, "Quit")
		if code := a.wait(t); code != 0 {
			t.Errorf("Quit ends it with %d", code)
		}
	})
}

// What is behind the menu's arrows, with the mouse.
func TestSubmenus(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d, s, a, tray := watching(t, bin)
		tray.has(t, "About", "Configuration: ")
		if about := tray.has(t, "About", "sigalert "); about.enabled {
			t.Errorf("can be clicked: %+v", about)
		}
		tray.await(t, "Recent alerts", disabled)

		s.send(t, "timer", "tick", "a first one")
		d.mon.next(t).is(t, "timer: tick", "a first one")
		tray.is(t, s.connected(1)+", 1 new alert")
		alert := tray.has(t, "Recent alerts (1 new)", time.Now().Format("15:"))
		d.choose(t, tray, "Recent alerts (1 new)", alert.label)
		again := d.mon.next(t)
		again.says(t, "timer: tick", "a first one", "shown")
		tray.is(t, s.connected(1))
		tray.has(t, "Recent alerts", alert.label)

		d.choose(t, tray, "Subscriptions", "timer: tick")
		tray.await(t, "Subscriptions (1 muted)", func(it menuItem) bool { return !it.items[0].checked })
		s.send(t, "timer", "tick", "while muted")
		tray.has(t, "Subscriptions (1 muted)", "timer: tick (1 held back)")
		tray.await(t, "Recent alerts", func(it menuItem) bool { return strings.HasSuffix(it.items[0].label, "(held back)") })
		d.choose(t, tray, "Subscriptions (1 muted)", "timer: tick (1 held back)")
		d.mon.next(t)
		tray.await(t, "Subscriptions", func(it menuItem) bool { return it.items[0].label == "timer: tick" && it.items[0].checked })

		d.choose(t, tray, "Pause for a while", "1 hour")
		tray.await(t, "Pause alerts, until ", checked)
		tray.await(t, "Pause alerts, until ", func(it menuItem) bool { d.choose(t, tray, it.label); return true })
		tray.await(t, "Pause alerts", func(it menuItem) bool { return it.label == "Pause alerts" && !it.checked })
		a.running(t)
	})
}

// The buttons of an alert are in the menu, too: not every notification server has them.
func TestButtonsInTheMenu(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d := newDesktop(t)
		s := d.serve(t, bin)
		config := timer(s) + "defaults: {actions: [{label: Later, snooze: 1h}]}\n"
		tray := d.tray(t, d.startAgent(t, bin, config).process)
		tray.is(t, s.connected(1))
		d.alerts(t, s, "timer", "tick")
		tray.has(t, "Recent alerts (1 new)", "      → Later")
		d.choose(t, tray, "Recent alerts (1 new)", "      → Later")
		tray.has(t, "Subscriptions (1 muted)", "timer: tick (until ")
	})
}

// fakeEditor makes xdg-open a command that writes its arguments into a file, and returns that file.
func (d *desktop) fakeEditor(t testing.TB) string {
	t.Helper()
	opened := filepath.Join(d.dir, "opened")
	d.fake(t, "xdg-open", "echo \"$@\" >"+opened)
	d.fake(t, "xdg-mime", "exit 1")
	return opened
}

// fake puts a script in the place of a program of this machine.
func (d *desktop) fake(t testing.TB, name, script string) {
	t.Helper()
	path := d.write(t, "bin/"+name, "#!/bin/sh\n"+script+"\n")
	check(t, os.Chmod(path, 0o700))
	d.env = append(d.env, "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"))
}

func TestEditWhereNothingOpensYAML(t *testing.T) {
	d := newDesktop(t)
	bin := program(t)
	s := d.serve(t, bin)
	launched := filepath.Join(d.dir, "launched")
	d.fake(t, "xdg-open", "exit 3")
	d.fake(t, "xdg-mime", "test \"$3\" != text/plain || cat "+d.dir+"/plain")
	d.fake(t, "gtk-launch", "echo \"$@\" >"+launched)
	a := d.startAgent(t, bin, timer(s))
	tray := d.tray(t, a.process)
	tray.is(t, s.connected(1))

	d.choose(t, tray, "Edit configuration")
	d.mon.next(t).is(t, "Cannot open an editor", "The configuration is "+a.config)

	d.write(t, "plain", "text-editor.desktop\n")
	d.choose(t, tray, "Edit configuration")
	eventually(t, "the configuration is opened as text", func() bool {
		args, _ := os.ReadFile(launched)
		return string(args) == "text-editor.desktop "+a.config+"\n"
	})
}

// Panels that do not open the menu for a left click call the icon's own methods.
func TestClicksOnTheIcon(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d := newDesktop(t)
		s := d.serve(t, bin)
		tray := d.tray(t, d.startAgent(t, bin, timer(s)+"history: false\n").process)
		tray.is(t, s.connected(1))
		call := func(method string) error {
			return d.call(tray.icon(), "org.kde.StatusNotifierItem."+method, int32(17), int32(16)).Err
		}

		if tray.icon().Path() != "/StatusNotifierItem" {
			// libayatana-appindicator has no Activate: Cinnamon opens the menu of its items.
			if err, ok := errors.AsType[dbus.Error](call("Activate")); !ok || err.Name != "org.freedesktop.DBus.Error.UnknownMethod" {
				t.Errorf("Activate: %v", err)
			}
			check(t, call("SecondaryActivate")) // does nothing
			tray.is(t, s.connected(1))
			return
		}
		for _, method := range []string{"Activate", "ContextMenu"} {
			check(t, call(method))
			d.mon.next(t).says(t, s.connected(1), "no history", "history:")
		}
		check(t, call("SecondaryActivate"))
		tray.await(t, "Pause alerts", checked)
		check(t, call("SecondaryActivate"))
		tray.await(t, "Pause alerts", unchecked)
	})
}

func TestTestCommand(t *testing.T) {
	d := newDesktop(t)
	bin := program(t)
	config := d.write(t, "config/sigalert/config.yaml", "server: tcp://127.0.0.1:3000\nsubscriptions:\n  - {sender: timer}\n")
	p := start(t, d.env, bin, "test", "--config", config)
	if code := p.wait(t); code != 0 {
		t.Errorf("ends with %d", code)
	}
	d.mon.next(t)
	d.shown(t, 1)
	if !strings.Contains(p.text(), "dunst") {
		t.Errorf("does not say who answered:\n%s", p.text())
	}
}
