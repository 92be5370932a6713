package sig

import (
	"context"
	"sync"
	"sync/atomic"

	"sigalert/internal/wait"
)

// arrivals is what waits for the listeners of a client, bounded in events and
// in bytes.
type arrivals struct {
	limit int
	ready wait.Token  // there may be something
	room  wait.Token  // there may be room again
	full  atomic.Bool // it has what is its bound

	mu      sync.Mutex // guards the fields below
	items   []arrival
	bytes   int
	small   int // takes in a row that found few items
	dropped uint64
}

// After so many takes of so few items, the room for more is given back.
const smallTake, smallTakes = 16, 16

func newArrivals(limit int) *arrivals {
	return &arrivals{limit: max(limit, 4), ready: wait.NewToken(), room: wait.NewToken()}
}

// push never waits: the oldest give way where there are too many, but for words
// of missed and passed events, of which alike ones become one.
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
		q.items[0] = arrival{} // the slice behind must not keep it
		q.items = q.items[1:]
		q.dropped++
	}
	q.items = append(q.items, a)
	if q.bytes += a.size(); len(q.items) >= q.limit-1 || q.bytes > queueBytes-MaxMessage {
		q.full.Store(true) // but for an event in hand
	}
	if len(q.items) == 1 {
		q.ready.Raise()
	}
}

// merge adds to a word of missed events that nothing but such words follows: of
// those with a count, and of those without, there is one. It needs the lock.
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

// take waits for items and takes all, leaving an emptied slice for the next;
// nil once ctx has ended.
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
			q.mu.Unlock()
			q.room.Raise()
			return items
		}
		q.mu.Unlock()
	}
}

// drop counts an event that never came in.
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
