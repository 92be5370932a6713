package eventlog

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"time"

	"sigalert/sig"
)

const (
	// Hour is how many minutes a log counts events for.
	Hour = 60

	mostCounted   = 50 // senders of a minute that are counted apart
	minutesPrefix = "minute/"
)

// Series are the events of one sender in each minute of the last hour.
type Series struct {
	Sender sig.Name
	// Others: what all senders had that are not counted by themselves.
	Others bool
	Counts [Hour]int // the last is the present minute
	Total  int
}

// minutes counts the events of the last hour, by minute and sender. It counts
// also those that the log's limit has taken.
type minutes struct {
	counted map[int64]map[sender]int
	changed map[int64]bool // not stored yet
}

type sender struct {
	name   sig.Name
	others bool
}

func newMinutes() *minutes {
	return &minutes{counted: make(map[int64]map[sender]int), changed: make(map[int64]bool)}
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// add counts an event of the time at; what a clock that is ahead calls future
// is of now.
func (m *minutes) add(now, at time.Time, name sig.Name) {
	minute := min(minuteOf(at), minuteOf(now))
	if minute <= minuteOf(now)-Hour {
		return
	}
	of := m.counted[minute]
	if of == nil {
		of = make(map[sender]int)
		m.counted[minute] = of
	}
	s := sender{name: name}
	if _, known := of[s]; !known && len(of) >= mostCounted {
		s = sender{others: true}
	}
	of[s]++
	m.changed[minute] = true
}

// store writes what changed, and removes what is over.
func (m *minutes) store(tx writer, now time.Time) error {
	for minute := range m.counted {
		if minute <= minuteOf(now)-Hour {
			delete(m.counted, minute)
			m.changed[minute] = true
		}
	}
	for minute := range m.changed {
		if err := tx.set(minutesPrefix+strconv.FormatInt(minute, 10), appendCounts(m.counted[minute])); err != nil {
			return err
		}
	}
	return nil
}

// stored is called when what store wrote is kept.
func (m *minutes) stored() { clear(m.changed) }

// load reads what was stored; what cannot be read is not counted.
func (m *minutes) load(tx reader) {
	for name, value := range tx.settings(minutesPrefix) {
		var minute int64
		if _, err := fmt.Sscanf(name, minutesPrefix+"%d", &minute); err == nil {
			m.counted[minute] = parseCounts(value)
		}
	}
}

// appendCounts is nil for nothing.
func appendCounts(of map[sender]int) (text []byte) {
	for s, n := range of {
		text = binary.AppendUvarint(text, uint64(n)<<1|map[bool]uint64{true: 1}[s.others])
		text = binary.AppendUvarint(text, uint64(len(s.name)))
		text = append(text, s.name...)
	}
	return text
}

func parseCounts(text []byte) map[sender]int {
	of := make(map[sender]int)
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

// series are the senders that had most, at most most of them, and then the
// others, if there are any.
func (m *minutes) series(now time.Time, most int) []Series {
	by := make(map[sender]*Series)
	for minute, of := range m.counted {
		i := minute - minuteOf(now) + Hour - 1
		if i < 0 || i >= Hour {
			continue
		}
		for s, n := range of {
			if by[s] == nil {
				by[s] = &Series{Sender: s.name, Others: s.others}
			}
			by[s].Counts[i] += n
			by[s].Total += n
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
	for _, s := range all[min(most, len(all)):] {
		for i, n := range s.Counts {
			others.Counts[i] += n
		}
		others.Total += s.Total
	}
	all = all[:min(most, len(all))]
	if others.Total > 0 {
		all = append(all, *others)
	}
	return all
}
