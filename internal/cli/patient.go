package cli

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

// errUnread is returned for output that nobody read before the program's end.
var errUnread = errors.New("nobody reads the output")

// patientWriter waits for its reader, but once ctx has ended only for a second:
// the first signal ends a program whose output nobody reads.
type patientWriter struct {
	w    io.Writer
	ctx  context.Context
	busy chan struct{} // holds a token while a write is under way
	lost chan struct{} // closed once a write was given up
	lose sync.Once
}

func newPatientWriter(ctx context.Context, w io.Writer) *patientWriter {
	return &patientWriter{w: w, ctx: ctx, busy: make(chan struct{}, 1), lost: make(chan struct{})}
}

// Write may give up a write, whose goroutine then ends with the program.
func (p *patientWriter) Write(b []byte) (n int, err error) {
	select {
	case p.busy <- struct{}{}:
	case <-p.lost:
		return 0, errUnread
	}
	done, text := make(chan struct{}), slices.Clone(b)
	var written int
	var failure error
	go func() {
		written, failure = p.w.Write(text)
		<-p.busy
		close(done)
	}()
	select {
	case <-done:
		return written, failure
	case <-p.ctx.Done():
	}
	select {
	case <-done:
		return written, failure
	case <-time.After(flushTime):
		p.lose.Do(func() { close(p.lost) })
		return 0, errUnread
	}
}
