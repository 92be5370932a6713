//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestAutostart(t *testing.T) {
	need(t, "desktop-file-validate")
	h := newHome(t)
	bin := program(t)
	autostart := func(what string) string {
		t.Helper()
		p := start(t, h.env, bin, "autostart", what)
		if code := p.wait(t); code != 0 && what != "status" {
			t.Fatalf("autostart %s ends with %d:\n%s", what, code, p.text())
		}
		return strings.Join(p.stdout(), "\n")
	}
	entry := filepath.Join(h.dir, "config/autostart/sigalert.desktop")

	off := autostart("status")
	autostart("enable")
	if on := autostart("status"); on == off {
		t.Errorf("the status is %q both before and after enable", on)
	}
	v := start(t, h.env, "desktop-file-validate", entry)
	if code := v.wait(t); code != 0 || v.text() != "" {
		t.Errorf("desktop-file-validate ends with %d:\n%s", code, v.text())
	}
	text, err := os.ReadFile(entry)
	check(t, err)
	m := regexp.MustCompile(`(?m)^Exec="?([^" \n]+)`).FindSubmatch(text)
	if m == nil || string(m[1]) != bin {
		t.Errorf("the entry does not start %s:\n%s", bin, text)
	}

	autostart("disable")
	if now := autostart("status"); now != off {
		t.Errorf("the status is %q after disable, was %q", now, off)
	}
	if _, err := os.Stat(entry); !os.IsNotExist(err) {
		t.Errorf("the entry after disable: %v", err)
	}
}
