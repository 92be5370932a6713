package sig

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"sigalert/sig/internal/wire"
)

// catchUpEvents is how many remembered events are looked at while the router is
// locked.
const catchUpEvents = 256

// position returns the number up to which everything that is for the client
// waits in its queue, or has gone out.
func (c *session) position() uint64 {
	c.server.mu.RLock()
	defer c.server.mu.RUnlock()
	return c.queued()
}

// queued must be called with the router's lock held.
func (c *session) queued() uint64 {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.behind {
		return c.out.pos
	}
	return c.server.journal.last
}

// subscribe adds listeners. If the client asks for it, the events since a
// number that are for them come first. The answer is queued before any of them.
func (c *session) subscribe(r request) {
	w, err := parseSubscribe(r.params)
	if limit := c.server.limits.Load().Listeners; err == nil && len(w.listeners) > limit {
		err = c.server.tooMany(overListeners, textListeners, limit)
	}
	if err == nil {
		err = c.mayListen(len(w.listeners))
	}
	if err != nil {
		r.reply(nil, wireError(err))
		return
	}
	for i, l := range w.listeners {
		if w.faults[i] == nil {
			w.faults[i] = c.allow(ToListen, l.sender, l.event)
		}
	}
	s := c.server
	c.lookBack(&w)
	s.mu.Lock()
	done := c.listenAll(w)
	if r.wantsReply() { // while the router is locked: no event may come before it
		err = c.out.push(c.ctx, append(wire.OneLine(appendReply(nil, r.id, c.appendGranted(nil, w, done), nil, true)), '\n'), readAnswers)
	}
	s.mu.Unlock()
	if err != nil {
		c.peer.conn.Close()
	}
	c.out.ready.Raise()
}

// lookBack counts what is long gone, before the router is locked.
func (c *session) lookBack(w *wish) {
	if !w.hasSince {
		return
	}
	s := c.server
	s.mu.RLock()
	w.before = s.journal.memory()
	s.mu.RUnlock()
	listeners := s.journal.wanted(c.counting(w.good()))
	w.missed, w.counted = w.before.forgotten(w.since.Seq, listeners)
	lost, known := s.journal.gaps.after(w.since.Seq, listeners, w.before.every)
	w.missed, w.counted = w.missed+lost, w.counted && known
}

// granted is what became of a wish.
type granted struct {
	faults  []error // why a listener was not added
	missed  uint64  // events since that are gone
	counted bool    // otherwise there is no telling
	begin   uint64  // the events after this number follow
}

// listenAll adds the listeners; the caller holds the router's lock.
func (c *session) listenAll(w wish) granted {
	j := c.server.journal
	j.expire(time.Now())
	after := j.last
	known := w.hasSince && w.since.Epoch == j.epoch && w.since.Seq <= j.last
	switch {
	case known:
		after = w.since.Seq
	case w.hasSince && w.since.Epoch != j.epoch: // everything that is remembered is new to it
		after = 0
	}
	old := slices.Collect(maps.Values(c.listeners))
	done := granted{faults: slices.Clone(w.faults)}
	var added []*Listener
	for i, l := range w.listeners {
		if done.faults[i] == nil {
			l.client.keeps, l.client.after = true, after
			done.faults[i] = c.listen(l)
		}
		if done.faults[i] == nil {
			added = append(added, l)
		}
	}
	missed, counted := w.forgotten(j, c.counting(added))
	if done.counted = known && counted && (missed == 0 || c.hearsAll(added)); done.counted {
		done.missed = missed
	}
	done.counted = done.counted || !w.hasSince
	if done.begin = min(max(after, j.first()-1), j.last); done.begin < j.last {
		c.goBack(done.begin, old)
	}
	return done
}

// appendGranted makes the answer to a wish; the caller holds the router's lock.
func (c *session) appendGranted(b []byte, w wish, done granted) []byte {
	b = append(b, `{"listeners": [`...)
	for i, l := range w.listeners {
		if i > 0 {
			b = append(b, ", "...)
		}
		if err := done.faults[i]; err != nil {
			b = append(wire.AppendASCII(append(b, `{"exception": `...), wireError(err).Error()), '}')
			continue
		}
		b = fmt.Appendf(b, `{"listener_id": %d`, l.client.id)
		if !c.server.isOffered(l) && c.may(ToSee, l.sender, "") {
			b = append(b, `, "offered": false`...)
		}
		b = append(b, '}')
	}
	if b = append(b, `], "missed": `...); done.counted {
		b = strconv.AppendUint(b, done.missed, 10)
	} else {
		b = append(b, "null"...)
	}
	return fmt.Appendf(b, `, "seq": %d}`, done.begin)
}

// forgotten counts the events since that are no longer remembered. The caller
// holds the router's lock.
func (w wish) forgotten(j *journal, listeners []*Listener) (n uint64, counted bool) {
	n, counted = j.memory().forgotten(max(w.since.Seq, w.before.first-1), j.wanted(listeners))
	return n + w.missed, counted && w.counted
}

// goBack makes the events after a number come from the memory; the listeners
// from before have had those up to where the client was. The caller holds the
// router's lock.
func (c *session) goBack(to uint64, old []*Listener) {
	j := c.server.journal
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	was := j.last
	c.index = nil
	if c.out.behind {
		was = c.out.pos
	}
	for _, l := range old {
		l.client.after = max(l.client.after, was)
	}
	c.out.behind, c.out.pos = true, min(to, was)
	c.replayed = j.last
}

// wish is what a client asks for with "subscribe".
type wish struct {
	listeners []*Listener
	faults    []error // what is wrong with each listener, nil if nothing is
	since     Position
	hasSince  bool

	// The memory before the router was locked, and how many of the events
	// since were gone by then, if that is known.
	before  memory
	missed  uint64
	counted bool
}

