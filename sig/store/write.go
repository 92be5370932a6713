package store

import (
	"context"
	"runtime"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
)

const (
	writeBytes = 1 << 20 // at once, but for a longer record
	maxSpare   = 4096    // events: more room than that is given back

	prepareBytes = 512 << 10
	tidyEvery    = time.Minute
)

// Run writes what is appended, until ctx ends and all of it is written; then it notes
// that nothing is missing. The error is that of the disk, if it could not be written to
// the end.
func (s *Store) Run(ctx context.Context) error {
	s.ready.Raise() // the last run may have left something to note
	stop := wait.Start(context.WithoutCancel(ctx), s.syncLoop)
	tidy := time.NewTicker(tidyEvery)
	defer tidy.Stop()
	for ctx.Err() == nil {
		var again <-chan time.Time
		if s.err() != nil {
			again = time.After(retry)
		}
		select {
		case <-ctx.Done():
		case <-again:
			s.flush()
		case <-s.readyUnless(again):
			s.flush()
		case now := <-tidy.C:
			s.retire(now)
		}
	}
	s.flush()
	stop()
	err := s.err()
	if err == nil {
		err = s.finish()
	}
	s.mu.Lock()
	s.running = false
	s.release()
	return err
}

// readyUnless is nil while the disk is being left alone.
func (s *Store) readyUnless(again <-chan time.Time) wait.Token {
	if again != nil {
		return nil
	}
	return s.ready
}

func (s *Store) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failing
}

// flush writes everything that waits.
func (s *Store) flush() {
	for {
		runtime.Gosched() // whoever is about to append something may do so
		s.mu.Lock()
		all, dropped, unsynced := s.waiting, s.dropped, s.unsynced
		s.waiting, s.stripped, s.bytes = s.spare, 0, 0
		s.mu.Unlock()
		s.batch, s.spare = all, nil
		if len(all) == 0 && !s.header && !s.gap && unsynced == nil {
			s.spare = all
			return
		}
		err := s.write(func() error { return s.writeBatch(dropped) })
		if err == nil && unsynced != nil {
			err = s.syncAgain(unsynced)
		}
		if err != nil {
			s.putBack()
			s.fail(err)
			return
		}
		s.recovered()
		if cap(all) <= maxSpare {
			s.spare = all[:0]
		}
	}
}

// syncAgain syncs after a sync that failed.
func (s *Store) syncAgain(failed error) error {
	if s.err() == nil { // it has failed just now
		return failed
	}
	if err := s.awaited(s.file.Sync); err != nil {
		return err
	}
	s.mu.Lock()
	s.unsynced = nil
	s.mu.Unlock()
	return nil
}

// putBack is for what could not be written.
func (s *Store) putBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.batch) > 0 && s.dropped.From > s.batch[0].Seq { // even later ones are gone
		s.dropped.From = s.batch[0].Seq
		s.batch = nil
	}
	s.waiting, s.batch = append(s.batch, s.waiting...), nil
	s.bytes, s.stripped = 0, 0
	for i := range s.waiting {
		s.bytes += sizeOf(&s.waiting[i])
	}
	for s.stripped < len(s.waiting) && s.waiting[s.stripped].Lost {
		s.stripped++
	}
	s.bound()
}

// writeBatch writes the batch, after a note of what was dropped before it. What is
// written of it leaves it.
func (s *Store) writeBatch(dropped sig.Span) error {
	if err := s.writeHeader(); err != nil {
		return err
	}
	if dropped.To > 0 {
		if err := s.put(appendGap(s.buffer[:0], dropped.From, dropped.To)); err != nil {
			return err
		}
		s.mu.Lock()
		if s.written = dropped.To; s.dropped.To == dropped.To {
			s.dropped = sig.Span{}
		} else {
			s.dropped.From = dropped.To + 1
		}
		s.mu.Unlock()
	}
	for len(s.batch) > 0 {
		if err := s.writeSome(); err != nil {
			return err
		}
	}
	if s.gap {
		return s.mark(markWhole)
	}
	return nil
}

