package eventlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

var (
	entriesBucket  = []byte("entries")
	settingsBucket = []byte("settings")
)

// lockWait is how long another process may still hold the file.
const lockWait = time.Second

// onDisk is a store in a file.
type onDisk struct {
	db   *bolt.DB
	path string
	info os.FileInfo // of the file that is open
	file *os.File    // that bbolt has opened
	// stuck: a failure has left bbolt's locks held for ever.
	stuck atomic.Bool
	read  atomic.Int64 // bytes, since they were released
}

func openDisk(path string) (*onDisk, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("the folder of %s: %w", path, err)
	}
	s := &onDisk{path: path}
	if err := s.check(); err != nil {
		return nil, err
	}
	// With an array the lowest free page is taken: neighbours in the log are neighbours in the file.
	if err := s.open(&bolt.Options{FreelistType: bolt.FreelistArrayType}); err != nil {
		return nil, err
	}
	err := s.do(s.db.Update, func(tx diskTx) error {
		for _, name := range [][]byte{entriesBucket, settingsBucket} {
			if _, err := tx.tx.CreateBucketIfNotExists(name); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		return nil
	})
	if err == nil {
		s.info, err = os.Stat(path)
	}
	if err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// ErrInUse is wrapped by the error for a file that another process has open.
var ErrInUse = errors.New("is in use by another process")

// Check reads all of a log's structure, as a Log does before it opens the file, and
// changes nothing. That there is no file is no fault.
func Check(path string) error { return (&onDisk{path: path}).check() }

// leastSize is that of two pages: bbolt has no error of its own for less.
const leastSize = 2 * 4096

// check refuses what is not a regular file, and one that is truncated or whose
// structure is damaged: bbolt may find anything there.
func (s *onDisk) check() error {
	info, err := os.Stat(s.path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a file", s.path)
	case err != nil || info.Size() == 0:
		return nil // open creates it, or says why it cannot
	case info.Size() < leastSize:
		return s.damaged(fmt.Sprintf("it has %d bytes", info.Size()))
	}
	// The list of free pages, which may be anywhere in the file, is not read.
	if err := s.open(&bolt.Options{ReadOnly: true}); err != nil {
		return err
	}
	damage, err := s.damage() // while the lock keeps others from writing
	if err := errors.Join(err, s.close()); err != nil {
		return err
	}
	if damage != nil {
		return s.damaged(damage)
	}
	return nil
}

func (s *onDisk) damage() (damage, err error) {
	file, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return checkStructure(file, info.Size(), s.db.Info().PageSize), nil
}

func (s *onDisk) open(opts *bolt.Options) (err error) {
	defer s.guard(&err, nil)()
	opts.Timeout, opts.InitialMmapSize = lockWait, mapped
	opts.OpenFile = func(name string, flag int, perm fs.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, flag, perm)
		s.file = f
		return f, err
	}
	s.db, err = bolt.Open(s.path, 0o600, opts)
	var failed *fs.PathError
	switch {
	case err == nil:
		s.db.AllocSize = 1 << 20 // a log of twenty events should not take 16 MiB
		return nil
	case errors.As(err, &failed):
		return err
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("%s %w", s.path, ErrInUse)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return s.damaged(err)
	}
	return fmt.Errorf("open %s: %w", s.path, err) // the system does not name the file
}

func (s *onDisk) damaged(why any) error {
	return fmt.Errorf("%s is not an event log, or is damaged: move it elsewhere to begin a new one (%v)", s.path, why)
}

func (s *onDisk) stale() error {
	return fmt.Errorf("%s was damaged while it was open: move it elsewhere, or put a good one in its place, and %w", s.path, ErrStale)
}

// guard turns a panic between its call and that of end into an error: bbolt
// panics on some kinds of damage, and reading what has gone from a mapped file is
// a fault. tx is the transaction, once there is one; if it has not ended, nothing
// more can be read from the file.
func (s *onDisk) guard(err *error, tx **bolt.Tx) (end func()) {
	faults := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(faults)
		p := recover()
		if p == nil {
			return
		}
		if _, fault := p.(interface{ Addr() uintptr }); fault {
			p = "a part of it is missing"
		}
		*err = s.damaged(p)
		if tx != nil && (*tx == nil || (*tx).DB() != nil) {
			s.stuck.Store(true)
			*err = s.stale()
		}
	}
}

