package eventlog

import (
	"context"
	"fmt"
	"slices"

	"sigalert/sig"
)

// maxOnce is how many events are recognized when they come again: at least these, and
// at most twice as many.
const maxOnce = 10_000

// EventID tells an event from others. The time is the server's: one that restarts counts
// from 1 again.
type EventID struct {
	seq  uint64 // the server's number; 0: not known
	time int64  // µs since 1970
}

// IDOf is an event's.
func IDOf(ev sig.Event) EventID { return EventID{ev.Seq, ev.Time.UnixMicro()} }

// EventID is that of the entry's event, if the log has Options.Once; otherwise it has
// only the event's time.
func (e Entry) EventID() EventID { return EventID{e.position.Seq, e.Time.UnixMicro()} }

// String is a word without spaces.
func (id EventID) String() string { return fmt.Sprintf("%d.%d", id.seq, id.time) }

// numbers are the events that a log has had last. The zero value has none.
type numbers struct{ young, old map[EventID]struct{} }

func (n *numbers) have(x EventID) bool {
	_, young := n.young[x]
	_, old := n.old[x]
	return young || old
}

func (n *numbers) add(x EventID) {
	if len(n.young) >= maxOnce {
		n.young, n.old = nil, n.young
	}
	if n.young == nil {
		n.young = make(map[EventID]struct{})
	}
	n.young[x] = struct{}{}
}

// loadNumbers finds those of the newest entries.
func loadNumbers(tx reader) (n numbers) {
	_, last := tx.ends()
	for _, r := range tx.descend(last) {
		if len(n.young) == maxOnce {
			break
		}
		if f, err := r.fields(); err == nil && f.seq > 0 {
			n.add(EventID{f.seq, f.time})
		}
	}
	return n
}

// fresh are those of a batch that the log has not had, and their numbers.
func (n *numbers) fresh(batch []Entry) ([]Entry, []EventID) {
	var new []EventID
	seen := make(map[EventID]bool)
	return slices.DeleteFunc(batch, func(e Entry) bool {
		x := e.EventID()
		if x.seq == 0 {
			return false
		}
		if n.have(x) || seen[x] {
			return true
		}
		seen[x] = true
		new = append(new, x)
		return false
	}), new
}

// Flush returns once all that was offered before is written. The error says why it is
// not: the log's trouble, ctx's or ErrEnded.
func (l *Log) Flush(ctx context.Context) error {
	written := make(chan struct{})
	for offered := false; ; {
		changed := l.Changed()
		if err := l.State().Err; err != nil {
			return err
		}
		var room <-chan struct{}
		if !offered {
			var err error
			if room, err = l.backlog.offer(Entry{passed: true, written: written}); err != nil {
				return err
			}
			offered = room == nil
		}
		select {
		case <-written:
			return nil
		case <-room:
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// tellWritten ends the waits of those whose entries were in a batch.
func tellWritten(batch []Entry) {
	for _, e := range batch {
		if e.written != nil {
			close(e.written)
		}
	}
}
