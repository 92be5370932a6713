package eventlog

import (
	"context"
	"errors"
	"sync"
)

// ErrEnded: the log's Run has ended.
var ErrEnded = errors.New("the log has ended")

const (
	queueEntries = 4096
	queueBytes   = 2 << 20
)

// queue holds entries until they are written.
type queue struct {
	ready chan struct{} // holds a token while there may be entries

	mu      sync.Mutex // guards the fields below
	entries []Entry
	bytes   int
	room    chan struct{} // closed, and replaced, when there is room again
	closed  bool
}

func newQueue() *queue {
	return &queue{ready: make(chan struct{}, 1), room: make(chan struct{})}
}

// offer takes an entry if there is room, and else returns a channel that is
// closed when there may be. A single entry always fits.
func (q *queue) offer(e Entry) (room <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	size := len(e.Data)
	switch {
	case q.closed:
		return nil, ErrEnded
	case len(q.entries) >= queueEntries || len(q.entries) > 0 && q.bytes+size > queueBytes:
		return q.room, nil
	}
	q.entries = append(q.entries, e)
	q.bytes += size
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return nil, nil
}

// add waits for room.
func (q *queue) add(ctx context.Context, e Entry) error {
	for {
		room, err := q.offer(e)
		if room == nil {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// take empties the queue.
func (q *queue) take() []Entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	entries := q.entries
	q.entries, q.bytes = nil, 0
	close(q.room)
	q.room = make(chan struct{})
	return entries
}

// close has the queue take nothing more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	close(q.room)
	q.room = make(chan struct{})
}