func (s *onDisk) update(f func(writer) error) error {
	// If the file was unlinked, all would seem well and be lost at the end.
	if now, err := os.Stat(s.path); err != nil || !os.SameFile(now, s.info) {
		return fmt.Errorf("%s was removed or replaced while it was open: %w", s.path, ErrStale)
	}
	return s.do(s.db.Update, func(tx diskTx) error { return f(tx) })
}

func (s *onDisk) view(f func(reader) error) error {
	return s.do(s.db.View, func(tx diskTx) error { return f(tx) })
}

func (s *onDisk) do(transact func(func(*bolt.Tx) error) error, f func(diskTx) error) (err error) {
	if s.stuck.Load() {
		return s.stale()
	}
	var tx *bolt.Tx
	defer s.guard(&err, &tx)()
	return transact(func(begun *bolt.Tx) error {
		tx = begun
		if tx.Writable() { // over time, updates read all of the file
			defer release(tx)
		}
		return f(diskTx{tx, &s.read})
	})
}

func (s *onDisk) size() (n int64) {
	_ = s.do(s.db.View, func(tx diskTx) error { // fails once it is closed
		n = tx.tx.Size()
		return nil
	})
	return n
}

func (s *onDisk) close() error {
	if s.stuck.Load() { // bbolt would wait for its locks; this gives back the file's
		unlock(s.file) // the mapping, which stays, would keep it
		return s.file.Close()
	}
	return s.db.Close()
}

type diskTx struct {
	tx   *bolt.Tx
	read *atomic.Int64
}

// releaseAfter is how much of a file is read before it is released.
const releaseAfter = 4 << 20

func (t diskTx) reads(v []byte) {
	if t.read.Add(int64(len(v))) > releaseAfter {
		release(t.tx)
		t.read.Store(0)
	}
}

func (t diskTx) bucket() *bolt.Bucket { return t.tx.Bucket(entriesBucket) }

func key(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

func number(key []byte) uint64 {
	if len(key) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(key)
}

func (t diskTx) ends() (first, last uint64) {
	c := t.bucket().Cursor()
	k, _ := c.First()
	first = number(k)
	k, _ = c.Last()
	return first, number(k)
}

func (t diskTx) get(id uint64) record { return t.bucket().Get(key(id)) }

func (t diskTx) ascend(id uint64) iter.Seq2[uint64, record] {
	return func(yield func(uint64, record) bool) {
		c := t.bucket().Cursor()
		for k, v := c.Seek(key(id)); k != nil; k, v = c.Next() {
			t.reads(v)
			if !yield(number(k), v) {
				return
			}
		}
	}
}

func (t diskTx) descend(id uint64) iter.Seq2[uint64, record] {
	return func(yield func(uint64, record) bool) {
		c := t.bucket().Cursor()
		k, v := c.Seek(key(id))
		switch {
		case k == nil:
			k, v = c.Last()
		case number(k) > id:
			k, v = c.Prev()
		}
		for ; k != nil; k, v = c.Prev() {
			t.reads(v)
			if !yield(number(k), v) {
				return
			}
		}
	}
}

func (t diskTx) setting(name string) []byte {
	return t.tx.Bucket(settingsBucket).Get([]byte(name))
}

func (t diskTx) settings(prefix string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		c := t.tx.Bucket(settingsBucket).Cursor()
		for k, v := c.Seek([]byte(prefix)); bytes.HasPrefix(k, []byte(prefix)) && k != nil; k, v = c.Next() {
			if !yield(string(k), v) {
				return
			}
		}
	}
}

func (t diskTx) put(id uint64, r record) error {
	b := t.bucket()
	b.FillPercent = 0.95 // nothing is ever put between
	return b.Put(key(id), r)
}

func (t diskTx) removeBefore(id uint64) error {
	b := t.bucket()
	first, last := t.ends()
	for ; first < id && first <= last; first++ {
		if err := b.Delete(key(first)); err != nil {
			return err
		}
	}
	return nil
}

func (t diskTx) removeAll() error {
	if err := t.tx.DeleteBucket(entriesBucket); err != nil {
		return err
	}
	_, err := t.tx.CreateBucket(entriesBucket)
	return err
}

func (t diskTx) set(name string, value []byte) error {
	b := t.tx.Bucket(settingsBucket)
	if value == nil {
		return b.Delete([]byte(name))
	}
	return b.Put([]byte(name), value)
}
