//go:build linux

package e2e

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// numbered is a configuration with n subscriptions, to the senders s1 to sn.
func numbered(s *server, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "server: tcp://%s\nsubscriptions:\n", s.addr)
	for i := range n {
		fmt.Fprintf(&b, "  - {sender: s%d, event: e}\n", i+1)
	}
	return b.String()
}

func TestSavedConfigTakesEffect(t *testing.T) {
	ways := []struct {
		name string
		save func(t *testing.T, d *desktop, path, text string)
	}{
		{"in place", saveInPlace},
		{"new file renamed over", saveByRename},
		{"backup renamed away", saveLikeVim},
		{"vim", saveWithVim},
	}
	eachBackend(t, func(t *testing.T, bin string) {
		d := newDesktop(t)
		s := d.serve(t, bin)
		a := d.startAgent(t, bin, numbered(s, 1))
		tray := d.tray(t, a.process)
		tray.is(t, s.connected(1))

		for i, way := range ways {
			t.Run(way.name, func(t *testing.T) {
				added := fmt.Sprintf("s%d", i+2)
				s.send(t, added, "e", "not subscribed yet")
				way.save(t, d, a.config, numbered(s, i+2))
				saved := time.Now()
				tray.is(t, s.connected(i+2))
				t.Logf("in effect %v after the save", time.Since(saved).Round(time.Millisecond))
				d.alerts(t, s, added, "e")
			})
		}
	})
}

func TestBadConfigChangesNothing(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d, s, a, tray := watching(t, bin)

		bad := numbered(s, 3) + strings.Repeat("# a comment\n", 18) + "  - {sender: s, event: e, titel: x}\n"
		saveLikeVim(t, d, a.config, bad)
		d.mon.next(t).says(t, "titel", "24")
		s.send(t, "s1", "e", "not subscribed")
		d.alerts(t, s, "timer", "tick")
		tray.is(t, s.connected(1))

		saveLikeVim(t, d, a.config, numbered(s, 2))
		d.mon.next(t).says(t, "valid again")
		tray.is(t, s.connected(2))
		d.alerts(t, s, "s2", "e")
	})
}

func saveInPlace(t *testing.T, d *desktop, path, text string) {
	check(t, os.WriteFile(path, []byte(text), 0o600))
}

func saveByRename(t *testing.T, d *desktop, path, text string) {
	check(t, os.WriteFile(path+".tmp", []byte(text), 0o600))
	check(t, os.Rename(path+".tmp", path))
}

// saveLikeVim does what vim does with backupcopy=no.
func saveLikeVim(t *testing.T, d *desktop, path, text string) {
	check(t, os.Rename(path, path+"~"))
	check(t, os.WriteFile(path, []byte(text), 0o600))
	check(t, os.Remove(path+"~"))
}

func saveWithVim(t *testing.T, d *desktop, path, text string) {
	tiny, _ := exec.LookPath("vim.tiny")
	vim := cmp.Or(tiny, "vim")
	need(t, vim)
	written := d.write(t, "written.yaml", text)
	p := start(t, d.env, vim, "-es", "-u", "NONE", "-c", "set backupcopy=no writebackup",
		"-c", "%d", "-c", "0r "+written, "-c", "silent! g/^$/d", "-c", "wq", path)
	p.wait(t)
	if now, err := os.ReadFile(path); err != nil || string(now) != text {
		t.Fatalf("vim has written %q, %v; want %q", now, err, text)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
