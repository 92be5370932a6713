package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"time"

	"sigalert/sig"
)

// A segment is a line, and then records. docs/store.md describes both.
const (
	lineStart   = "sigalert events "
	lineVersion = lineStart + "1"
	line        = lineVersion + " \n"
	// markAt is where, in the line, it says whether events may be missing after the
	// last record.
	markAt             = len(lineVersion)
	markWhole, markGap = ' ', '!'

	headBytes = 12
	maxBody   = 2 << 20 // an event's data and names fit several times
)

// The kinds of records.
const (
	kindEvent = iota + 1
	kindLost  // an event without its data
	kindGap   // numbers of which nothing is known
	kindEnd   // the run ended, and everything is here
	kindStart // a run, or a segment, begins
)

// The flags of an event.
const (
	hasTopic = 1 << iota // it was heard under other names
	hasExtra
	hasID
)

// The flags of a start.
const (
	mayMiss  = 1 << iota // the numbers skipped may be those of events
	handsOff             // events were given to listeners before they were written
)

var table = crc32.MakeTable(crc32.Castagnoli)

// record is one that has been read. Its texts are parts of the segment's.
type record struct {
	kind  byte
	event sig.StoredEvent // of kindEvent, and kindLost
	from  uint64          // of kindGap
	to    uint64          // the last number of any kind
	start start           // of kindStart
}

// start is what a run says of itself.
type start struct {
	after    uint64 // the last number before
	first    uint64 // the first of its own
	reserved uint64 // its last, at most
	flags    uint64
	epoch    string
	boot     string // the system's run in which it began; "": not known
}

// appendRecord appends a record whose body add appends.
func appendRecord(b []byte, add func(b []byte) []byte) []byte {
	at := len(b)
	b = add(append(b, make([]byte, headBytes)...))
	head, body := b[at:at+headBytes], b[at+headBytes:]
	binary.LittleEndian.PutUint32(head, uint32(len(body)))
	binary.LittleEndian.PutUint32(head[4:], crc32.Checksum(body, table))
	binary.LittleEndian.PutUint32(head[8:], crc32.Checksum(head[:8], table))
	return b
}

