package eventlog

import (
	"bytes"
	"context"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"

	"sigalert/internal/outcome"
	"sigalert/internal/topic"
	"sigalert/sig"
)

// MaxEvents is the most that one call of Events returns.
const MaxEvents = 1000

// Query says which entries to return. The zero Query is the newest 100.
type Query struct {
	// Sender and Event are names as people write them ([topic.Meanings]). Empty:
	// every one.
	Sender, Event string
	// Text is searched for in the sender, the event and the data, ignoring case.
	// Empty: everything matches.
	Text string
	// Outcome is what became of an alert. None: anything.
	Outcome outcome.Outcome
	// Before and After are entries' numbers, and exclude those entries; 0: from
	// the newest, to the oldest.
	Before, After uint64
	// Since is the time of the earliest event to return. Zero: all.
	Since time.Time
	// Limit is how many entries to return. Default 100, at most MaxEvents.
	Limit int
	// Oldest: begin with the oldest.
	Oldest bool
}

// Result is what a query found.
type Result struct {
	Entries []Entry
	// First and Last are the numbers of the first and the last entry that were
	// looked at: what follows begins after the last. 0: none were.
	First, Last uint64
	// More: there may be more.
	More bool
	// Damaged is how many damaged entries were skipped.
	Damaged int
}

// resultBytes bounds the data of one result: the rest is for the next.
const resultBytes = 2 << 20

// Events returns the entries that the query asks for, the newest first. The
// error is the file's, or ctx's.
func (l *Log) Events(ctx context.Context, q Query) (r Result, err error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	q.Limit = min(q.Limit, MaxEvents)
	m := newMatcher(q)
	err = l.view(func(tx reader) error {
		walk := tx.descend(q.Before - 1) // 0 - 1 is the highest there is
		if q.Oldest {
			walk = tx.ascend(q.After + 1)
		}
		size, looked := 0, 0
		for id, rec := range walk {
			if q.Oldest && q.Before > 0 && id >= q.Before || !q.Oldest && id <= q.After {
				return nil
			}
			if len(r.Entries) == q.Limit || size > resultBytes {
				r.More = true
				return nil
			}
			if looked++; looked%1000 == 0 && ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if r.Last = id; r.First == 0 {
				r.First = id
			}
			f, err := rec.fields()
			switch {
			case err != nil:
				r.Damaged++
			case m.matches(f):
				r.Entries = append(r.Entries, f.entry(id))
				size += len(f.data)
			}
		}
		return nil
	})
	if err == nil {
		err = l.synced(ctx, max(r.First, r.Last))
	}
	return r, err
}

// synced waits until the entry with this number is kept: the store has it a
// little earlier.
func (l *Log) synced(ctx context.Context, id uint64) error {
	for {
		changed := l.Changed()
		if st := l.State(); st.Last >= id || st.Err != nil {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Event is the entry with this number.
func (l *Log) Event(id uint64) (e Entry, ok bool, err error) {
	err = l.view(func(tx reader) error {
		rec := tx.get(id)
		if rec == nil {
			return nil
		}
		f, err := rec.fields()
		if err == nil {
			e, ok = f.entry(id), true
		}
		return err
	})
	if ok {
		err = l.synced(context.Background(), id)
	}
	return e, ok, err
}

// matcher is a query's filter.
type matcher struct {
	sender, event []sig.Name // any of these; none: every one
	text          []byte     // in lower case
	outcome       outcome.Outcome
	since         int64 // µs since 1970
	names         map[string]name
	lower         []byte // room for what is looked at
}

// name is a sender's or an event's, of which there are few for many entries.
type name struct {
	isSender, isEvent bool // one that is asked for
	hasText           bool
}

func newMatcher(q Query) *matcher {
	m := &matcher{text: bytes.ToLower([]byte(q.Text)), outcome: q.Outcome, names: make(map[string]name)}
	if q.Sender != "" {
		m.sender = topic.Meanings(q.Sender)
	}
	if q.Event != "" {
		m.event = topic.Meanings(q.Event)
	}
	if !q.Since.IsZero() {
		m.since = q.Since.UnixMicro()
	}
	return m
}

func (m *matcher) matches(f fields) bool {
	switch {
	case m.outcome != outcome.None && f.outcome != m.outcome:
		return false
	case m.since != 0 && f.time < m.since:
		return false
	case m.sender != nil && !m.name(f.sender).isSender:
		return false
	case m.event != nil && !m.name(f.event).isEvent:
		return false
	case len(m.text) == 0:
		return true
	}
	return m.name(f.sender).hasText || m.name(f.event).hasText || m.contains(Readable(f.data))
}

func (m *matcher) name(raw []byte) name {
	if n, ok := m.names[string(raw)]; ok {
		return n
	}
	is := sig.Name(raw)
	n := name{
		isSender: slices.ContainsFunc(m.sender, is.Equal),
		isEvent:  slices.ContainsFunc(m.event, is.Equal),
		hasText:  m.contains([]byte(is.String())),
	}
	if len(m.names) < 1000 {
		m.names[string(raw)] = n
	}
	return n
}

// contains is bytes.Contains(bytes.ToLower(text), m.text), without an
// allocation for each text.
func (m *matcher) contains(text []byte) bool {
	m.lower = append(m.lower[:0], text...)
	for i, c := range m.lower {
		if c >= utf8.RuneSelf {
			m.lower = appendLower(m.lower[:i], text[i:])
			break
		}
		if 'A' <= c && c <= 'Z' {
			m.lower[i] = c + 'a' - 'A'
		}
	}
	return bytes.Contains(m.lower, m.text)
}

func appendLower(out, text []byte) []byte {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		out = utf8.AppendRune(out, unicode.ToLower(r))
		text = text[size:]
	}
	return out
}
