package sig

import (
	"context"
	"sync"
)

// queueBytes bounds the data that waits in a queue, whatever its length.
const queueBytes = 8 << 20

// queue is bounded in items and in bytes: when it is full, the oldest give way
// and are counted. An item alone may be of any size.
type queue[T interface{ size() int }] struct {
	limit int
	ready chan struct{} // holds a token while there may be items

	mu      sync.Mutex // guards the fields below
	items   []T
	bytes   int
	dropped uint64
}

func newQueue[T interface{ size() int }](limit int) *queue[T] {
	return &queue[T]{limit: limit, ready: make(chan struct{}, 1)}
}

// push never waits. It tells how many older items were dropped for this one.
func (q *queue[T]) push(item T) (dropped int) {
	q.mu.Lock()
	for len(q.items) > 0 && (len(q.items) >= q.limit || q.bytes+item.size() > queueBytes) {
		q.shift()
		dropped++
	}
	q.dropped += uint64(dropped)
	q.items = append(q.items, item)
	q.bytes += item.size()
	q.mu.Unlock()
	q.wake()
	return dropped
}

// shift takes the oldest item; the caller holds the lock.
func (q *queue[T]) shift() T {
	var zero T
	item := q.items[0]
	q.items[0] = zero // the slice behind must not keep it
	if q.items = q.items[1:]; len(q.items) == 0 {
		q.items = nil
	}
	q.bytes -= item.size()
	return item
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
			item = q.shift()
			more := len(q.items) > 0
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

// drop counts an item that never came in.
func (q *queue[T]) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped++
}

func (q *queue[T]) drops() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
