package sig

import (
	"cmp"
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
	last   uint64 // the number of the newest event, or one that was never given
	limits retention
	seed   maphash.Seed
	events []*entry // the newest last
	bytes  int
	traces []chunk // of the events before those
	traced int     // how many those are
	floor  uint64  // of the events up to this number, nothing is known
	gaps   gaps    // among all of those; never changed
}

// retention is what limits the events that are remembered.
type retention struct {
	events, bytes int
	age           time.Duration
}

// chunk is the traces of events whose numbers follow each other.
type chunk struct {
	first  uint64
	traces []trace
}

// last is the number of the last event; there is one.
func (c chunk) last() uint64 { return c.first + uint64(len(c.traces)) - 1 }

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

func newJournal(l retention) *journal {
	return &journal{epoch: rand.Text()[:16], limits: l, seed: maphash.MakeSeed()}
}

// first returns the number of the oldest event that is remembered; if there is
// none, of the next one to come.
func (j *journal) first() uint64 {
	if len(j.events) == 0 {
		return j.last + 1
	}
	return j.events[0].seq
}

// append numbers an event and adds it; its text is made of info and data.
func (j *journal) append(sg *Signal, ev Event, info, data []byte) *entry {
	now := time.Now()
	e := &entry{seq: j.last + 1, time: now, topic: topic{sg.sender.name.key(), sg.name.key()}, sender: ev.Sender, event: ev.Event, extra: ev.Extra()}
	j.add(e, info, data)
	j.expire(now)
	return e
}

// add adds an event, whose text it makes.
func (j *journal) add(e *entry, info, data []byte) {
	b := make([]byte, 0, 64+len(info)+len(data))
	b = append(b, `"seq":`...)
	b = strconv.AppendUint(b, e.seq, 10)
	b = append(b, `,"time":`...)
	b = strconv.AppendInt(b, e.time.UnixMicro(), 10)
	b = append(b, `,"info":`...)
	b = append(b, info...)
	b = append(b, `,"data":`...)
	e.dataAt = len(b)
	b = append(b, data...)
	wire.OneLine(b[e.dataAt:])
	e.text = append(b, entryEnd...)
	j.events = append(j.events, e)
	j.bytes += e.size()
	j.last = e.seq
}

// expire forgets events that are too many or too old.
func (j *journal) expire(now time.Time) {
	n := 0
	for n < len(j.events) {
		e := j.events[n]
		if l := j.limits; len(j.events)-n <= l.events && j.bytes <= l.bytes && now.Sub(e.time) < l.age {
			break
		}
		j.bytes -= e.size()
		j.remember(e.seq, j.trace(e.topic.sender, e.topic.event))
		j.events[n] = nil
		n++
	}
	j.events = j.events[n:]
}

// remember keeps the trace of an event that is being forgotten.
func (j *journal) remember(seq uint64, t trace) {
	j.traces = appendTrace(j.traces, seq, t)
	j.traced++
	if oldest := j.traces[0]; j.traced-len(oldest.traces) >= journalTraces {
		j.floor = oldest.last()
		j.traced -= len(oldest.traces)
		j.traces = j.traces[1:]
	}
}

func appendTrace(chunks []chunk, seq uint64, t trace) []chunk {
	last := len(chunks) - 1
	if last < 0 || len(chunks[last].traces) == traceChunk || chunks[last].last()+1 != seq {
		chunks = append(chunks, chunk{first: seq})
		last++
	}
	chunks[last].traces = append(chunks[last].traces, t)
	return chunks
}

// countIn counts the wanted events after a number.
func (w wanted) countIn(chunks []chunk, from uint64, every trace) (n uint64) {
	for _, c := range chunks {
		if c.last() <= from {
			continue
		}
		for i, t := range c.traces {
			if at := c.first + uint64(i); at > from && w.has(t, every, at) {
				n++
			}
		}
	}
	return n
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
	traces []chunk
	floor  uint64
	first  uint64 // the number of the oldest event that is remembered
	every  trace
}

func (j *journal) memory() memory {
	return memory{slices.Clone(j.traces), j.floor, j.first(), j.trace("", "")}
}

// forgotten counts the wanted events after a number that are gone; known is
// false if they can no longer be counted.
func (m memory) forgotten(from uint64, w wanted) (n uint64, known bool) {
	if from+1 >= m.first || len(w) == 0 {
		return 0, true
	}
	if from < m.floor {
		return 0, false
	}
	return w.countIn(m.traces, from, m.every), true
}

// since returns the remembered events after a number, at most n of them.
func (j *journal) since(seq uint64, n int) []*entry {
	if seq >= j.last {
		return nil
	}
	i, _ := slices.BinarySearchFunc(j.events, seq+1, func(e *entry, seq uint64) int { return cmp.Compare(e.seq, seq) })
	return j.events[i:min(i+n, len(j.events))]
}
