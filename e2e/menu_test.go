//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestMenu(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d := newDesktop(t)
		s := d.serve(t, bin)
		opened := d.fakeEditor(t)
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
		want := []string{"", "Pause alerts", "Send a test alert", "Open history", "Edit configuration", "Reload", "Reconnect now", "", "Quit"}
		if !slices.Equal(labels, want) || items[0].enabled {
			t.Fatalf("the menu is %+v", items)
		}
		tray.await(t, "Open history", disabled) // none is configured

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

// fakeEditor makes xdg-open a command that writes its arguments into a file, and returns that file.
func (d *desktop) fakeEditor(t testing.TB) string {
	t.Helper()
	opened := filepath.Join(d.dir, "opened")
	path := d.write(t, "bin/xdg-open", "#!/bin/sh\necho \"$@\" >"+opened+"\n")
	check(t, os.Chmod(path, 0o700))
	d.env = append(d.env, "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"))
	return opened
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
