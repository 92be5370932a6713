package eventlog

import (
	"encoding/json"
	"slices"
	"time"

	"sigalert/sig"
)

// The names of settings in the store. Their values are JSON.
const (
	settingLimits        = "limits"
	settingBytes         = "bytes"
	settingLast          = "last"
	settingSecret        = "secret"
	settingSubscriptions = "subscriptions"
	settingPosition      = "position"
)

// getSetting leaves v as it is if there is no such setting.
func getSetting(tx reader, name string, v any) bool {
	text := tx.setting(name)
	return text != nil && json.Unmarshal(text, v) == nil
}

func setSetting(tx writer, name string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.set(name, text)
}

// commit writes entries, and removes those beyond the limits.
func (l *Log) commit(batch []Entry) error {
	now := time.Now()
	position := lastPosition(batch)
	batch = slices.DeleteFunc(slices.Clone(batch), func(e Entry) bool { return e.passed })
	l.writing.Lock()
	defer l.writing.Unlock()
	var fresh []EventID
	if l.opts.Once {
		batch, fresh = l.numbers.fresh(batch)
	}
	more := make(minutes)
	for _, e := range batch {
		more.add(now, e.Time, e.Sender)
	}
	err := l.change(now, uint64(len(batch)), func(c *change) error {
		l.mu.Lock()
		c.minutes = l.minutes.with(more, now)
		l.mu.Unlock()
		if err := c.minutes.store(c.tx); err != nil {
			return err
		}
		if position.Epoch != "" {
			c.position = position
			if err := setSetting(c.tx, settingPosition, position); err != nil {
				return err
			}
		}
		rest := batch
		if excess := len(batch) - c.limits.Count; excess > 0 { // they would be removed at once
			if err := c.removeAll(); err != nil {
				return err
			}
			c.last += uint64(excess)
			rest = batch[excess:]
		}
		for _, e := range rest {
			if !l.opts.Once {
				e.position.Seq = 0 // nobody asks for it
			}
			if err := c.put(encode(e, now)); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		for _, n := range fresh {
			l.numbers.add(n)
		}
	}
	return err
}

// lastPosition is that of the newest entry that has one.
func lastPosition(batch []Entry) (p sig.Position) {
	for _, e := range slices.Backward(batch) {
		if e.position.Epoch != "" {
			return e.position
		}
	}
	return p
}

// hasNothing reports whether there is nothing to write.
func (l *Log) hasNothing(batch []Entry) bool {
	if slices.ContainsFunc(batch, func(e Entry) bool { return !e.passed }) {
		return false
	}
	p := lastPosition(batch)
	l.writing.Lock()
	defer l.writing.Unlock()
	return p.Epoch == "" || p == l.position
}

// Clear removes all entries, and returns how many there were.
func (l *Log) Clear() (n int, err error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	err = l.change(time.Now(), 0, func(c *change) error {
		n = 0
		if first, last := c.tx.ends(); last > 0 {
			n = int(last - first + 1)
		}
		var names []string
		for name := range c.tx.settings(minutesPrefix) {
			names = append(names, name)
		}
		for _, name := range names {
			if err := c.tx.set(name, nil); err != nil {
				return err
			}
		}
		c.cleared = true
		return c.removeAll()
	})
	return n, err
}

// SetLimits puts other limits in force, and removes what is beyond them. In a log
// that is not open yet they take the place of those of its options. The error says
// what is wrong with them, or with the file.
func (l *Log) SetLimits(limits Limits) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	defer l.backlog.ready.Raise()
	return l.limit(limits)
}

// limit requires the lock.
func (l *Log) limit(limits Limits) error {
	if err := limits.check(); err != nil {
		return err
	}
	if l.store == nil {
		l.opts.Limit, l.opts.Age = limits.Count, &limits.Age
		return nil
	}
	return l.change(time.Now(), 0, func(c *change) error {
		c.limits = limits
		return setSetting(c.tx, settingLimits, limits)
	})
}

// A change is one update of the entries.
type change struct {
	tx      writer
	limits  Limits
	last    uint64 // the number that was given last
	bytes   int64
	cleared bool
	minutes minutes // that change

	position sig.Position
	// What trim has found:
	first  uint64    // the number of the first that stays
	oldest time.Time // when that was logged
	more   bool      // there is more to remove
}

func (c *change) put(r record) error {
	c.last++
	c.bytes += int64(len(r))
	return c.tx.put(c.last, r)
}

func (c *change) removeAll() error {
	c.bytes = 0
	return c.tx.removeAll()
}

// change updates the entries by f, then removes what is beyond the limits. The
// error is that of f's update: if a later one fails, the next change removes
// the rest. It requires the lock.
func (l *Log) change(now time.Time, logged uint64, f func(c *change) error) error {
	if l.store == nil {
		return l.unopened()
	}
	more, err := l.step(now, logged, f)
	for next := err; more && next == nil; {
		more, next = l.step(now, 0, func(*change) error { return nil })
	}
	return err
}

// step is one update of the store, and publishes what has become of it. There
// is more to do if too much is beyond the limits.
func (l *Log) step(now time.Time, logged uint64, f func(c *change) error) (more bool, err error) {
	var c change
	err = l.store.update(func(tx writer) error {
		c = change{tx: tx, limits: l.Limits(), last: l.last, bytes: l.bytes, position: l.position}
		if _, last := tx.ends(); last > c.last {
			c.last = last
		}
		if err := f(&c); err != nil {
			return err
		}
		if err := c.trim(now, l.maxBytes); err != nil {
			return err
		}
		if err := setSetting(tx, settingLast, c.last); err != nil {
			return err
		}
		return setSetting(tx, settingBytes, c.bytes)
	})
	if err == nil {
		l.bytes, l.last, l.position = c.bytes, c.last, c.position
	}
	l.publish(func() {
		if l.state.Err = err; err != nil {
			return
		}
		l.limits, l.oldest = c.limits, c.oldest
		l.state.First, l.state.Last = c.first, c.last
		l.state.Logged += logged
		l.minutes.take(c.minutes)
		if c.cleared {
			clear(l.minutes)
			l.state.Cleared++
		}
	})
	return c.more, err
}

// maxTrimmed bounds what one update removes, which the store has in memory. It
// is more than ever comes at once.
const maxTrimmed = 10_000

// trim removes the oldest entries until the limits hold, or there is too much
// for one update.
func (c *change) trim(now time.Time, maxBytes int64) error {
	first, last := c.tx.ends()
	for id, r := range c.tx.ascend(first) {
		f, damaged := r.fields()
		old := c.limits.Age > 0 && now.Sub(time.UnixMicro(f.logged)) >= c.limits.Age
		kept := int(last-id+1) <= c.limits.Count && c.bytes <= maxBytes && !old && damaged == nil
		if kept || id-first == maxTrimmed {
			c.first, c.oldest, c.more = id, time.UnixMicro(f.logged), !kept
			return c.tx.removeBefore(id)
		}
		c.bytes -= int64(len(r))
	}
	c.first, c.bytes = c.last+1, 0
	return c.tx.removeAll()
}