// good returns the listeners with which nothing is wrong.
func (w wish) good() (listeners []*Listener) {
	for i, l := range w.listeners {
		if w.faults[i] == nil {
			listeners = append(listeners, l)
		}
	}
	return listeners
}

func parseSubscribe(params []byte) (w wish, err error) {
	for o := wire.ObjectOf(params); o.Next(); {
		switch string(o.Key) {
		case "listeners":
			a, ok := wire.ArrayOf(o.Value)
			if !ok {
				return w, errInvalid
			}
			for a.Next() {
				l := &Listener{client: new(clientListener)}
				var fault error
				if l.sender, l.event, fault = listenedTo(a.Value); !wire.IsObject(a.Value) {
					fault = notObject("a listener", a.Value)
				}
				w.listeners, w.faults = append(w.listeners, l), append(w.faults, fault)
			}
		case "since":
			if missing(o.Value) {
				continue
			}
			epoch, _ := nameOf(member(o.Value, "epoch"))
			seq, ok := unsigned(member(o.Value, "seq"))
			if !ok {
				return w, exception(`since must be {"epoch": text, "seq": number}, not %s`, wire.Excerpt(o.Value))
			}
			w.since, w.hasSince = Position{epoch.String(), seq}, true
		}
	}
	return w, nil
}

// catchUp adds remembered events that a stream has yet to get to a batch, some at
// a time, and returns up to which number it has those. Events that are gone are
// reported even if no event follows.
func (c *session) catchUp(batch []byte) (more []byte, events int, upTo uint64) {
	s := c.server
	s.mu.RLock()
	defer s.mu.RUnlock()
	if c.out.hasItems() { // the answer to a subscription, perhaps, which goes before its events
		return batch, 0, 0
	}
	c.remembered(func(e *entry, listeners []*Listener) bool {
		batch = c.appendSignal(batch, e, idsOf(listeners), e.seq <= c.replayed)
		events++
		return len(batch) < batchBytes
	})
	c.out.mu.Lock()
	pos, tell := c.out.pos, !c.out.behind && (c.out.missed > 0 || c.out.gap)
	c.out.mu.Unlock()
	if tell {
		batch = c.out.appendMissed(append(batch, `{"method":"ping","params":{`...), ',')
		batch = fmt.Appendf(batch, `"seq":%d}}`+"\n", pos)
	}
	return batch, events, pos
}

// refill queues remembered events that a pysig client has yet to get.
func (c *session) refill() {
	c.server.mu.RLock()
	defer c.server.mu.RUnlock()
	var items []item
	c.remembered(func(e *entry, listeners []*Listener) bool {
		items = append(items, item{event: e, to: &target{session: c, listeners: slices.Clone(listeners)}})
		return true
	})
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	for _, it := range items {
		c.out.add(it.event, it.to)
	}
}

// remembered calls take with the remembered events that the client has yet to
// get, until it returns false, at most some. Once there are none, the client is
// live again. The caller holds the router's lock.
func (c *session) remembered(take func(*entry, []*Listener) bool) {
	j := c.server.journal
	pos := c.queued()
	if c.index == nil {
		c.index = newListenerIndex(c.listeners)
	}
	if first := j.first(); pos+1 < first {
		listeners := slices.Collect(maps.Values(c.listeners))
		n, known := j.memory().forgotten(pos, j.wanted(c.counting(listeners)))
		if n > 0 && !c.hearsAll(listeners) {
			n, known = 0, false
		}
		c.lost(n, known)
		pos = first - 1
	}
	var listeners []*Listener
	for _, e := range j.since(pos, catchUpEvents) {
		pos = e.seq
		if listeners = c.index.of(e, listeners[:0]); len(listeners) > 0 && c.may(ToHear, e.topic.sender, e.topic.event) && !take(e, listeners) {
			break
		}
	}
	if len(j.since(pos, 1)) == 0 {
		pos = j.last // the numbers in between were never given
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.pos, c.out.behind = pos, pos < j.last
	c.out.ease()
}

// lost notes events that the client can no longer be given.
func (c *session) lost(n uint64, known bool) {
	if n == 0 && known {
		return
	}
	c.out.mu.Lock()
	c.out.missed += n
	c.out.gap = c.out.gap || !known
	c.out.mu.Unlock()
	c.missed.Add(n)
	c.server.dropped.Add(n)
	if c.overtaken++; rare(c.overtaken) {
		c.log.Warn("the client is too slow: events were forgotten before it got them", "count", n, "perhaps_more", !known, "times", c.overtaken)
	}
}

// listenerIndex finds the listeners for an event among the many of a client.
type listenerIndex map[topic][]*Listener

func newListenerIndex(listeners map[uint64]*Listener) listenerIndex {
	x := make(listenerIndex, len(listeners))
	for _, id := range slices.Sorted(maps.Keys(listeners)) {
		l := listeners[id]
		t := topic{l.sender.key(), l.event.key()}
		x[t] = append(x[t], l)
	}
	return x
}

// of adds the listeners that an event is for, in the order of delivery.
func (x listenerIndex) of(e *entry, listeners []*Listener) []*Listener {
	for i, t := range [...]topic{{}, {sender: e.topic.sender}, {event: e.topic.event}, e.topic} {
		if i >= 2 && e.topic.event == "" {
			break // a broadcast is not heard twice
		}
		for _, l := range x[t] {
			if l.wants(e.seq) {
				listeners = append(listeners, l)
			}
		}
	}
	return listeners
}

func idsOf(listeners []*Listener) (ids []byte) {
	for _, l := range listeners {
		ids = appendID(ids, l.client.id)
	}
	return ids
}