// writeSome writes as much of the batch as is written at once.
func (s *Store) writeSome() error {
	if s.offset >= s.segmentBytes() || s.run.reserved < s.batch[0].Seq+block/4 {
		if err := s.roll(); err != nil {
			return err
		}
	}
	b, n := s.buffer[:0], 0
	for n < len(s.batch) && (n == 0 || len(b) < writeBytes && s.offset+int64(len(b)) < s.segmentBytes()) {
		b = appendEvent(b, &s.batch[n])
		n++
	}
	if err := s.put(b); err != nil {
		return err
	}
	seg := &s.segments[len(s.segments)-1]
	for i := range s.batch[:n] {
		seg.note(s.batch[i].Time)
		if s.batch[i].Lost {
			s.lost++
		}
	}
	last := s.batch[n-1].Seq
	clear(s.batch[:n])
	s.batch = s.batch[n:]
	s.mu.Lock()
	s.written = last
	s.release()
	s.dirty.Raise()
	return nil
}

// put writes records at the end. If that fails, the next attempt begins at the same
// place.
func (s *Store) put(b []byte) error {
	if s.buffer = b; cap(b) > 2*writeBytes {
		s.buffer = nil
	}
	s.prepare(int64(len(b)))
	if _, err := s.file.WriteAt(b, s.offset); err != nil {
		return err
	}
	s.offset += int64(len(b))
	s.segments[len(s.segments)-1].size = s.offset
	return nil
}

// prepare writes zeros where the next records will be: a sync takes half as long where
// the file does not grow.
func (s *Store) prepare(n int64) {
	if s.opts.Sync == SyncNone || s.offset+n <= s.room {
		return
	}
	ahead := min(int64(prepareBytes), s.segmentBytes())
	if _, err := s.file.WriteAt(make([]byte, n+ahead), s.offset); err == nil { // otherwise it grows with each
		s.room = s.offset + n + ahead
	}
}

// trim takes back what prepare has written.
func (s *Store) trim() error {
	if s.room <= s.offset {
		return nil
	}
	s.room = 0
	return s.file.Truncate(s.offset)
}

// mark says in the segment's line whether events may be missing after the last one.
func (s *Store) mark(as byte) error {
	_, err := s.file.WriteAt([]byte{as}, int64(markAt))
	if err == nil {
		s.gap = as != markWhole
	}
	return err
}

// fail notes that the disk cannot be written: nobody waits for it any more.
func (s *Store) fail(err error) {
	s.mu.Lock()
	first := s.failing == nil
	s.failing = err
	s.release()
	if first {
		s.log.Error("cannot write the store: events go on, and are kept in memory only", "err", err, "retry", retry)
	}
	if s.file != nil && !s.gap {
		_ = s.mark(markGap) // which needs no room
		s.gap = true
	}
}

// recovered notes that all is written.
func (s *Store) recovered() {
	s.mu.Lock()
	failed := s.failing != nil
	s.failing = nil
	s.release()
	if failed {
		s.log.Info("the store is written again", "events_without_data", s.lost)
		s.lost = 0
	}
}

// syncLoop syncs what has been written, until ctx ends.
func (s *Store) syncLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.dirty:
		}
		if s.opts.Sync == SyncGroup && !wait.Sleep(ctx, groupDelay, nil) {
			return
		}
		if err := s.sync(); err != nil {
			s.mu.Lock()
			s.unsynced = err
			s.mu.Unlock()
			s.ready.Raise()
		}
	}
}

// sync syncs what is written, and closes the files that are complete.
func (s *Store) sync() error {
	s.mu.Lock()
	finished, current, created, upTo := s.finished, s.file, s.created, s.written
	s.finished, s.created = nil, false
	s.mu.Unlock()
	var err error
	each := func(operate func() error) {
		if s.opts.Sync != SyncNone && err == nil {
			err = operate()
		}
	}
	operate := func() error {
		for _, f := range finished {
			each(f.Sync)
			f.Close()
		}
		if created {
			each(s.folder.sync)
		}
		if current != nil {
			each(current.Sync)
		}
		return err
	}
	if s.opts.Sync == SyncEach {
		_ = s.awaited(operate)
	} else {
		_ = operate()
	}
	s.mu.Lock()
	s.synced = max(s.synced, upTo) // even if not: nobody waits for a disk that fails
	s.release()
	return err
}

// syncAll is sync before Run, whatever the mode.
func (s *Store) syncAll() error {
	s.mu.Lock()
	s.created = false
	s.mu.Unlock()
	if err := s.file.Sync(); err != nil {
		return err
	}
	return s.folder.sync()
}

// finish notes that the run has ended, and nothing is missing.
func (s *Store) finish() error {
	if err := s.sync(); err != nil {
		return err
	}
	if err := s.put(appendEnd(s.buffer[:0], s.written)); err != nil {
		return err
	}
	if err := s.trim(); err != nil {
		return err
	}
	return s.syncAll()
}
