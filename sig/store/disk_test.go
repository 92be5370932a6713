package store

import (
	"bytes"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"syscall"
	"time"
)

// disk is a folder that can lose what was not synced, be full, fail and be slow.
type disk struct {
	mu    sync.Mutex // guards the fields below, and the files'
	files map[string]*diskFile
	named map[string]*diskFile // as of the last sync of the folder
	room  int                  // bytes that are left; below 0: any number
	fails error                // of each write, and of each sync
	slow  time.Duration        // of each write, and of each removal
	syncs int
}

type diskFile struct {
	disk     *disk
	data     []byte
	synced   []byte
	unsynced []diskWrite
}

type diskWrite struct {
	at   int64
	data []byte
}

func newDisk() *disk {
	return &disk{files: make(map[string]*diskFile), named: make(map[string]*diskFile), room: -1}
}

func (d *disk) names() ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Keys(d.files)), nil
}

func (d *disk) read(name string, limit int64) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[name]
	if f == nil {
		return nil, fs.ErrNotExist
	}
	return bytes.Clone(f.data[:min(int64(len(f.data)), limit)]), nil
}

func (d *disk) open(name string, create bool) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fails != nil {
		return nil, d.fails
	}
	if create {
		d.files[name] = &diskFile{disk: d}
	}
	return d.files[name], nil
}

func (d *disk) remove(name string) error {
	d.mu.Lock()
	slow := d.slow
	d.mu.Unlock()
	time.Sleep(slow)
	d.mu.Lock()
	defer d.mu.Unlock()
	if f := d.files[name]; f != nil && d.room >= 0 {
		d.room += len(f.data)
	}
	delete(d.files, name)
	return nil
}

func (d *disk) sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.named = maps.Clone(d.files)
	return d.fails
}

// set changes the disk.
func (d *disk) set(change func(*disk)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

func (f *diskFile) WriteAt(p []byte, at int64) (n int, err error) {
	f.disk.mu.Lock()
	slow := f.disk.slow
	f.disk.mu.Unlock()
	time.Sleep(slow)
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.fails != nil {
		return 0, f.disk.fails
	}
	if more := int(at) + len(p) - len(f.data); more > 0 && f.disk.room >= 0 {
		if more > f.disk.room {
			p = p[:max(0, len(p)-(more-f.disk.room))]
			more, err = f.disk.room, syscall.ENOSPC
		}
		f.disk.room -= more
	}
	f.put(diskWrite{at, bytes.Clone(p)})
	f.unsynced = append(f.unsynced, diskWrite{at, bytes.Clone(p)})
	return len(p), err
}

func (f *diskFile) put(w diskWrite) {
	if end := int(w.at) + len(w.data); end > len(f.data) {
		f.data = append(f.data, make([]byte, end-len(f.data))...)
	}
	copy(f.data[w.at:], w.data)
}

func (f *diskFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.data = f.data[:size]
	return f.disk.fails
}

func (f *diskFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.disk.syncs++
	if f.disk.fails == nil {
		f.synced, f.unsynced = bytes.Clone(f.data), nil
	}
	return f.disk.fails
}

func (f *diskFile) Close() error { return nil }

// crash returns the disk as it is after the power failed: of what was not synced, some
// is there, some is not, and some is torn.
func (d *disk) crash(r *rand.Rand) *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := newDisk()
	for name, f := range d.files {
		if d.named[name] != f && r.IntN(2) == 0 {
			continue
		}
		n := &diskFile{disk: after, data: bytes.Clone(f.synced)}
		for _, w := range f.unsynced {
			switch r.IntN(3) {
			case 0:
				n.put(w)
			case 1:
				n.put(diskWrite{w.at, w.data[:r.IntN(len(w.data)+1)]})
			}
		}
		n.synced = bytes.Clone(n.data)
		after.files[name] = n
	}
	after.named = maps.Clone(after.files)
	return after
}

// kill returns the disk as it is after the process was killed.
func (d *disk) kill() *disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	after := newDisk()
	for name, f := range d.files {
		after.files[name] = &diskFile{disk: after, data: bytes.Clone(f.data), synced: bytes.Clone(f.synced), unsynced: slices.Clone(f.unsynced)}
	}
	for name, f := range d.named {
		if d.files[name] == f {
			after.named[name] = after.files[name]
		}
	}
	return after
}
