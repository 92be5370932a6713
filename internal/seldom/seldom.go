// Package seldom keeps those that a program serves from filling its log: of alike lines,
// few are written, and those left out are counted.
package seldom

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// atOnce is how many alike lines are written, after a time without any.
	atOnce = 20
	// every is how often one is written after that.
	every = 5 * time.Second
	// maxKinds is how many kinds of lines are told apart; the others count as one.
	maxKinds = 1000
)

// Logger writes lines to another logger: of those of level Info and above that have the
// same message, 20 at once and then one every 5 s, which says how many were left out.
// Lines below that are for whoever looks for something, and all written.
func Logger(l *slog.Logger) *slog.Logger {
	if _, ok := l.Handler().(handler); ok {
		return l
	}
	return slog.New(handler{l.Handler(), &kinds{by: make(map[string]*kind)}})
}

// handler is a [slog.Handler].
type handler struct {
	slog.Handler
	kinds *kinds
}

type kinds struct {
	mu sync.Mutex // guards the fields below
	by map[string]*kind
}

// kind is lines with the same message.
type kind struct {
	room    int // how many lines may be written at once
	since   time.Time
	leftOut int
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelInfo {
		return h.Handler.Handle(ctx, r)
	}
	leftOut, ok := h.kinds.allow(r.Message, r.Time)
	if !ok {
		return nil
	}
	if leftOut > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("unlogged", leftOut))
	}
	return h.Handler.Handle(ctx, r)
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs), h.kinds}
}

func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.kinds}
}

// allow reports whether a line is to be written and, if so, how many were left out since
// the last one.
func (k *kinds) allow(message string, now time.Time) (leftOut int, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.by) >= maxKinds && k.by[message] == nil {
		message = ""
	}
	m := k.by[message]
	if m == nil {
		m = &kind{room: atOnce, since: now}
		k.by[message] = m
	}
	if n := int(now.Sub(m.since) / every); n > 0 {
		m.room = min(atOnce, m.room+n)
		m.since = m.since.Add(time.Duration(n) * every)
	}
	if m.room == 0 {
		m.leftOut++
		return 0, false
	}
	m.room--
	leftOut, m.leftOut = m.leftOut, 0
	return leftOut, true
}
