package store

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigalert/sig"
)

const (
	suffix = ".events"
	// maxSegment is more than a segment has, whose last record may be a long one.
	maxSegment = 16 << 20
	// block is how many numbers a run reserves. After one that did not end as it
	// should, the next one begins after them.
	block = 1_000_000_000
	// maxNumber is the highest number that is believed: JavaScript has twice as many.
	maxNumber = 1 << 52
)

// segment is a file with records.
type segment struct {
	index  uint64
	size   int64
	events int
	first  time.Time // of its events; zero: it has none
	last   time.Time
}

func (s segment) name() string { return fmt.Sprintf("%010d"+suffix, s.index) }

// note counts an event.
func (s *segment) note(at time.Time) {
	if s.events == 0 {
		s.first = at
	}
	s.events++
	s.last = at
}

// segmentNames are the names of the segments in the folder, the oldest first.
func segmentNames(f folder) (found []segment, err error) {
	names, err := f.names()
	for _, name := range names {
		number, isSegment := strings.CutSuffix(name, suffix)
		if index, err := strconv.ParseUint(number, 10, 64); isSegment && err == nil && name == (segment{index: index}).name() {
			found = append(found, segment{index: index})
		}
	}
	slices.SortFunc(found, func(a, b segment) int { return cmp.Compare(a.index, b.index) })
	return found, err
}

// checkVersion refuses a segment of another version. One whose line is damaged is
// of this one.
func checkVersion(name string, text []byte) error {
	rest, ok := bytes.CutPrefix(text[:min(len(text), 64)], []byte(lineStart))
	if !ok {
		return nil
	}
	version, _, ok := bytes.Cut(rest, []byte(" "))
	n, err := strconv.Atoi(string(version))
	if ok && err == nil && n != 1 {
		return fmt.Errorf("%s has version %d of the format: this program reads and writes version 1", name, n)
	}
	return nil
}

// reader accounts for all numbers, one segment after the other.
type reader struct {
	add func(sig.StoredEvent)

	begun    bool
	prev     uint64 // accounted for up to here
	reserved uint64
	unknown  []sig.Span
	epoch    string
	run      start // the latest
	ended    bool  // the latest record says that its run has ended
	events   int
}

// read takes a segment's text, and returns what it looks like.
func (r *reader) read(text []byte, seg *segment) scanned {
	found := scan(text, func(rec record) { r.record(rec, seg) })
	if found.end < found.used {
		r.ended = false
	}
	if !found.isWhole(text) { // a run that began there is not known of
		r.reserved += block
	}
	return found
}

// isWhole reports whether nothing is damaged but for a record that was cut short at
// the end.
func (s scanned) isWhole(text []byte) bool {
	return s.damaged == 0 && !s.bad && len(text) >= len(line) && string(text[:markAt]) == lineVersion
}

func (r *reader) record(rec record, seg *segment) {
	if !r.begun { // what was before has been forgotten
		r.begun = true
		switch {
		case rec.kind == kindStart:
			r.account(1, rec.to, true)
		case rec.to > 0:
			r.account(1, rec.to-1, true)
		}
	}
	r.ended = false
	switch rec.kind {
	case kindStart:
		r.account(r.prev+1, rec.start.after, true)
		r.account(r.prev+1, rec.to, rec.start.flags&mayMiss != 0)
		r.run, r.epoch = rec.start, rec.start.epoch
		r.reserved = max(r.reserved, rec.start.reserved)
	case kindEnd:
		r.account(r.prev+1, rec.to, true)
		r.ended = true
	case kindGap:
		r.account(r.prev+1, rec.to, true)
	default:
		if rec.to <= r.prev {
			return
		}
		r.account(r.prev+1, rec.to-1, true)
		r.prev = rec.to
		seg.note(rec.event.Time)
		r.events++
		r.add(rec.event)
	}
}

// account notes what is known of some numbers. There may be none.
func (r *reader) account(from, to uint64, unknown bool) {
	if from > to {
		return
	}
	if unknown {
		r.unknown = append(r.unknown, sig.Span{From: from, To: to})
	}
	r.prev = to
}

