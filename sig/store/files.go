package store

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// folder is where the segments are: a folder of the system or, in tests, one that
// loses what was not synced.
type folder interface {
	names() ([]string, error)
	read(name string, limit int64) ([]byte, error)
	open(name string, create bool) (file, error)
	remove(name string) error
	sync() error
}

type file interface {
	WriteAt(p []byte, offset int64) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
}

// osFolder is the path of a folder of the system.
type osFolder string

func (f osFolder) names() (names []string, err error) {
	entries, err := os.ReadDir(string(f))
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, err
}

func (f osFolder) read(name string, limit int64) ([]byte, error) {
	opened, err := os.Open(filepath.Join(string(f), name))
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	return io.ReadAll(io.LimitReader(opened, limit))
}

func (f osFolder) open(name string, create bool) (file, error) {
	flags := os.O_RDWR
	if create {
		flags |= os.O_CREATE | os.O_TRUNC // one of that name is a leftover
	}
	opened, err := os.OpenFile(filepath.Join(string(f), name), flags, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{opened}, nil
}

// osFile is a file whose Sync is for what was written: times do not matter.
type osFile struct{ *os.File }

func (f osFile) Sync() error { return syncData(f.File) }

func (f osFolder) remove(name string) error { return os.Remove(filepath.Join(string(f), name)) }

func (f osFolder) sync() error {
	if runtime.GOOS == "windows" { // which has no such thing
		return nil
	}
	dir, err := os.Open(string(f))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
