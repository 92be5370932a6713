package eventlog

import (
	"context"
	"errors"
	"sync"

	"sigalert/internal/queue"
	"sigalert/internal/wait"
)

// ErrEnded is returned for entries that come after the log's Run has ended.
var ErrEnded = errors.New("the log has ended")

// MaxWaiting is how many entries may wait to be written.
const MaxWaiting = 4096

const waitingBytes = 2 << 20 // of their data

// backlog holds entries until they are written.
type backlog struct {
	ready wait.Token // raised when there are entries, or something else for Run to look at

	mu      sync.Mutex // guards the fields below
	waiting queue.Queue[Entry]
	room    chan struct{} // closed, and replaced, when there is room again: any number wait for it
	closed  bool
}

func newBacklog() *backlog {
	return &backlog{
		ready:   wait.NewToken(),
		waiting: queue.New(MaxWaiting, waitingBytes, func(e *Entry) int { return len(e.Data) }),
		room:    make(chan struct{}),
	}
}

// offer accepts an entry if there is room; otherwise it returns a channel that is
// closed when there may be.
func (b *backlog) offer(e Entry) (room <-chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.closed:
		return nil, ErrEnded
	case !b.waiting.Fits(e):
		return b.room, nil
	}
	b.waiting.Push(e)
	b.ready.Raise()
	return nil, nil
}

// add waits for room.
func (b *backlog) add(ctx context.Context, e Entry) error {
	for {
		room, err := b.offer(e)
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

// take removes all entries.
func (b *backlog) take() []Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.makeRoom()
	return b.waiting.Take()
}

// close makes the backlog refuse further entries, and returns those that wait.
func (b *backlog) close() []Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.makeRoom()
	return b.waiting.Take()
}

// makeRoom requires the lock.
func (b *backlog) makeRoom() {
	close(b.room)
	b.room = make(chan struct{})
}
