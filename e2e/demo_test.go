//go:build linux

package e2e

import (
	"testing"
	"time"
)

func TestDemo(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d := newDesktop(t)
		began := time.Now()
		p := start(t, d.env, bin, "demo")
		n := d.mon.next(t)
		t.Logf("after %v: %v", n.at.Sub(began).Round(time.Millisecond), n)
		d.shown(t, 1)
		d.tray(t, p).is(t, "Connected to")
		if code := p.terminate(t); code != 0 {
			t.Errorf("ends with %d after SIGTERM", code)
		}
	})
}

func TestDemoWithoutDesktop(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		h := newHome(t)
		p := start(t, h.env, bin, "demo")
		_, hint := p.await(t, `^  (\S+) listen --server (\S+)$`)
		l, _ := p.await(t, `timer: tick \| |Build \d`)
		t.Logf("after %v: %s", l.after.Round(time.Millisecond), l.text)
		if listen := start(t, h.env, hint[1], "listen", "--server", hint[2], "--count", "1"); listen.wait(t) != 0 {
			t.Errorf("what the demo suggests fails:\n%s", listen.text())
		}
		if code := p.terminate(t); code != 0 {
			t.Errorf("ends with %d after SIGTERM", code)
		}
	})
}
