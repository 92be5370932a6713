package sig

import (
	"context"
	"sync"
	"sync/atomic"

	"sigalert/internal/wait"
)

// arrivals holds what waits for the listeners of a client, bounded in events
// and in bytes.
type arrivals struct {
	limit int
	ready wait.Token  // there may be something
	room  wait.Token  // there may be room again
	full  atomic.Bool // it has reached a bound

	mu      sync.Mutex // guards the fields below
	items   []arrival
	bytes   int
	small   int // consecutive takes that found few items
	dropped uint64
	ended   bool // nothing more comes
}

// After more than smallTakes consecutive takes of at most smallTake items, the
// memory for more is released.
const smallTake, smallTakes = 16, 16

func newArrivals(limit int) *arrivals {
	return &arrivals{limit: max(limit, 4), ready: wait.NewToken(), room: wait.NewToken()}
}

// push never waits. An event makes the oldest items give way if there are too
// many; a notice of missed or passed events does not, and is merged with the
// last one of its kind.
func (q *arrivals) push(a arrival) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if a.missed != 0 && q.merge(a.missed) {
		return
	}
	if last := len(q.items) - 1; a.passed.Epoch != "" && last >= 0 && q.items[last].passed.Epoch != "" {
		q.items[last] = a
		return
	}
	for a.missed == 0 && a.passed.Epoch == "" && len(q.items) > 0 && (len(q.items) >= q.limit || q.bytes+a.size() > queueBytes) {
		q.bytes -= q.items[0].size()
		q.items[0] = arrival{} // the array must not keep it
		q.items = q.items[1:]
		q.dropped++
	}
	q.items = append(q.items, a)
	if q.bytes += a.size(); len(q.items) >= q.limit-1 || q.bytes > queueBytes-MaxMessage {
		q.full.Store(true) // except for an event that has been read already
	}
	if len(q.items) == 1 {
		q.ready.Raise()
	}
}

// merge adds to an earlier notice of missed events that only such notices
// follow: among them there is at most one with a count and one without. The
// caller holds the lock.
func (q *arrivals) merge(missed int) bool {
	for i := len(q.items) - 1; i >= 0 && q.items[i].missed != 0; i-- {
		if word := &q.items[i].missed; (*word > 0) == (missed > 0) {
			*word = max(-1, *word+missed)
			return true
		}
	}
	return false
}

func (q *arrivals) isFull() bool { return q.full.Load() }

// take waits for items and returns them all, leaving an emptied slice for the
// next ones; nil once ctx has ended, or there are none after end.
func (q *arrivals) take(ctx context.Context, emptied []arrival) []arrival {
	clear(emptied)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-q.ready:
		}
		q.mu.Lock()
		items := q.items
		if len(items) > 0 {
			q.items, q.bytes = emptied[:0], 0
			q.full.Store(false)
			if q.small++; len(items) > smallTake {
				q.small = 0
			}
			if q.small > smallTakes {
				q.items = nil // a rush is over
			}
			if q.ended {
				q.ready.Raise() // once more, for the end
			}
			q.mu.Unlock()
			q.room.Raise()
			return items
		}
		ended := q.ended
		q.mu.Unlock()
		if ended {
			return nil
		}
	}
}

// end says that nothing more comes.
func (q *arrivals) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.ready.Raise()
}

// drop counts an event that was not let in.
func (q *arrivals) drop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropped++
}

func (q *arrivals) drops() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.dropped
}
