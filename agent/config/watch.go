package config

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long a file must stay unchanged: editors save in several steps.
	settle = 150 * time.Millisecond
	// poll finds what the folder's events do not show: a link whose target changed
	// elsewhere, a folder that was made again.
	poll = 2 * time.Second
	// absence is how long a file may be missing while it is being saved.
	absence = 2 * time.Second
)

// Watch calls changed once it watches, and then whenever the file's content has
// changed, until ctx ends; not for a save that changes nothing. A file that is gone
// or cannot be read counts as a change after 2 s. Watch watches the folder, as
// editors put a new file in place of the old one. If the system cannot watch, it
// looks every 2 s.
func Watch(ctx context.Context, path string, changed func()) {
	w := &watch{path: path}
	var events <-chan fsnotify.Event
	var lost <-chan error
	if watcher, err := fsnotify.NewWatcher(); err == nil {
		defer watcher.Close()
		w.watcher, events, lost = watcher, watcher.Events, watcher.Errors
	}
	w.follow()
	w.content = contentOf(path)
	changed()
	settled := time.NewTimer(0)
	settled.Stop()
	polling := time.NewTicker(poll)
	defer polling.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case ev := <-events:
			if w.concerns(ev.Name) && ev.Op != fsnotify.Chmod {
				settled.Reset(settle)
			}
		case <-lost:
			settled.Reset(settle) // events were lost, perhaps ours
		case <-polling.C:
			if w.follow() {
				settled.Reset(settle)
			}
		case <-settled.C:
			differs, wait := w.look(time.Now())
			if differs {
				changed()
			}
			if wait > 0 {
				settled.Reset(wait)
			}
		}
	}
}

// watch is what was last seen of the file.
type watch struct {
	path    string
	watcher *fsnotify.Watcher // nil: there is only the poll
	target  string            // what path links to, or path itself
	folders [2]folder
	file    os.FileInfo
	content content
	missing time.Time // since when it cannot be read; zero: it can, or that was reported
}

// folder is one that is being watched: the file's, or its target's.
type folder struct {
	path string
	info os.FileInfo // nil: it does not exist
}

// concerns reports whether an event of this file may be one of ours.
func (w *watch) concerns(name string) bool {
	base := filepath.Base(name)
	return base == filepath.Base(w.path) || base == filepath.Base(w.target)
}

// look reports whether the content differs, or when to look again.
func (w *watch) look(at time.Time) (differs bool, wait time.Duration) {
	now := contentOf(w.path)
	if now.problem != "" && now != w.content {
		if w.missing.IsZero() {
			w.missing = at
		}
		if wait := absence - at.Sub(w.missing); wait > 0 {
			return false, wait
		}
	}
	differs = now != w.content
	w.content, w.missing = now, time.Time{}
	return differs, 0
}

// content tells one content of the file from another.
type content struct {
	sum     [sha256.Size]byte
	problem string // of a file that cannot be read
}

func contentOf(path string) content {
	sum, err := sumOf(path)
	if err != nil {
		return content{problem: err.Error()}
	}
	return content{sum: sum}
}

func sumOf(path string) (sum [sha256.Size]byte, err error) {
	if err := regular(path); err != nil { // opening a pipe would wait for a writer
		return sum, err
	}
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, io.LimitReader(f, maxFile+1))
	return [sha256.Size]byte(h.Sum(nil)), err
}

// follow watches the folders that exist now, and reports whether one of them, or
// the file's time, size or identity, has changed.
func (w *watch) follow() (differs bool) {
	w.target = w.path
	if target, err := filepath.EvalSymlinks(w.path); err == nil {
		w.target = target
	}
	for i, path := range []string{filepath.Dir(w.path), filepath.Dir(w.target)} {
		now := folder{path, stat(path)}
		if old := w.folders[i]; old.path != now.path || !same(old.info, now.info) {
			w.watchInstead(old, now)
			w.folders[i], differs = now, true
		}
	}
	file := stat(w.path)
	if !same(w.file, file) || file != nil && (!file.ModTime().Equal(w.file.ModTime()) || file.Size() != w.file.Size()) {
		w.file, differs = file, true
	}
	return differs
}

func (w *watch) watchInstead(old, now folder) {
	if w.watcher == nil {
		return
	}
	if old.path != "" {
		_ = w.watcher.Remove(old.path) // usually gone with the old folder
	}
	if now.info != nil {
		_ = w.watcher.Add(now.path) // if it fails, there is the poll
	}
}

// stat is nil for what does not exist.
func stat(path string) os.FileInfo {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b)
}