func appendText[T ~string | ~[]byte](b []byte, text T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func appendEvent(b []byte, e *sig.StoredEvent) []byte {
	return appendRecord(b, func(b []byte) []byte {
		kind, flags := byte(kindEvent), byte(0)
		if e.Lost {
			kind = kindLost
		}
		if e.ForSender != e.Sender || e.ForEvent != e.Event {
			flags |= hasTopic
		}
		if e.Extra != nil {
			flags |= hasExtra
		}
		if e.ID != "" {
			flags |= hasID
		}
		b = binary.AppendUvarint(append(b, kind, flags), e.Seq)
		b = binary.AppendVarint(b, e.Time.UnixMicro())
		b = appendText(appendText(b, e.Sender), e.Event)
		if flags&hasTopic != 0 {
			b = appendText(appendText(b, e.ForSender), e.ForEvent)
		}
		if flags&hasExtra != 0 {
			b = appendText(b, e.Extra)
		}
		if flags&hasID != 0 {
			b = binary.AppendUvarint(appendText(b, e.ID), uint64(e.Listeners))
		}
		return append(b, e.Data...)
	})
}

func appendGap(b []byte, from, to uint64) []byte {
	return appendRecord(b, func(b []byte) []byte {
		return binary.AppendUvarint(binary.AppendUvarint(append(b, kindGap), from), to)
	})
}

func appendEnd(b []byte, last uint64) []byte {
	return appendRecord(b, func(b []byte) []byte { return binary.AppendUvarint(append(b, kindEnd), last) })
}

func appendStart(b []byte, s start) []byte {
	return appendRecord(b, func(b []byte) []byte {
		b = append(b, kindStart)
		for _, n := range [...]uint64{s.after, s.first, s.reserved, s.flags} {
			b = binary.AppendUvarint(b, n)
		}
		return appendText(appendText(b, s.epoch), s.boot)
	})
}

var errMalformed = errors.New("malformed record")

// parts reads what a body is made of; once it is malformed, it stays so.
type parts struct {
	rest []byte
	bad  bool
}

func (p *parts) number() uint64 {
	n, size := binary.Uvarint(p.rest)
	return taken(p, n, size)
}

func (p *parts) signed() int64 {
	n, size := binary.Varint(p.rest)
	return taken(p, n, size)
}

func taken[T any](p *parts, n T, size int) T {
	if size <= 0 {
		p.bad = true
		return n
	}
	p.rest = p.rest[size:]
	return n
}

func (p *parts) bytes() []byte {
	n := p.number()
	if p.bad || n > uint64(len(p.rest)) {
		p.bad = true
		return nil
	}
	text := p.rest[:n:n]
	p.rest = p.rest[n:]
	return text
}

func (p *parts) byte() byte {
	if len(p.rest) == 0 {
		p.bad = true
		return 0
	}
	b := p.rest[0]
	p.rest = p.rest[1:]
	return b
}

func parse(body []byte) (r record, err error) {
	p := parts{rest: body}
	r.kind = p.byte()
	switch r.kind {
	case kindEvent, kindLost:
		r.event = p.event()
		r.event.Lost = r.kind == kindLost
		r.to = r.event.Seq
	case kindGap:
		r.from, r.to = p.number(), p.number()
	case kindEnd:
		r.to = p.number()
	case kindStart:
		s := &r.start
		for _, n := range [...]*uint64{&s.after, &s.first, &s.reserved, &s.flags} {
			*n = p.number()
		}
		s.epoch, s.boot = string(p.bytes()), string(p.bytes())
		r.to = max(s.first, 1) - 1
		p.bad = p.bad || s.epoch == "" || r.to < s.after || s.reserved > 2*maxNumber
	default:
		p.bad = true
	}
	if p.bad || r.to > maxNumber || r.kind == kindGap && r.from > r.to {
		return record{}, errMalformed
	}
	return r, nil
}

func (p *parts) event() (e sig.StoredEvent) {
	flags := p.byte()
	e.Seq = p.number()
	e.Time = time.UnixMicro(p.signed())
	e.Sender, e.Event = sig.Name(p.bytes()), sig.Name(p.bytes())
	e.ForSender, e.ForEvent = e.Sender, e.Event
	if flags&hasTopic != 0 {
		e.ForSender, e.ForEvent = sig.Name(p.bytes()), sig.Name(p.bytes())
	}
	if flags&hasExtra != 0 {
		e.Extra = p.bytes()
	}
	if flags&hasID != 0 {
		e.ID, e.Listeners = string(p.bytes()), int(p.number())
	}
	e.Data = p.rest
	p.bad = p.bad || e.Seq == 0 || e.Listeners < 0
	return e
}

// scanned is what a segment looks like.
type scanned struct {
	end     int  // of the last good record
	damaged int  // bytes in between that are in no good record
	bad     bool // what follows the end is no record that was cut short
	used    int  // after that, there are zeros only
}

// scan calls f with the segment's records. Damage does not end it: it goes on with
// the next good record.
func scan(text []byte, f func(record)) (s scanned) {
	at := min(len(line), len(text))
	s.end = at
	s.used = max(at, len(bytes.TrimRight(text, "\x00")))
	for skip := at; at < s.used; {
		size, state := measure(text[at:])
		if state == good {
			r, err := parse(text[at+headBytes : at+size])
			if err == nil {
				s.damaged += at - s.end
				at += size
				s.end, skip = at, at
				s.bad = false
				s.used = max(s.used, at)
				f(r)
				continue
			}
			state = spoiled
		}
		if at == skip {
			s.bad = state != short
		}
		at += max(size, 1) // of a spoiled one, the length is good
	}
	if s.used < len(text) { // into the zeros, a part of a record was written
		s.bad = false
	}
	return s
}

type state int

const (
	good    state = iota
	short         // it would be longer than the segment is
	spoiled       // its head is good, and its body is not
	noise         // it is no record
)

// measure returns the size of the record with which a text begins.
func measure(text []byte) (size int, s state) {
	if len(text) < headBytes {
		return 0, short
	}
	if binary.LittleEndian.Uint32(text[8:]) != crc32.Checksum(text[:8], table) {
		return 0, noise
	}
	n := int64(binary.LittleEndian.Uint32(text))
	switch {
	case n > maxBody:
		return 0, noise
	case headBytes+n > int64(len(text)):
		return 0, short
	}
	size = headBytes + int(n)
	if binary.LittleEndian.Uint32(text[4:]) != crc32.Checksum(text[headBytes:size], table) {
		return size, spoiled
	}
	return size, good
}
