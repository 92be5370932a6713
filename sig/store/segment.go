package store

import "time"

// segmentBytes is the size from which on a segment takes no more records.
func (s *Store) segmentBytes() int64 { return min(max(s.opts.Bytes/8, 4<<10), 8<<20) }

// create begins a segment, and makes it the one that is written to.
func (s *Store) create() error {
	next := segment{index: 1}
	if n := len(s.segments); n > 0 {
		next.index = s.segments[n-1].index + 1
	}
	f, err := s.folder.open(next.name(), true)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt([]byte(line), 0); err != nil {
		f.Close()
		_ = s.folder.remove(next.name())
		return err
	}
	if s.file != nil {
		_ = s.trim() // the zeros mean nothing
	}
	s.mu.Lock()
	if s.file != nil {
		s.finished = append(s.finished, s.file)
	}
	s.file, s.created = f, true
	s.mu.Unlock()
	s.segments = append(s.segments, next)
	s.offset, s.gap = int64(len(line)), false
	if !s.header { // the run has begun, and goes on here
		s.run.after, s.run.first = s.written, s.written+1
		s.run.flags &^= mayMiss
		s.run.reserved = max(s.run.reserved, reserve(s.run.first))
		s.header = true
	}
	return nil
}

// roll begins another segment, and removes those that are too old or too many.
func (s *Store) roll() error {
	if err := s.create(); err != nil {
		return err
	}
	if err := s.writeHeader(); err != nil {
		return err
	}
	s.remove(time.Now())
	return nil
}

// writeHeader writes where the run begins, or where it goes on in another segment, if
// that has yet to be written.
func (s *Store) writeHeader() error {
	if s.file == nil {
		if err := s.create(); err != nil {
			return err
		}
	}
	if !s.header {
		return nil
	}
	if err := s.put(appendStart(s.buffer[:0], s.run)); err != nil {
		return err
	}
	s.header = false
	return nil
}

// retire begins another segment if the present one has become old, and removes those
// that are too old.
func (s *Store) retire(now time.Time) {
	if s.err() != nil {
		return
	}
	err := s.write(func() error { // removing takes as long as the disk likes, too
		if n := len(s.segments); n > 0 && s.segments[n-1].events > 0 && now.Sub(s.segments[n-1].first) > s.opts.Age/8 {
			defer s.dirty.Raise()
			return s.roll()
		}
		s.remove(now)
		return nil
	})
	if err != nil {
		s.fail(err)
	}
}

// remove removes segments, the oldest first, of which nothing has to be kept.
func (s *Store) remove(now time.Time) {
	events, bytes := 0, int64(0)
	for _, seg := range s.segments {
		events += seg.events
		bytes += seg.size
	}
	for len(s.segments) > 1 {
		seg := s.segments[0]
		old := seg.events == 0 || now.Sub(seg.last) > s.opts.Age
		if bytes <= s.opts.Bytes && events-seg.events < s.opts.Events && !old {
			return
		}
		if err := s.folder.remove(seg.name()); err != nil {
			s.log.Warn("cannot remove an old part of the store", "file", seg.name(), "err", err)
			return
		}
		events -= seg.events
		bytes -= seg.size
		s.segments = s.segments[1:]
	}
}
