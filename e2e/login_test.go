//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// An agent that outlives its desktop makes way for the one of the next login,
// which has another bus.
func TestLoginAgain(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d, s, first, _ := watching(t, bin)
		d.alerts(t, s, "timer", "tick")
		d.logOut()

		d = logIn(t, s.home)
		second := d.startAgent(t, bin, timer(s))
		tray := d.tray(t, second.process)
		tray.is(t, s.connected(1))
		d.alerts(t, s, "timer", "tick")
		first.wait(t)
	})
}

// A logout may take the runtime directory away, and with it the lock.
func TestLoginAgainWithoutTheOldLock(t *testing.T) {
	d, s, first, _ := watching(t, program(t))
	d.logOut()
	run := filepath.Join(d.dir, "run")
	check(t, os.RemoveAll(run))
	check(t, os.Mkdir(run, 0o700))

	d = logIn(t, s.home)
	second := d.startAgent(t, s.bin, timer(s))
	if code := first.wait(t); code != 0 {
		t.Errorf("the first ends with %d", code)
	}
	d.tray(t, second.process).is(t, s.connected(1))
	d.alerts(t, s, "timer", "tick")
	if third := start(t, d.env, s.bin); third.wait(t) > 1 || !strings.Contains(third.text(), "already running") {
		t.Errorf("a third start runs beside the second:\n%s", third.text())
	}
}

// While its desktop is there, it stays, whatever other bus the next one is on.
func TestSecondStartOnAnotherBus(t *testing.T) {
	d, s, first, _ := watching(t, program(t))
	second := start(t, newBusOf(t, s.home).env, s.bin)
	if code := second.wait(t); code > 1 || !strings.Contains(second.text(), "already running") {
		t.Errorf("a second start ends with %d:\n%s", code, second.text())
	}
	first.running(t)
	d.alerts(t, s, "timer", "tick")
}

// The environment may have the address of a bus that has ended.
func TestDeadBusAddress(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d := newDesktop(t)
		_, socket, _ := strings.Cut(d.address, "path=")
		socket, _, _ = strings.Cut(socket, ",")
		socket, err := dbus.UnescapeBusAddressValue(socket)
		check(t, err)
		check(t, os.Symlink(socket, filepath.Join(d.dir, "run/bus")))
		s := d.serve(t, bin)
		d.env = append(d.env, "DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent")
		a := d.startAgent(t, bin, timer(s))
		d.tray(t, a.process).is(t, s.connected(1))
		d.alerts(t, s, "timer", "tick")
	})
}

// A second start opens the history of the first.
func TestSecondStartOpensTheHistory(t *testing.T) {
	d := newDesktop(t)
	s := d.serve(t, program(t))
	opened := d.fakeEditor(t)
	a := d.startAgent(t, s.bin, timer(s)+"history: {listen: '127.0.0.1:0'}\n")
	_, url := a.await(t, `msg=history url=(http://127\.0\.0\.1:\d+)/`)

	second := start(t, d.env, s.bin)
	if code := second.wait(t); code != 0 || !strings.Contains(second.text(), "already running") {
		t.Errorf("a second start ends with %d:\n%s", code, second.text())
	}
	var link string
	eventually(t, "the history is opened", func() bool {
		text, _ := os.ReadFile(opened)
		link = strings.TrimSpace(string(text))
		return strings.HasPrefix(link, url[1]+"/?key=")
	})
	if status, page := newReader(t).get(t, link); status != 200 || !strings.Contains(page, "sigalert history") {
		t.Errorf("with the key: %d %s", status, page)
	}
	d.alerts(t, s, "timer", "tick")
}
