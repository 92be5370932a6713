//go:build linux

package e2e

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// From the repository to the demonstration's first alert, on a machine that has Go and
// nothing else, and on one that has built it before.
func TestFromSource(t *testing.T) {
	needTime(t)
	need(t, "git")
	h := newHome(t)
	repository := strings.TrimSpace(done(t, "git", "rev-parse", "--show-toplevel"))
	env := append(h.env, "GOMODCACHE="+filepath.Join(h.dir, "modules"), "GOCACHE="+filepath.Join(h.dir, "built"), "GOFLAGS=-modcacherw")
	for _, caches := range []string{"cold", "warm"} {
		p := start(t, env, "sh", "-c", `git clone -q "$1" "$2" && cd "$2" && exec go run . demo`, "sh", repository, filepath.Join(h.dir, caches))
		l, m := p.within(8*time.Minute, `timer: tick \| |Build \d`)
		_ = syscall.Kill(-p.pid(), syscall.SIGTERM) // go run leaves its program behind
		if m == nil {
			t.Fatalf("no alert:\n%s", p.text())
		}
		t.Logf("with %s caches, from git clone to the first alert: %.1f s", caches, l.after.Seconds())
		p.end()
	}
}
