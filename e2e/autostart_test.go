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
	hidden := filepath.Join(h.dir, "data/applications/sigalert.desktop")
	v = start(t, h.env, "desktop-file-validate", hidden)
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
	if _, err := os.Stat(hidden); !os.IsNotExist(err) {
		t.Errorf("the application's entry after disable: %v", err)
	}
	if now := autostart("status"); now != off {
		t.Errorf("the status is %q after disable, was %q", now, off)
	}
	if _, err := os.Stat(entry); !os.IsNotExist(err) {
		t.Errorf("the entry after disable: %v", err)
	}
}

// An upgrade renews a link to the program; the entry must go by the link.
func TestAutostartKeepsTheLink(t *testing.T) {
	h := newHome(t)
	bin := filepath.Join(h.dir, "bin")
	check(t, os.Mkdir(bin, 0o700))
	link := filepath.Join(bin, "sigalert")
	check(t, os.Symlink(program(t), link))
	for name, called := range map[string]string{
		"by its path":           link,
		"from its folder":       "cd " + bin + " && ./sigalert",
		"from another folder":   "cd " + h.dir + " && bin/sigalert",
		"found in PATH":         "PATH=" + bin + ":$PATH && sigalert",
		"found in a ./ of PATH": "cd " + h.dir + " && PATH=./bin:$PATH && sigalert",
	} {
		p := start(t, h.env, "sh", "-c", called+" autostart enable")
		if code := p.wait(t); code != 0 || !strings.HasSuffix(strings.Join(p.stdout(), "\n"), "runs "+link) {
			t.Errorf("%s: ends with %d:\n%s", name, code, p.text())
		}
	}
	check(t, os.Remove(link))
	if p := start(t, h.env, program(t), "autostart", "status"); p.wait(t) != 1 || !strings.Contains(p.text(), link+" does not exist") {
		t.Errorf("without the program the status is\n%s", p.text())
	}
}
