package doctor

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"sigalert/internal/words"
)

// oldStore is how long a router's store has not been written when it is told of. Nothing
// removes it: the router may come back.
const oldStore = 30 * 24 * time.Hour

// unused are the folders of routers that have not run for long.
type unused struct {
	dirs []string
	size int64
}

func lookForUnused(stores string, now time.Time) (u unused) {
	entries, _ := os.ReadDir(stores) // none: there is nothing to tell of
	for _, e := range entries {
		dir := filepath.Join(stores, e.Name())
		size, last := usage(dir)
		if e.IsDir() && size > 0 && now.Sub(last) > oldStore && !isLocked(filepath.Join(dir, "lock")) {
			u.dirs = append(u.dirs, dir)
			u.size += size
		}
	}
	return u
}

// usage is how much a folder's files hold, and when one was last written.
func usage(dir string) (size int64, last time.Time) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil // what cannot be read does not count
		}
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			size += info.Size()
			if info.ModTime().After(last) {
				last = info.ModTime()
			}
		}
		return nil
	})
	return size, last
}

// isLocked reports whether a router has the store.
func isLocked(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	defer lock.Close()
	free, err := lock.TryRLock()
	return err == nil && !free
}

// stores tells of what routers have left behind that no longer run; nil: nothing.
func (u unused) stores() []Result {
	if len(u.dirs) == 0 {
		return nil
	}
	return []Result{{
		Name: "stores", Status: Note, Details: u.dirs,
		Text:   fmt.Sprintf("%s of routers that have not run for a month: %s", words.Count(len(u.dirs), "store"), size(u.size)),
		Advice: "remove the folders whose routers will not come back",
	}}
}
