package certificate

import (
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// followed is what some files say, which are read again when they change.
type followed[T any] struct {
	what  string // for the log, such as "the certificate"
	paths []string
	read  func() (T, error)
	log   *slog.Logger

	mu    sync.Mutex // guards the fields below
	value T
	as    []stamp // of the files when they were last read
	fails bool    // they could not be read then; they may be by now, without having changed
}

// stamp tells whether a file has changed.
type stamp struct {
	time time.Time
	size int64
}

// load reads the files for the first time.
func (f *followed[T]) load() (err error) {
	if f.as, err = f.stamps(); err == nil {
		f.value, err = f.read()
	}
	return err
}

// current is what the files say now. If they cannot be read, as while only one of them
// has been replaced, it is what they said before.
func (f *followed[T]) current() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, err := f.stamps()
	if err == nil && !f.fails && slices.Equal(now, f.as) {
		return f.value
	}
	changed := !slices.Equal(now, f.as) // which is logged once
	f.as = now
	if err == nil {
		var value T
		if value, err = f.read(); err == nil {
			f.value = value
			f.log.Info(f.what+" has changed", "file", f.paths[0])
		}
	}
	f.fails = err != nil
	if err != nil && changed {
		f.log.Warn("the files of "+f.what+" have changed and cannot be read: what they said before stays", "err", err)
	}
	return f.value
}

// stamps is nil if a file is not there.
func (f *followed[T]) stamps() (all []stamp, err error) {
	for _, path := range f.paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		all = append(all, stamp{info.ModTime(), info.Size()})
	}
	return all, nil
}