// Load implements [sig.Store]. What it finds damaged it reports to the logger.
func (s *Store) Load(add func(sig.StoredEvent)) sig.StoreState {
	r := reader{add: add}
	var tail scanned
	var lastText []byte
	for i := range s.segments {
		seg := &s.segments[i]
		text, err := s.folder.read(seg.name(), maxSegment)
		if err != nil {
			s.log.Error("part of the store cannot be read", "file", seg.name(), "err", err)
			r.ended, tail, lastText = false, scanned{}, nil
			continue
		}
		seg.size = int64(len(text))
		tail, lastText = r.read(text, seg), text
		if len(text) > markAt && text[markAt] == markGap { // by a run that could write no more than that, perhaps
			r.ended = false
		}
		last := i == len(s.segments)-1
		if cut := tail.used - tail.end; cut > 0 && last {
			s.log.Warn("the end of the store is incomplete, and cut off", "file", seg.name(), "bytes", cut)
		} else if cut > 0 || tail.damaged > 0 {
			s.log.Error("part of the store is damaged", "file", seg.name(), "bytes", cut+tail.damaged)
		}
	}
	s.start(&r, tail, lastText)
	if r.epoch == "" {
		r.epoch = rand.Text()[:16]
	}
	s.run.epoch = r.epoch
	s.begin(tail, lastText)
	return sig.StoreState{Epoch: r.epoch, Last: s.run.first - 1, Unknown: r.unknown}
}

// start decides where this run's numbers begin.
func (s *Store) start(r *reader, tail scanned, text []byte) {
	s.run = start{after: r.prev, first: r.prev + 1, boot: s.opts.boot}
	if len(s.segments) > 0 && !r.ended {
		// Whoever got an event knows its number, and the system still has what it was
		// given, unless it has started anew.
		same := r.run.boot != "" && r.run.boot == s.run.boot
		known := same && r.run.flags&handsOff == 0 && tail.isWhole(text) && text[markAt] == markWhole
		s.run.first = max(reserve(r.prev), r.reserved) + 1
		if !known {
			s.run.flags |= mayMiss
		}
		r.account(r.prev+1, s.run.first-1, !known)
	}
	if s.opts.Sync == SyncNone {
		s.run.flags |= handsOff
	}
	s.run.reserved = reserve(s.run.first)
}

// begin continues the last segment, or begins one, and writes down where the run
// begins. If that fails, the store is out of order from the start.
func (s *Store) begin(tail scanned, text []byte) {
	s.header = true
	err := s.reopen(tail, text)
	if err == nil {
		err = s.writeHeader()
	}
	if err == nil {
		err = s.syncAll()
	}
	if err != nil {
		// What is not written is not reserved, so that another run might give the same
		// numbers: hardly.
		s.run.first += block * (1 + mathrand.N[uint64](1000))
		s.run.reserved = reserve(s.run.first)
		s.header = true
		s.fail(err)
	}
	s.mu.Lock()
	s.written, s.synced = s.run.first-1, s.run.first-1
	s.running = true
	s.release()
}

// reopen opens the last segment, if more fits into it, and cuts off what is not
// whole.
func (s *Store) reopen(tail scanned, text []byte) error {
	if len(s.segments) == 0 {
		return s.create()
	}
	last := &s.segments[len(s.segments)-1]
	if last.size == 0 || last.size >= s.segmentBytes() || len(text) < len(line) || string(text[:markAt]) != lineVersion {
		return s.create()
	}
	f, err := s.folder.open(last.name(), false)
	if err != nil {
		return err
	}
	if err = f.Truncate(int64(tail.end)); err != nil {
		f.Close()
		return err
	}
	s.file, s.offset, s.gap = f, int64(tail.end), text[markAt] != markWhole
	return nil
}

// reserve returns the last number of those that a run reserves.
func reserve(first uint64) uint64 {
	last := (first/block + 1) * block
	if last-first < block/2 {
		last += block
	}
	return last
}

// bootID names the system's run; "": it cannot be known.
func bootID() string {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
