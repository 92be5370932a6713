//go:build linux

package e2e

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// home is a user's folders, apart from those of whoever runs the tests.
type home struct {
	dir string
	env []string // of every program that this user starts
}

func newHome(t testing.TB) *home {
	t.Helper()
	// t.TempDir is too long a path for a socket.
	dir, err := os.MkdirTemp("", "sigalert-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, sub := range []string{"run", "tmp", "config", "state", "cache", "data"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return &home{dir: dir, env: []string{
		"PATH=" + os.Getenv("PATH"),
		"LC_ALL=C.UTF-8",
		"HOME=" + dir,
		"TMPDIR=" + filepath.Join(dir, "tmp"),
		"XDG_RUNTIME_DIR=" + filepath.Join(dir, "run"),
		"XDG_CONFIG_HOME=" + filepath.Join(dir, "config"),
		"XDG_STATE_HOME=" + filepath.Join(dir, "state"),
		"XDG_CACHE_HOME=" + filepath.Join(dir, "cache"),
		"XDG_DATA_HOME=" + filepath.Join(dir, "data"),
	}}
}

// With unprivileged in its environment, start runs a program as nobody.
const (
	unprivileged = "SIGALERT_TEST_USER=nobody"
	nobody       = 65534
)

// newUnprivilegedHome is newHome for programs that refuse to run as root.
func newUnprivilegedHome(t testing.TB) *home {
	t.Helper()
	h := newHome(t)
	if os.Getuid() == 0 {
		h.env = append(h.env, unprivileged)
		h.handOver(t)
	}
	return h
}

// handOver gives all files to an unprivileged user whose home it is.
func (h *home) handOver(t testing.TB) {
	t.Helper()
	if !slices.Contains(h.env, unprivileged) {
		return
	}
	check(t, filepath.WalkDir(h.dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return nil // a program has removed it meanwhile
		}
		return os.Lchown(path, nobody, nobody)
	}))
}

// write puts a file into the home, whose folders it makes, and returns its path.
func (h *home) write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h.handOver(t)
	return path
}
