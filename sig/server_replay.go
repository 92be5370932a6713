package sig

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"sigalert/sig/internal/wire"
)

// catchUpEvents is how many remembered events are looked at while the router
// is held.
const catchUpEvents = 256

// position is the number up to which everything that is for the client waits
// in its queue, or has gone out.
func (c *client) position() uint64 {
	c.server.mu.RLock()
	defer c.server.mu.RUnlock()
	return c.queued()
}

// queued needs the router's lock.
func (c *client) queued() uint64 {
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if c.out.behind {
		return c.out.pos
	}
	return c.server.journal.last
}

// subscribe adds listeners, and has the events since a number come first that
// are for them. The answer is in the queue before them.
func (c *client) subscribe(r request) {
	listeners, faults, since, hasSince, err := parseSubscribe(r.params)
	if err != nil {
		r.reply(nil, wireError(err))
		return
	}
	s := c.server
	s.mu.Lock()
	j := s.journal
	j.expire(time.Now())
	after, known := j.last, true
	if hasSince {
		if known = since.epoch == j.epoch && since.seq <= j.last; known {
			after = since.seq
		}
	}
	old := make([]*Listener, 0, len(c.listeners))
	for _, l := range c.listeners {
		old = append(old, l)
	}
	reply := []byte(`{"listeners": [`)
	var refused []*Listener
	wanted := make([]*Listener, 0, len(listeners))
	for i, l := range listeners {
		if i > 0 {
			reply = append(reply, ", "...)
		}
		var added *Listener
		err := faults[i]
		if err == nil {
			added, err = c.listen(l.sender, l.event, after)
		}
		if err != nil {
			reply = wire.AppendASCII(append(reply, `{"exception": `...), wireError(err).Error())
			reply = append(reply, '}')
			if l.after = after; faults[i] == nil {
				refused, wanted = append(refused, l), append(wanted, l)
			}
			continue
		}
		reply = fmt.Appendf(reply, `{"listener_id": %d}`, added.id)
		wanted = append(wanted, added)
	}
	missed, counted := j.forgotten(after, wanted)
	missed += j.matching(after, refused, wanted)
	reply = append(reply, `], "missed": `...)
	if known && counted {
		reply = strconv.AppendUint(reply, missed, 10)
	} else {
		reply = append(reply, "null"...)
	}
	begin := min(max(after, j.first()-1), j.last)
	reply = fmt.Appendf(reply, `, "seq": %d}`, begin)
	if begin < j.last {
		c.goBack(begin, old)
	}
	if r.wantsReply() { // while the router is held: no event may come before it
		err = c.out.text(append(appendReply(nil, r.id, reply, nil), '\n'))
	}
	s.mu.Unlock()
	if err != nil {
		c.peer.conn.Close()
	}
	token(c.out.ready)
}

// goBack has the events behind a number come from the memory; the listeners
// from before have had those up to where the client was. It needs the router's
// lock.
func (c *client) goBack(to uint64, old []*Listener) {
	j := c.server.journal
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	was := j.last
	if c.out.behind {
		was = c.out.pos
	}
	for _, l := range old {
		l.after = max(l.after, was)
	}
	c.out.behind, c.out.pos = true, min(to, was)
	c.replayed = j.last
}

// parseSubscribe reads the params of "subscribe"; faults are what is wrong with
// one listener.
func parseSubscribe(params []byte) (listeners []*Listener, faults []error, since cursor, hasSince bool, err error) {
	for o := wire.ObjectOf(params); o.Next(); {
		switch string(o.Key) {
		case "listeners":
			a, ok := wire.ArrayOf(o.Value)
			if !ok {
				return nil, nil, since, false, errInvalid
			}
			for a.Next() {
				l := new(Listener)
				var fault error
				l.sender, l.event, fault = listenedTo(a.Value)
				listeners, faults = append(listeners, l), append(faults, fault)
			}
		case "since":
			if missing(o.Value) {
				continue
			}
			epoch, _ := nameOf(member(o.Value, "epoch"))
			seq, ok := unsigned(member(o.Value, "seq"))
			if !ok {
				return nil, nil, since, false, exception(`since wants {"epoch": text, "seq": number}, not %s`, wire.Excerpt(o.Value))
			}
			since, hasSince = cursor{epoch.String(), seq}, true
		}
	}
	return listeners, faults, since, hasSince, nil
}

