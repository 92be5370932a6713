package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

const (
	// MaxDepth is how deeply arrays and objects may be nested in data:
	// encoding/json can read that much.
	MaxDepth = 9_990
	// envelope is how much deeper a message may be than the data in it.
	envelope = 8
)

// ErrTooLarge is the error for a value that is longer than the decoder's limit.
var ErrTooLarge = errors.New("message too large")

// maxBlank bounds the white space between values: a peer that sends nothing
// else sends no messages.
const maxBlank = 64 << 10

// A decoder reads into a buffer of firstBuffer, and of up to streamBuffer while
// a lot comes at once. One that grew for a long value, or for a rush that is
// over, is released.
const (
	firstBuffer  = 4 << 10
	streamBuffer = 64 << 10
	smallReads   = 16 // in a row end a rush
)

// A Decoder cuts a stream into JSON values, however the stream's reads split or
// join them. White space between values is skipped. It finds where values end,
// but not whether they are [Valid].
type Decoder struct {
	r     io.Reader
	limit int
	lines bool // each value is a line

	buf        []byte // what was read; buf[start:] is not consumed
	start, pos int    // pos: how far the present value is scanned
	depth      int
	inString   bool
	escaped    bool
	opened     bool // the present value has begun
	blank      int  // bytes of white space since the last value

	room  *Room
	claim *Claim

	want  int // the size of buffer that the last reads asked for
	small int // reads in a row that needed little of it
}

// NewDecoder reads values of at most limit bytes from r.
func NewDecoder(r io.Reader, limit int) *Decoder { return &Decoder{r: r, limit: limit} }

// Lines makes each value end at the next newline, which is faster to find. Only
// the goroutine that calls Next may call it.
func (d *Decoder) Lines() { d.lines = true }

// Share makes the decoder share room with others. If it holds a large buffer and
// one of them needs the room, giveWay is called, once, on any goroutine: it must see
// to it that the reader fails.
func (d *Decoder) Share(room *Room, giveWay func()) { d.room, d.claim = room, NewClaim(giveWay) }

// Partial reports whether a value has begun but not ended.
func (d *Decoder) Partial() bool { return d.opened }

// Next returns the next value; it is valid until the next call. The error is
// the reader's (io.ErrUnexpectedEOF within a value), or says why the stream is
// not JSON, and then nothing more can be read.
//
// Only objects and arrays are values here: a bare number has no end, and
// nobody sends any.
func (d *Decoder) Next() ([]byte, error) {
	value, err := d.next()
	if err != nil {
		d.resize(0, nil)
		d.start, d.pos = 0, 0
	}
	return value, err
}

func (d *Decoder) next() ([]byte, error) {
	d.release()
	for {
		if value, err := d.scan(); value != nil || err != nil {
			return value, err
		}
		if d.opened && len(d.buf)-d.start > d.limit {
			return nil, fmt.Errorf("%w: over %d bytes, beginning with %s", ErrTooLarge, d.limit, Excerpt(d.buf[d.start:]))
		}
		if err := d.fill(); err != nil {
			if err == io.EOF && d.opened {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// release forgets the consumed bytes, and a buffer that is larger than needed
// now.
func (d *Decoder) release() {
	rest := d.buf[d.start:]
	switch {
	case cap(d.buf) > max(d.want, firstBuffer) && len(rest) <= firstBuffer/2:
		d.resize(max(d.want, firstBuffer), rest)
	case len(rest) == 0:
		d.buf = d.buf[:0]
	default:
		return // moved when there is no more room, not for each value
	}
	d.pos -= d.start
	d.start = 0
}

func (d *Decoder) fill() error {
	if d.start > 0 {
		d.buf = d.buf[:copy(d.buf, d.buf[d.start:])]
		d.pos -= d.start
		d.start = 0
	}
	size := max(firstBuffer, d.want)
	if len(d.buf) == cap(d.buf) {
		size = max(size, d.larger())
	}
	if size > cap(d.buf) {
		d.resize(size, d.buf)
	}
	room := cap(d.buf) - len(d.buf)
	n, err := d.r.Read(d.buf[len(d.buf):cap(d.buf)])
	d.buf = d.buf[:len(d.buf)+n]
	switch {
	case n == room:
		d.want, d.small = min(streamBuffer, 2*max(d.want, firstBuffer)), 0
	case n > firstBuffer:
		d.small = 0
	default:
		if d.small++; d.small == smallReads {
			d.want = 0
		}
	}
	if n > 0 {
		return nil
	}
	return err
}

// larger returns the size of the next larger buffer: twice the present one, or the
// longest that a value needs, halved until it is at most that.
func (d *Decoder) larger() int {
	size := d.limit + firstBuffer
	if 2*cap(d.buf) <= streamBuffer {
		return min(2*cap(d.buf), size)
	}
	for size/2 > cap(d.buf) {
		size /= 2
	}
	return size
}

// scan goes on from pos; it returns nil, nil if the value needs more bytes.
func (d *Decoder) scan() ([]byte, error) {
	if !d.opened {
		if err := d.begin(); err != nil || !d.opened {
			return nil, err
		}
	}
	if d.lines {
		return d.line()
	}
	for ; d.pos < len(d.buf); d.pos++ {
		c := d.buf[d.pos]
		switch {
		case d.escaped:
			d.escaped = false
		case d.inString:
			d.inString = c != '"'
			d.escaped = c == '\\'
		case c == '"':
			d.inString = true
		case c == '{' || c == '[':
			if d.depth++; d.depth > MaxDepth+envelope {
				return nil, fmt.Errorf("not a message: nested deeper than %d", MaxDepth+envelope)
			}
		case c == '}' || c == ']':
			if d.depth--; d.depth == 0 {
				return d.end()
			}
		case c == 0:
			return nil, fmt.Errorf("not JSON: a NUL byte in %s", Excerpt(d.buf[d.start:]))
		}
	}
	return nil, nil
}

// begin finds where the next value begins.
func (d *Decoder) begin() error {
	rest := bytes.TrimLeft(d.buf[d.pos:], " \t\r\n")
	d.start = len(d.buf) - len(rest)
	if d.blank += d.start - d.pos; d.blank > maxBlank {
		return fmt.Errorf("no message: over %d bytes of white space", maxBlank)
	}
	d.pos = d.start
	if len(rest) == 0 {
		d.buf, d.start, d.pos = d.buf[:0], 0, 0
		return nil
	}
	if rest[0] != '{' && rest[0] != '[' {
		return fmt.Errorf("not JSON: it begins with %s, but a message begins with '{'", Excerpt(rest))
	}
	d.opened = true
	return nil
}

// line goes on from pos to the end of the line.
func (d *Decoder) line() ([]byte, error) {
	n := bytes.IndexByte(d.buf[d.pos:], '\n')
	if n < 0 {
		d.pos = len(d.buf)
		return nil, nil
	}
	d.pos += n - 1
	return d.end()
}

func (d *Decoder) end() ([]byte, error) {
	value := d.buf[d.start : d.pos+1 : d.pos+1]
	d.pos++
	d.start = d.pos
	d.opened = false
	d.blank = 0
	if len(value) > d.limit {
		return nil, fmt.Errorf("%w: %d bytes, the limit is %d", ErrTooLarge, len(value), d.limit)
	}
	return value, nil
}
