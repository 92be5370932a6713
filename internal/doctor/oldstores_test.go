package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// Only stores that nobody has written for long are told of, and none that is in use.
func TestUnusedStores(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	for name, age := range map[string]time.Duration{"old": 31, "used": 31, "new": 29, "empty": 31} {
		for _, file := range []string{"lock", "0000000001.events"} {
			path, text := filepath.Join(dir, name, file), []byte("sigalert")
			if name == "empty" || file == "lock" {
				text = nil
			}
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, now, now.Add(-age*24*time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
	}
	lock := flock.New(filepath.Join(dir, "used", "lock"))
	if ok, err := lock.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	defer lock.Close()
	u := lookForUnused(dir, now)
	if want := []string{filepath.Join(dir, "old")}; !slices.Equal(u.dirs, want) || u.size != 8 {
		t.Errorf("%+v", u)
	}
	results := u.stores()
	if len(results) != 1 || results[0].Text != "1 store of routers that have not run for a month: 8 bytes" {
		t.Errorf("%+v", results)
	}
	if lookForUnused(filepath.Join(dir, "none"), now).stores() != nil {
		t.Error("there is nothing")
	}
}
