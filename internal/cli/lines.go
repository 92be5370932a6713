package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"sigalert/sig"
)

// batchBytes is how much data is sent at once, well under sig.MaxMessage with the
// names and ids around it.
const batchBytes = sig.MaxMessage / 4

// lineReader reads events, one a line, in batches: what has arrived, without waiting
// for more.
type lineReader struct {
	in      *bufio.Reader
	hints   hints
	names   int       // bytes of the names that go with each event
	n       int       // how many lines have been read
	waiting *sig.Data // the last of them, where it did not fit into its batch
}

func newLineReader(in io.Reader, hints hints, names int) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(in, sig.MaxData+2), hints: hints, names: names}
}

// next returns at least one event, or why there is none. There may be both. When ctx
// ends, the lines that have been read by then still come, and then its cause.
func (r *lineReader) next(ctx context.Context) (batch []sig.Data, err error) {
	size := 0
	for len(batch) < sig.MaxPublications && (len(batch) == 0 || r.hasLine()) {
		data := r.waiting
		if r.waiting = nil; data == nil {
			if data, err = r.read(ctx); err != nil {
				return batch, err
			}
		}
		text, _ := data.JSON() // read has checked it
		if size += len(text) + r.names + 128; len(batch) > 0 && size > batchBytes {
			r.waiting = data
			return batch, nil
		}
		batch = append(batch, *data)
	}
	return batch, nil
}

// hasLine reports whether a line can be read without waiting.
func (r *lineReader) hasLine() bool {
	arrived, _ := r.in.Peek(r.in.Buffered())
	return bytes.IndexByte(arrived, '\n') >= 0
}

func (r *lineReader) read(ctx context.Context) (*sig.Data, error) {
	line := func() (string, error) {
		text, err := r.in.ReadSlice('\n')
		return string(text), err
	}
	var text string
	var err error
	if r.hasLine() {
		text, err = line()
	} else {
		text, err = interruptible(ctx, line)
	}
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("line %d: %w: at most %d bytes are allowed", r.n+1, sig.ErrTooLarge, sig.MaxData)
	case err != nil && (err != io.EOF || text == ""):
		return nil, err
	}
	r.n++
	data := r.hints.data(withoutLineEnd(text))
	encoded, err := data.JSON()
	if err == nil && len(encoded) > sig.MaxData {
		err = fmt.Errorf("%w: data of %d bytes, the limit is %d", sig.ErrTooLarge, len(encoded), sig.MaxData)
	}
	if err != nil {
		return nil, fmt.Errorf("line %d: %w", r.n, err)
	}
	return &data, nil
}

func withoutLineEnd(text string) string {
	return strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
}

// readData reads DATA from standard input.
func (p *program) readData(ctx context.Context) (string, error) {
	text, err := interruptible(ctx, func() ([]byte, error) {
		return io.ReadAll(io.LimitReader(p.in.in, sig.MaxData+3)) // a line end may be too much
	})
	data := withoutLineEnd(string(text))
	switch {
	case err != nil:
		return "", fmt.Errorf("standard input: %w", err)
	case len(data) > sig.MaxData:
		return "", fmt.Errorf("standard input: %w: at most %d bytes are allowed; to send each line as an event, use --lines", sig.ErrTooLarge, sig.MaxData)
	}
	return data, nil
}
