package eventlog

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigalert/sig"
)

const (
	// Hour is how many minutes a log counts events for.
	Hour = 60

	maxCounted    = 50 // senders of a minute that are counted separately
	minutesPrefix = "minute/"
)

// Series are the events of one sender in each minute of the last hour.
type Series struct {
	Sender sig.Name
	// Others: these are the events of all senders that are not counted separately.
	Others bool
	Counts [Hour]int // the last is the present minute
	Total  int
}

// minutes counts the events of the last hour, by minute and sender. It also
// counts those that the log's limits have removed.
type minutes map[int64]counts

// counts are a minute's. They are replaced, never changed, once others have
// them.
type counts map[sender]int

type sender struct {
	name   sig.Name
	others bool
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

func isOver(minute int64, now time.Time) bool { return minute <= minuteOf(now)-Hour }

// add counts an event of the time at. A time in the future, from a clock that is
// ahead, counts as now.
func (m minutes) add(now, at time.Time, name sig.Name) {
	minute := min(minuteOf(at), minuteOf(now))
	if isOver(minute, now) {
		return
	}
	if m[minute] == nil {
		m[minute] = make(counts)
	}
	m[minute].add(sender{name: name}, 1)
}

func (c counts) add(s sender, n int) {
	if _, known := c[s]; !known && len(c) >= maxCounted {
		s = sender{others: true}
	}
	c[s] += n
}

// with returns the minutes that change when more is counted; nil counts: the
// minute is over.
func (m minutes) with(more minutes, now time.Time) minutes {
	changed := make(minutes)
	for minute := range m {
		if isOver(minute, now) {
			changed[minute] = nil
		}
	}
	for minute, of := range more {
		changed[minute] = make(counts)
		maps.Copy(changed[minute], m[minute])
		for s, n := range of {
			changed[minute].add(s, n)
		}
	}
	return changed
}

// take puts what has changed in place.
func (m minutes) take(changed minutes) {
	for minute, of := range changed {
		if m[minute] = of; of == nil {
			delete(m, minute)
		}
	}
}

// store writes minutes, and removes those that are over.
func (m minutes) store(tx writer) error {
	for minute, of := range m {
		if err := tx.set(minutesPrefix+strconv.FormatInt(minute, 10), appendCounts(of)); err != nil {
			return err
		}
	}
	return nil
}

// loadMinutes reads what was stored; what cannot be read is not counted.
func loadMinutes(tx reader) minutes {
	m := make(minutes)
	for name, value := range tx.settings(minutesPrefix) {
		minute, err := strconv.ParseInt(strings.TrimPrefix(name, minutesPrefix), 10, 64)
		if err == nil {
			m[minute] = parseCounts(value)
		}
	}
	return m
}

// appendCounts is nil for nothing.
func appendCounts(of counts) (text []byte) {
	for s, n := range of {
		flag := uint64(0)
		if s.others {
			flag = 1
		}
		text = binary.AppendUvarint(text, uint64(n)<<1|flag)
		text = binary.AppendUvarint(text, uint64(len(s.name)))
		text = append(text, s.name...)
	}
	return text
}

func parseCounts(text []byte) counts {
	of := make(counts)
	for len(text) > 0 {
		n, a := binary.Uvarint(text)
		if a <= 0 {
			break
		}
		length, b := binary.Uvarint(text[a:])
		if b <= 0 || length > uint64(len(text)-a-b) {
			break
		}
		text = text[a+b:]
		of[sender{sig.Name(text[:length]), n&1 == 1}] += int(n >> 1)
		text = text[length:]
	}
	return of
}

// series are the n busiest senders, and then the others, if there are any.
func (m minutes) series(now time.Time, n int) []Series {
	by := make(map[sender]*Series)
	for minute, of := range m {
		i := minute - minuteOf(now) + Hour - 1
		if i < 0 || i >= Hour {
			continue
		}
		for s, count := range of {
			if by[s] == nil {
				by[s] = &Series{Sender: s.name, Others: s.others}
			}
			by[s].Counts[i] += count
			by[s].Total += count
		}
	}
	others := &Series{Others: true}
	var all []Series
	for s, one := range by {
		if s.others {
			others = one
			continue
		}
		all = append(all, *one)
	}
	slices.SortFunc(all, func(a, b Series) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Sender, b.Sender))
	})
	for _, s := range all[min(n, len(all)):] {
		for i, count := range s.Counts {
			others.Counts[i] += count
		}
		others.Total += s.Total
	}
	all = all[:min(n, len(all))]
	if others.Total > 0 {
		all = append(all, *others)
	}
	return all
}
