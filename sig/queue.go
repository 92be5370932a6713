package sig

import (
	"context"
	"sync"
)

// queue is bounded: when it is full, the oldest gives way and is counted.
type queue[T any] struct {
	limit int
	ready chan struct{} // holds a token while there may be items

	mu      sync.Mutex // guards the fields below
	items   []T
	dropped uint64
}

func newQueue[T any](limit int) *queue[T] {
	return &queue[T]{limit: limit, ready: make(chan struct{}, 1)}
}

// push never waits. It reports whether an older item was dropped for this one.
func (q *queue[T]) push(item T) (dropped bool) {
	q.mu.Lock()
	if dropped = len(q.items) == q.limit; dropped {
		var zero T
		q.items[0] = zero
		q.items = q.items[1:]
		q.dropped++
	}
	q.items = append(q.items, item)
	q.mu.Unlock()
	q.wake()
	return dropped
}

// pop waits for an item; ok is false once ctx has ended.
func (q *queue[T]) pop(ctx context.Context) (item T, ok bool) {
	for {
		select {
		case <-ctx.Done():
			return item, false
		case <-q.ready:
		}
		q.mu.Lock()
		if len(q.items) > 0 {
			item, q.items = q.items[0], q.items[1:]
			more := len(q.items) > 0
			if !more {
				q.items = nil
			}
			q.mu.Unlock()
			if more {
				q.wake()
			}
			return item, true
		}
		q.mu.Unlock()
	}
}

func (q *queue[T]) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

func (q *queue[T]) drops() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
