package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"sigalert/internal/queue"
	"sigalert/internal/wait"
)

const (
	queuedLines = 1000
	queuedBytes = 1 << 20
	flushTime   = time.Second
)

// queueOutput makes sure that standard output, standard error and the log never
// wait for their reader: an agent or a server whose log nobody reads goes on, and
// ends when it is asked to. flush writes what is waiting, for at most a second.
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
// written, in order; 1,000 writes or 1 MiB of them may wait. When that is full,
// the newest are dropped, and in their place a line says how many there were.
type lineQueue struct {
	w       io.Writer
	dropped func(n int) string // that line
	ready   wait.Token
	done    chan struct{} // closed once the goroutine has ended

	mu      sync.Mutex // guards the fields below
	lines   queue.Queue[[]byte]
	missing int // after those lines
	closed  bool
}

func newLineQueue(w io.Writer, dropped func(n int) string) *lineQueue {
	q := &lineQueue{
		w: w, dropped: dropped, ready: wait.NewToken(), done: make(chan struct{}),
		lines: queue.New(queuedLines, queuedBytes, func(line *[]byte) int { return len(*line) }),
	}
	go q.run()
	return q
}

// Write queues a line, or several. It never fails.
func (q *lineQueue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.lines.Fits(line) {
		q.missing++
		return len(line), nil
	}
	q.mend()
	q.lines.Push(slices.Clone(line))
	q.ready.Raise()
	return len(line), nil
}

// mend puts the line that says how many are missing in their place. It requires
// the lock.
func (q *lineQueue) mend() {
	if q.missing > 0 {
		q.lines.Push([]byte(q.dropped(q.missing)))
		q.missing = 0
	}
}

func (q *lineQueue) run() {
	defer close(q.done)
	for {
		line, ended := q.next()
		switch {
		case line != nil:
			_, _ = q.w.Write(line) // there is nowhere to report a failure
		case ended:
			return
		default:
			<-q.ready
		}
	}
}

// next is the line to write; nil if there is none.
func (q *lineQueue) next() (line []byte, ended bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lines.Len() == 0 {
		q.mend()
	}
	line, _ = q.lines.Pop()
	return line, q.closed
}

// close waits until everything is written, or ctx ends: then the goroutine is
// abandoned in a write that may never return.
func (q *lineQueue) close(ctx context.Context) {
	q.mu.Lock()
	q.closed = true
	q.ready.Raise()
	q.mu.Unlock()
	select {
	case <-q.done:
	case <-ctx.Done():
	}
}
