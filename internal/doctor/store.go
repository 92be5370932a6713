package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sigalert/eventlog"
)

// store is the file that keeps the history.
type store struct {
	path string
	err  error // why it cannot be used; wraps fs.ErrNotExist if it is not there yet
	size int64
	free int64 // bytes on its disk; below 0: not known
}

func lookAtStore(path string) store {
	s := store{path: path, free: -1}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			s.free = freeBytes(dir)
			break
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		s.err = err
		return s
	}
	s.size = info.Size()
	if info.Mode().IsRegular() { // a pipe would wait
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			s.err = err
			return s
		}
		f.Close()
	}
	if err := eventlog.Check(path); err != nil && !errors.Is(err, eventlog.ErrInUse) { // by the agent, which has checked it
		s.err = err
	}
	return s
}

// leastFree is less than what a history of a few large alerts needs to go on.
const leastFree = 16 << 20

func (o Options) history(f file, s store) Result {
	r := Result{Name: "history", Status: OK}
	missing := errors.Is(s.err, fs.ErrNotExist)
	switch {
	case f.err == nil && len(f.problems) == 0 && !f.keeps:
		r.Status, r.Text = Note, "none is kept"
		r.Advice = `to keep one, remove "history: false" from the configuration`
	case errors.Is(s.err, errHangs):
		r.Status, r.Text = Wrong, fmt.Sprintf("the disk of %s does not answer", o.History)
		r.Advice = "if it is on another machine, see whether that one is there"
	case s.err != nil && !missing:
		r.Status, r.Text = Wrong, fmt.Sprintf("alerts cannot be kept: %v", s.err)
		r.Advice = fmt.Sprintf("see whose file %s is; moved elsewhere, a new one is begun", s.path)
	case s.free >= 0 && s.free < leastFree:
		r.Status, r.Text = Wrong, fmt.Sprintf("alerts can soon not be kept any more: there are only %s left on the disk of %s", size(s.free), s.path)
		r.Advice = "make room on the disk"
	case missing:
		r.Text = fmt.Sprintf("there is nothing in it yet (%s)%s", s.path, left(s.free))
	default:
		r.Text = fmt.Sprintf("%s can be read and written: %s%s", s.path, size(s.size), left(s.free))
	}
	return r
}

func left(free int64) string {
	if free < 0 {
		return ""
	}
	return fmt.Sprintf(", with %s left on the disk", size(free))
}

func size(n int64) string {
	for _, unit := range []string{"bytes", "KB", "MB", "GB"} {
		if n < 10_000 {
			return fmt.Sprintf("%d %s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%d TB", n)
}
