// Package memory keeps what an agent has to know after a restart: one file, which is
// written whole, so that a kill or a full disk leaves either the old one or the new.
package memory

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sigalert/internal/wait"
)

// version is that of the file's form. A file of another version is not read.
const version = 1

// maxFile bounds the file that is read, in bytes: what the stages keep at most fits.
const maxFile = 256 << 20

const retryDelay = 10 * time.Second // between two attempts to write

// form is the file.
type form struct {
	Version int   `json:"version"`
	State   State `json:"state"`
}

// Load reads a file; one that does not exist has the zero State. One that is not a
// memory, or is that of another version, is put aside, under its name with
// ".unreadable" at the end; the error says so.
func Load(path string) (State, error) {
	text, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, nil
	}
	var f form
	if err == nil {
		if err = json.Unmarshal(text, &f); err == nil && f.Version != version {
			err = fmt.Errorf("it has version %d, and this program reads version %d", f.Version, version)
		}
	}
	if err == nil {
		return f.State, nil
	}
	aside := path + ".unreadable"
	if failed := os.Rename(path, aside); failed != nil {
		return State{}, fmt.Errorf("cannot use %s: %w", path, err)
	}
	return State{}, fmt.Errorf("cannot use %s, which is %s now: %w", path, aside, err)
}

func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > maxFile:
		return nil, fmt.Errorf("it has %d bytes", info.Size())
	}
	return os.ReadFile(path)
}

// Keeper writes a file. It is made by NewKeeper.
type Keeper struct {
	path    string
	before  func(context.Context)
	trouble func(error)
	ready   wait.Token // there is something to write

	mu      sync.Mutex // guards the field below
	waiting *State     // nil: nothing is

	// The fields below belong to Run.
	written []byte // what the file has; nil: not known
	failed  bool   // the last attempt did
}

// NewKeeper returns a keeper that writes nothing until Run. It calls before, which may
// wait until what the state relies on is on the disk, ahead of each attempt to write,
// and trouble when the file cannot be written, and with nil when it can be again;
// neither is nil.
func NewKeeper(path string, before func(context.Context), trouble func(error)) *Keeper {
	return &Keeper{path: path, before: before, trouble: trouble, ready: wait.NewToken()}
}

// Keep takes over what is to be written, which nobody may change any more. It does not
// wait.
func (k *Keeper) Keep(s State) {
	k.mu.Lock()
	k.waiting = &s
	k.mu.Unlock()
	k.ready.Raise()
}

// textOf is the file. Events' data must not grow in it: it is neither indented nor escaped
// for HTML.
func textOf(s *State) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(form{version, *s}); err != nil { // a State has nothing that JSON cannot hold
		panic(err)
	}
	return b.Bytes()
}

// Run writes until ctx ends; then it writes once more what is waiting. It reports
// whether the file has everything.
func (k *Keeper) Run(ctx context.Context) bool {
	for delay := time.Duration(1<<63 - 1); wait.Sleep(ctx, delay, k.ready); {
		delay = 1<<63 - 1
		if !k.write(ctx) {
			delay = retryDelay
		}
	}
	return k.write(context.WithoutCancel(ctx))
}

// write reports whether nothing is waiting any more.
func (k *Keeper) write(ctx context.Context) bool {
	k.mu.Lock()
	state := k.waiting
	k.waiting = nil
	k.mu.Unlock()
	if state == nil {
		return true
	}
	text := textOf(state)
	if bytes.Equal(text, k.written) {
		return true
	}
	k.before(ctx)
	err := replace(k.path, text)
	if failed := err != nil; failed != k.failed {
		k.failed = failed
		k.trouble(err)
	}
	if err == nil {
		k.written = text
		return true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.waiting == nil {
		k.waiting = state
	}
	return false
}

// replace puts a new file in the place of an old one, which stays if that fails.
func replace(path string, text []byte) (err error) {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if d, err := os.Open(folder); err == nil {
		_ = d.Sync() // best effort: not every file system can, and a kill does not need it
		_ = d.Close()
	}
	return nil
}
