package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

const (
	queuedLines = 1000
	queuedBytes = 1 << 20
	flushTime   = time.Second
)

// queueOutput has standard output, standard error and the log never wait for
// who reads them: an agent or a server whose log nobody reads goes on, and ends
// when it is told to. flush writes what waits, for at most a second.
func (p *program) queueOutput() (flush func()) {
	out := newLineQueue(p.out, droppedLine)
	log := newLineQueue(p.err, func(n int) string {
		var b bytes.Buffer
		newLogger(&b, levelTrace).Warn(droppedText(n))
		return b.String()
	})
	level, _ := parseLevel(p.logLevel) // the command line was checked
	was := *p
	p.out, p.err, p.log = &output{w: out}, log, newLogger(log, level)
	return func() {
		p.out, p.err, p.log = was.out, was.err, was.log // for what Main has to say
		ctx, cancel := context.WithTimeout(context.Background(), flushTime)
		defer cancel()
		out.close(ctx)
		log.close(ctx)
	}
}

func droppedText(n int) string {
	if n == 1 {
		return "1 line was dropped: nobody read the log"
	}
	return fmt.Sprintf("%d lines were dropped: nobody read the log", n)
}

func droppedLine(n int) string { return droppedText(n) + "\n" }

// lineQueue is a writer that never waits. One goroutine passes on what is
// written, in order; 1,000 writes or 1 MiB of them may wait. When that is
// full, the newest give way, and in their place a line says how many they were.
type lineQueue struct {
	w       io.Writer
	dropped func(n int) string // that line
	ready   chan struct{}      // holds a token while there may be work
	done    chan struct{}      // closed once the goroutine has ended

	mu      sync.Mutex // guards the fields below
	lines   [][]byte
	bytes   int
	missing int // after those lines
	closed  bool
}

func newLineQueue(w io.Writer, dropped func(n int) string) *lineQueue {
	q := &lineQueue{w: w, dropped: dropped, ready: make(chan struct{}, 1), done: make(chan struct{})}
	go q.run()
	return q
}

// Write queues a line, or several. It never fails.
func (q *lineQueue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.lines); n >= queuedLines || n > 0 && q.bytes+len(line) > queuedBytes {
		q.missing++
		return len(line), nil
	}
	q.mend()
	q.add(slices.Clone(line))
	return len(line), nil
}

// mend puts the line that says how many are missing in their place. It needs
// the lock, as add does.
func (q *lineQueue) mend() {
	if q.missing > 0 {
		n := q.missing
		q.missing = 0
		q.add([]byte(q.dropped(n)))
	}
}

func (q *lineQueue) add(line []byte) {
	q.lines = append(q.lines, line)
	q.bytes += len(line)
	q.wake()
}

func (q *lineQueue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

func (q *lineQueue) run() {
	defer close(q.done)
	for {
		line, ok := q.next()
		if !ok {
			return
		}
		if line == nil {
			<-q.ready
			continue
		}
		_, _ = q.w.Write(line) // there is nobody to tell
	}
}

// next is the line to write; nil if there is none. It is not ok at the end.
func (q *lineQueue) next() (line []byte, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lines) == 0 {
		q.mend()
	}
	if len(q.lines) == 0 {
		return nil, !q.closed
	}
	line, q.lines = q.lines[0], q.lines[1:]
	q.bytes -= len(line)
	return line, true
}

// close waits until all is written, or ctx ends: then the goroutine is left
// behind in a write that may never return.
func (q *lineQueue) close(ctx context.Context) {
	q.mu.Lock()
	q.closed = true
	q.wake()
	q.mu.Unlock()
	select {
	case <-q.done:
	case <-ctx.Done():
	}
}
