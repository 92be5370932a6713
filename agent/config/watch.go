package config

import (
	"context"
	"crypto/sha256"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long a file must stay unchanged: editors save in several steps.
	settle = 150 * time.Millisecond
	// longest bounds the wait for that: a file may be saved over and over.
	longest = 750 * time.Millisecond
	// poll finds what the folder's events do not show: a link whose target changed
	// elsewhere, a folder that was made again.
	poll = 2 * time.Second
	// absence is how long a file may be missing or empty while it is being saved.
	absence = 2 * time.Second
)

// Watch calls changed once it watches, and then whenever the file's content has
// changed, until ctx ends, with what [LoadRegular] returns for that content; not for
// a save that changes nothing. While the file is saved over and over, it looks once
// a second or oftener, and passes on what is good. A file that is gone, is empty or
// cannot be read counts as a change after 2 s. Watch watches the folder, as editors
// put a new file in place of the old one. If the system cannot watch, it looks every
// 2 s.
func Watch(ctx context.Context, path string, changed func(*Config, error)) {
	w := &watch{path: path}
	var events <-chan fsnotify.Event
	var lost <-chan error
	if watcher, err := fsnotify.NewWatcher(); err == nil {
		defer watcher.Close()
		w.watcher, events, lost = watcher, watcher.Events, watcher.Errors
	}
	w.follow()
	first, _ := w.look(time.Now())
	changed(first.config, first.err)
	due := time.NewTimer(0)
	due.Stop()
	polling := time.NewTicker(poll)
	defer polling.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case ev := <-events:
			if w.concerns(ev.Name) && ev.Op != fsnotify.Chmod {
				due.Reset(w.touched(time.Now()))
			}
		case <-lost:
			due.Reset(w.touched(time.Now())) // events were lost, perhaps ours
		case <-polling.C:
			if w.follow() {
				due.Reset(w.touched(time.Now()))
			}
		case <-due.C:
			news, wait := w.look(time.Now())
			if news != nil {
				changed(news.config, news.err)
			}
			if wait > 0 {
				due.Reset(wait)
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
	missing time.Time // since when it is not there or empty; zero: it is there, or that was reported

	first, last time.Time // when it was saved since it was last good or settled; first is zero if it was not
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

// touched notes that the file was saved, or that a save is under way. It returns
// when to look.
func (w *watch) touched(at time.Time) time.Duration {
	if w.first.IsZero() {
		w.first = at
	}
	w.last = at
	return min(settle, w.first.Add(longest).Sub(at))
}

// loaded is what a content amounts to, as [LoadRegular] returns it.
type loaded struct {
	config *Config
	err    error
}

// look returns what the content amounts to if it differs, or when to look again.
func (w *watch) look(at time.Time) (news *loaded, wait time.Duration) {
	text, err := readRegular(w.path)
	now := contentOf(text, err)
	if now != w.content {
		news = &loaded{err: err}
		absent := err != nil || len(text) == 0
		if err == nil {
			news.config, news.err = Parse(w.path, text)
		}
		if news.err != nil && at.Sub(w.last) < settle { // the rest may be on its way
			return nil, settle
		}
		if absent && w.content != (content{}) {
			if w.missing.IsZero() {
				w.missing = at
			}
			if wait := absence - at.Sub(w.missing); wait > 0 {
				return nil, wait
			}
		}
	}
	w.content, w.missing, w.first = now, time.Time{}, time.Time{}
	return news, 0
}

// content tells one content of the file from another; the zero value: none was seen
// yet.
type content struct {
	sum     [sha256.Size]byte
	problem string // of a file that cannot be read
}

func contentOf(text []byte, err error) content {
	if err != nil {
		return content{problem: err.Error()}
	}
	return content{sum: sha256.Sum256(text)}
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
