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
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

var (
	entriesBucket  = []byte("entries")
	settingsBucket = []byte("settings")
)

// lockWait is how long another process may still have the file.
const lockWait = time.Second

// onDisk is a store in a file.
type onDisk struct{ db *bolt.DB }

func openDisk(path string) (s *onDisk, err error) {
	defer func() { // bbolt panics at some damage
		if p := recover(); p != nil {
			s, err = nil, damaged(path, fmt.Errorf("%v", p))
		}
	}()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", path)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType})
	var failed *fs.PathError
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%s is in use by another process", path)
	case errors.As(err, &failed):
		return nil, err
	case err != nil:
		return nil, damaged(path, err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, name := range [][]byte{entriesBucket, settingsBucket} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	return &onDisk{db}, nil
}

func damaged(path string, err error) error {
	return fmt.Errorf("%s is no event log, or is damaged: move it away, and a new one begins (%w)", path, err)
}

func (s *onDisk) update(f func(writer) error) error {
	return s.db.Update(func(tx *bolt.Tx) error { return f(diskTx{tx}) })
}

func (s *onDisk) view(f func(reader) error) error {
	return s.db.View(func(tx *bolt.Tx) error { return f(diskTx{tx}) })
}

func (s *onDisk) size() (n int64) {
	_ = s.db.View(func(tx *bolt.Tx) error { // fails once it is closed
		n = tx.Size()
		return nil
	})
	return n
}

func (s *onDisk) close() error { return s.db.Close() }

type diskTx struct{ tx *bolt.Tx }

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

func (t diskTx) removeFirst() error {
	b := t.bucket()
	k, _ := b.Cursor().First()
	return b.Delete(k)
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
