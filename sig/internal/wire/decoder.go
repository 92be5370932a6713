package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// MaxDepth is how deeply arrays and objects may be nested.
const MaxDepth = 1000

// ErrTooLarge is wrapped when a value is longer than the decoder's limit.
var ErrTooLarge = errors.New("message too large")

// maxBlank bounds the white space between values: who sends nothing else sends
// no messages.
const maxBlank = 64 << 10

// keptBuffer is the buffer that a decoder keeps between values; a larger one
// is given back after the value that needed it.
const keptBuffer = 8 << 10

// A Decoder cuts a stream into JSON values, however the stream's reads split
// or join them. White space between values is skipped.
type Decoder struct {
	r     io.Reader
	limit int

	buf        []byte // what was read; buf[start:] is not consumed
	start, pos int    // pos: how far the present value is scanned
	depth      int
	inString   bool
	escaped    bool
	opened     bool // the present value has begun
	blank      int  // bytes of white space since the last value
}

// NewDecoder reads values of at most limit bytes from r.
func NewDecoder(r io.Reader, limit int) *Decoder { return &Decoder{r: r, limit: limit} }

// Partial reports whether a value has begun and not ended.
func (d *Decoder) Partial() bool { return d.opened }

// Next returns the next value; it is the caller's until the next call. The
// error is the reader's (io.ErrUnexpectedEOF within a value), or tells why the
// stream is not JSON, and then nothing more can be read.
//
// Only objects and arrays are values here: a bare number has no end, and
// nobody sends any.
func (d *Decoder) Next() ([]byte, error) {
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

// release forgets the consumed bytes, and a buffer grown for a long value.
func (d *Decoder) release() {
	rest := d.buf[d.start:]
	switch {
	case cap(d.buf) > keptBuffer && len(rest) <= keptBuffer/2:
		d.buf = append(make([]byte, 0, keptBuffer), rest...)
	case d.start > 0:
		d.buf = d.buf[:copy(d.buf, rest)]
	}
	d.pos -= d.start
	d.start = 0
}

func (d *Decoder) fill() error {
	if len(d.buf) == cap(d.buf) {
		grown := make([]byte, len(d.buf), max(4096, min(2*cap(d.buf), d.limit+4096)))
		copy(grown, d.buf)
		d.buf = grown
	}
	n, err := d.r.Read(d.buf[len(d.buf):cap(d.buf)])
	d.buf = d.buf[:len(d.buf)+n]
	if n > 0 {
		return nil
	}
	return err
}

// scan goes on from pos; it returns nil, nil where the value needs more bytes.
func (d *Decoder) scan() ([]byte, error) {
	if !d.opened {
		if err := d.begin(); err != nil || !d.opened {
			return nil, err
		}
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
			if d.depth++; d.depth > MaxDepth {
				return nil, fmt.Errorf("not a message: nested deeper than %d", MaxDepth)
			}
		case c == '}' || c == ']':
			if d.depth--; d.depth == 0 {
				return d.end()
			}
		case c == 0:
			return nil, fmt.Errorf("not JSON: a NUL byte within %s", Excerpt(d.buf[d.start:]))
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
		return fmt.Errorf("not JSON: it begins with %s, where a message begins with '{'", Excerpt(rest))
	}
	d.opened = true
	return nil
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
	if !Valid(value) {
		return nil, fmt.Errorf("not JSON: %s", Excerpt(value))
	}
	return value, nil
}
