package eventlog

import (
	"context"
	"errors"
	"time"

	"sigalert/internal/wait"
)

const (
	settle    = 50 * time.Millisecond // between two commits
	again     = time.Second           // after a failure
	openAgain = 10 * time.Second      // after many failures to open the file: each attempt waits for its lock
)

// Run opens the log if it is not open yet, and writes entries until ctx ends;
// then it writes those that are waiting, and accepts no more.
func (l *Log) Run(ctx context.Context) {
	unwritten := l.write(ctx)
	unwritten = append(unwritten, l.backlog.close()...)
	defer tellWritten(unwritten)
	if len(unwritten) == 0 {
		return
	}
	if err := l.commit(unwritten); err != nil {
		l.reportUnwritten(unwritten, err)
		return
	}
	l.report("write", nil)
}

// reportUnwritten says what the end costs. A server that numbers its events brings
// them again, if the file says how far the log had got and is still there at the
// next start.
func (l *Log) reportUnwritten(unwritten []Entry, err error) {
	resumes := l.Position() != nil && !errors.Is(err, ErrStale)
	again, lost := 0, 0
	for _, e := range unwritten {
		switch {
		case e.passed:
		case resumes && e.position.Seq > 0:
			again++
		default:
			lost++
		}
	}
	if again > 0 {
		l.log.Warn("entries are not written; the server brings those that it still remembers after the next start", "count", again, "err", err)
	}
	if dropped := l.State().Dropped; lost > 0 || dropped > 0 {
		l.log.Error("entries are lost at the end", "count", lost, "dropped", dropped, "err", err)
	}
}

// write commits until ctx ends, and returns what it could not.
func (l *Log) write(ctx context.Context) (unwritten []Entry) {
	select {
	case <-l.opened:
	default:
		if !l.retry(ctx, "open", openAgain, l.open) {
			return nil
		}
		close(l.opened)
	}
	for wait.Sleep(ctx, max(l.expires(), again), l.backlog.ready) {
		batch := l.backlog.take()
		if l.expires() > 0 && l.hasNothing(batch) {
			tellWritten(batch)
			continue
		}
		if !l.retry(ctx, "write", again, func() error { return l.commit(batch) }) {
			return batch
		}
		tellWritten(batch)
		if !wait.Sleep(ctx, settle, nil) {
			break
		}
	}
	return nil
}

// retry calls f, which is to do what, until it succeeds; false: ctx ended before.
// The pauses grow up to longest.
func (l *Log) retry(ctx context.Context, what string, longest time.Duration, f func() error) bool {
	for pause := again; ; pause = min(2*pause, longest) {
		err := f()
		l.report(what, err)
		if err == nil {
			return true
		}
		if !wait.Sleep(ctx, pause, nil) {
			return false
		}
	}
}

// report says once that the log cannot do what, and why, and once that it can.
func (l *Log) report(what string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case text == l.trouble:
		if err != nil {
			l.log.Debug("still cannot "+what+" the log", "err", err)
		}
		return
	case errors.Is(err, ErrStale):
		l.log.Error("cannot "+what+" the log", "err", err)
	case err != nil:
		l.log.Error("cannot "+what+" the log, trying again", "err", err)
	default:
		l.log.Info("the log can be written now")
	}
	l.trouble = text
	l.opts.Trouble(l.State())
}

// never is long enough for a sleep that only a token is to end.
const never = 1000 * time.Hour

// expires is how long the oldest entry may stay.
func (l *Log) expires() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limits.Age == 0 || l.oldest.IsZero() {
		return never
	}
	return time.Until(l.oldest.Add(l.limits.Age))
}