// matching counts the remembered events behind a number that one of these
// listeners alone would have got.
func (j *journal) matching(seq uint64, refused, wanted []*Listener) (n uint64) {
	if len(refused) == 0 {
		return 0
	}
	accepted := slices.DeleteFunc(slices.Clone(wanted), func(l *Listener) bool { return slices.Contains(refused, l) })
	for _, e := range j.since(seq, len(j.events)) {
		hears := func(l *Listener) bool { return l.hears(e) }
		if slices.ContainsFunc(refused, hears) && !slices.ContainsFunc(accepted, hears) {
			n++
		}
	}
	return n
}

// hears reports whether an event is for the listener.
func (l *Listener) hears(e *entry) bool {
	return e.seq > l.after &&
		(l.sender.IsEvery() || l.sender.Equal(e.signal.sender.name)) &&
		(l.event.IsEvery() || l.event.Equal(e.signal.name))
}

// class is a listener's place in the order of delivery.
func (l *Listener) class() int {
	switch {
	case l.sender.IsEvery() && l.event.IsEvery():
		return 0
	case l.event.IsEvery():
		return 1
	case l.sender.IsEvery():
		return 2
	}
	return 3
}

// catchUp adds remembered events that the client is behind with, some at a
// time. Once there are none, the client is live again. It tells of those that
// are gone even where no event follows.
func (c *client) catchUp(batch []byte) []byte {
	s := c.server
	s.mu.RLock()
	defer s.mu.RUnlock()
	j := s.journal
	pos := c.queued()
	listeners := make([]*Listener, 0, len(c.listeners))
	for _, l := range c.listeners {
		if !l.removed.Load() {
			listeners = append(listeners, l)
		}
	}
	slices.SortFunc(listeners, func(a, b *Listener) int {
		if d := a.class() - b.class(); d != 0 {
			return d
		}
		return int(int64(a.id) - int64(b.id))
	})
	if first := j.first(); pos+1 < first {
		c.lost(j.forgotten(pos, listeners))
		pos = first - 1
	}
	events := j.since(pos, catchUpEvents)
	index := newListenerIndex(listeners)
	for _, e := range events {
		if ids := index.ids(e); len(ids) > 0 {
			batch = c.appendSignal(batch, e, ids, e.seq <= c.replayed)
		}
		if pos = e.seq; len(batch) >= batchBytes {
			break
		}
	}
	c.out.mu.Lock()
	c.out.pos, c.out.behind = pos, pos < j.last
	tell := !c.out.behind && (c.out.missed > 0 || c.out.gap)
	c.out.mu.Unlock()
	if tell {
		batch = c.out.appendMissed(append(batch, `{"method":"ping","params":{`...), ',')
		batch = fmt.Appendf(batch, `"seq":%d}}`+"\n", pos)
	}
	return batch
}

// lost notes events that the client cannot be given any more.
func (c *client) lost(n uint64, known bool) {
	c.out.mu.Lock()
	c.out.missed += n
	c.out.gap = c.out.gap || !known
	c.out.mu.Unlock()
	c.server.dropped.Add(n)
	if n > 0 || !known {
		c.log.Warn("the client is too slow: events that it did not get are forgotten", "count", n, "counted", known)
	}
}

// listenerIndex finds the listeners of an event: it looks at all of them once
// for each signal.
type listenerIndex struct {
	listeners []*Listener // in the order of delivery
	latest    uint64      // behind it, all listeners' events are alike
	bySignal  map[*Signal][]byte
}

func newListenerIndex(listeners []*Listener) *listenerIndex {
	x := &listenerIndex{listeners: listeners, bySignal: make(map[*Signal][]byte)}
	for _, l := range listeners {
		x.latest = max(x.latest, l.after)
	}
	return x
}

func (x *listenerIndex) ids(e *entry) []byte {
	if e.seq <= x.latest {
		return x.find(e)
	}
	ids, ok := x.bySignal[e.signal]
	if !ok {
		ids = x.find(e)
		x.bySignal[e.signal] = ids
	}
	return ids
}

func (x *listenerIndex) find(e *entry) (ids []byte) {
	for _, l := range x.listeners {
		if l.hears(e) {
			ids = appendID(ids, l.id)
		}
	}
	return ids
}
