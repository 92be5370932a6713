package sig

import (
	"crypto/rand"
	"encoding/json"
	"hash/maphash"
	"slices"
	"strconv"
	"time"

	"sigalert/sig/internal/wire"
)

const (
	journalEvents = 10_000
	journalBytes  = 64 << 20
	journalAge    = 24 * time.Hour
	// journalTraces is the least number of forgotten events of which it is
	// still known what they were, so that a client can learn how many it
	// missed: 16 bytes each. They are kept and forgotten in chunks.
	journalTraces = 1 << 18
	traceChunk    = 1 << 12
)

// journal numbers a server's events and remembers the last ones. The router's
// mutex guards it.
type journal struct {
	epoch  string // changes when the memory is lost
	last   uint64 // the number of the newest event
	limit  int
	seed   maphash.Seed
	events []*entry // the newest last, numbered without gaps
	bytes  int
	traces [][]trace // of the events before those, likewise, in chunks
}

// entry is an event as the server remembers it and clients get it.
type entry struct {
	seq   uint64
	time  time.Time
	topic topic // by which it finds its listeners; names, so that nothing of the sender is kept

	sender, event Name // as clients get them, see Router.Intercept
	extra         json.RawMessage

	// text is the end of the message that delivers it to a client, shared by
	// all clients: from the number on, newline included. The data begin at
	// dataAt.
	text   []byte
	dataAt int
}

const entryEnd = "}}\n"

func (e *entry) data() []byte { return e.text[e.dataAt : len(e.text)-len(entryEnd)] }

// size is roughly what the event takes up in memory.
func (e *entry) size() int { return 144 + len(e.text) + len(e.extra) }

// trace is what is left of a forgotten event.
type trace struct{ sender, event uint64 }

func newJournal(limit int) *journal {
	return &journal{epoch: rand.Text()[:16], limit: limit, seed: maphash.MakeSeed()}
}

// first returns the number of the oldest event that is remembered; if there is
// none, of the next one to come.
func (j *journal) first() uint64 { return j.last + 1 - uint64(len(j.events)) }

// append numbers an event and adds it; its text is made of info and data.
func (j *journal) append(sg *Signal, ev Event, info, data []byte) *entry {
	now := time.Now()
	j.last++
	e := &entry{seq: j.last, time: now, topic: topic{sg.sender.name.key(), sg.name.key()}, sender: ev.Sender, event: ev.Event, extra: ev.Extra()}
	b := make([]byte, 0, 64+len(info)+len(data))
	b = append(b, `"seq":`...)
	b = strconv.AppendUint(b, e.seq, 10)
	b = append(b, `,"time":`...)
	b = strconv.AppendInt(b, now.UnixMicro(), 10)
	b = append(b, `,"info":`...)
	b = append(b, info...)
	b = append(b, `,"data":`...)
	e.dataAt = len(b)
	b = append(b, data...)
	wire.OneLine(b[e.dataAt:])
	e.text = append(b, entryEnd...)
	j.events = append(j.events, e)
	j.bytes += e.size()
	j.expire(now)
	return e
}

// expire forgets events that are too many or too old.
func (j *journal) expire(now time.Time) {
	n := 0
	for n < len(j.events) {
		e := j.events[n]
		if len(j.events)-n <= j.limit && j.bytes <= journalBytes && now.Sub(e.time) < journalAge {
			break
		}
		j.bytes -= e.size()
		j.remember(j.trace(e.topic.sender, e.topic.event))
		j.events[n] = nil
		n++
	}
	j.events = j.events[n:]
}

// remember keeps the trace of an event that is being forgotten.
func (j *journal) remember(t trace) {
	last := len(j.traces) - 1
	if last < 0 || len(j.traces[last]) == traceChunk {
		if len(j.traces)*traceChunk > journalTraces {
			j.traces = j.traces[1:]
		}
		j.traces = append(j.traces, make([]trace, 0, traceChunk))
		last = len(j.traces) - 1
	}
	j.traces[last] = append(j.traces[last], t)
}

func (j *journal) trace(sender, event Name) trace {
	return trace{maphash.String(j.seed, string(sender.key())), maphash.String(j.seed, string(event.key()))}
}

// wanted holds what listeners ask for, by topic. Looking up an event takes the
// same time however many listeners there are.
type wanted map[trace][]span

// span is the events after one number, up to another; 0: without an end.
type span struct{ after, until uint64 }

func (j *journal) wanted(listeners []*Listener) wanted {
	w := make(wanted, len(listeners))
	for _, l := range listeners {
		t, s := j.trace(l.sender, l.event), span{after: l.client.after}
		if l.removed.Load() {
			s.until = l.client.until
		}
		spans := w[t]
		if i := slices.IndexFunc(spans, func(o span) bool { return o.until == s.until }); i < 0 {
			w[t] = append(spans, s)
		} else {
			spans[i].after = min(spans[i].after, s.after)
		}
	}
	return w
}

// has reports whether an event is wanted; every is the trace of all senders and
// events.
func (w wanted) has(t, every trace, seq uint64) bool {
	for _, topic := range [...]trace{every, {t.sender, every.event}, {every.sender, t.event}, t} {
		for _, s := range w[topic] {
			if s.after < seq && (s.until == 0 || seq <= s.until) {
				return true
			}
		}
	}
	return false
}

// memory is what the journal knew of forgotten events at one moment; it does
// not change.
type memory struct {
	traces [][]trace
	first  uint64 // the number after the last of them
	every  trace
}

func (j *journal) memory() memory {
	return memory{slices.Clone(j.traces), j.first(), j.trace("", "")}
}

// forgotten counts the wanted events after a number that are gone; known is
// false if they can no longer be counted.
func (m memory) forgotten(from uint64, w wanted) (n uint64, known bool) {
	if from+1 >= m.first || len(w) == 0 {
		return 0, true
	}
	seq := m.first
	for _, chunk := range m.traces {
		seq -= uint64(len(chunk))
	}
	known = from+1 >= seq
	for _, chunk := range m.traces {
		if from+1 < seq+uint64(len(chunk)) && known {
			for i, t := range chunk {
				if at := seq + uint64(i); at > from && w.has(t, m.every, at) {
					n++
				}
			}
		}
		seq += uint64(len(chunk))
	}
	return n, known
}

// since returns the remembered events after a number, at most n of them.
func (j *journal) since(seq uint64, n int) []*entry {
	if seq >= j.last {
		return nil
	}
	i := 0
	if first := j.first(); seq+1 > first {
		i = int(seq + 1 - first)
	}
	return j.events[i:min(i+n, len(j.events))]
}
