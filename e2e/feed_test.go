//go:build linux

package e2e

import (
	"bytes"
	"context"
	"slices"
	"sync"
)

// feed collects what a process writes or a bus carries, and wakes those who
// wait for it.
type feed[T any] struct {
	mu      sync.Mutex // guards the fields below
	items   []T
	changed chan struct{} // closed when an item comes
}

func newFeed[T any]() *feed[T] { return &feed[T]{changed: make(chan struct{})} }

func (f *feed[T]) add(v T) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.items = append(f.items, v)
	close(f.changed)
	f.changed = make(chan struct{})
}

// from returns a copy of the items from number i on, and a channel that closes when there are more.
func (f *feed[T]) from(i int) ([]T, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.items[min(i, len(f.items)):]), f.changed
}

// wait returns the first item from number i on that ok accepts, and its number.
func (f *feed[T]) wait(ctx context.Context, i int, ok func(T) bool) (item T, n int, found bool) {
	for {
		items, changed := f.from(i)
		for k, v := range items {
			if ok(v) {
				return v, i + k, true
			}
		}
		i += len(items)
		select {
		case <-changed:
		case <-ctx.Done():
			if items, _ := f.from(i); len(items) > 0 {
				continue
			}
			return item, 0, false
		}
	}
}

// lineWriter hands on each line written to it.
type lineWriter struct {
	partial []byte
	emit    func(string)
}

func (w *lineWriter) Write(p []byte) (int, error) {
	w.partial = append(w.partial, p...)
	for {
		line, rest, ok := bytes.Cut(w.partial, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		w.emit(string(line))
		w.partial = rest
	}
}

// flush hands on a last line that has no newline.
func (w *lineWriter) flush() {
	if len(w.partial) > 0 {
		w.emit(string(w.partial))
		w.partial = nil
	}
}
