package sig

import (
	"bytes"
	"context"
	"time"

	"sigalert/sig/internal/wire"
)

// The signals kept until the reply that says whose they are.
const maxEarly, maxEarlyBytes = 64, 4 << 20

// arrival is an event on its way to the listeners of subscriptions, or a notice
// that some are missing, or that none was for them.
type arrival struct {
	listeners []*RemoteListener
	more      [][]*RemoteListener // of further subscriptions, on a stream
	id        Name                // instead of listeners that are not known yet
	event     Event
	missed    int      // instead of an event; below 0: not known
	passed    Position // instead of an event, if its epoch is set
}

// size is roughly what the event takes up in memory.
func (a *arrival) size() int {
	return 256 + len(a.event.Data.text)
}

// infos remembers the parsed "info" of signals: a server sends the same ones
// again and again.
type infos map[string]Event

// of returns an event with what an info says.
func (n *infos) of(text []byte) (ev Event, err error) {
	const maxInfos = 1000
	if ev, ok := (*n)[string(text)]; ok {
		return ev, nil
	}
	if ev.Sender, ev.Event, err = listenedTo(text); err != nil {
		return Event{}, err
	}
	ev = ev.WithExtra(wire.Strict(extraOf(text)))
	if len(text) > maxCachedBytes {
		return ev, nil
	}
	if *n == nil || len(*n) >= maxInfos {
		*n = make(infos)
	}
	(*n)[string(text)] = ev
	return ev, nil
}

// arrived takes a signal from a pysig server, on the reading goroutine.
func (c *ClientRouter) arrived(params []byte) error {
	idText := member(params, "listener_id")
	if missing(idText) {
		return exception("listener_id not given")
	}
	info := member(params, "info")
	if missing(info) {
		return exception("info is not provided")
	}
	id, ok := nameOf(idText)
	if !ok {
		return exception("listener id %s not found", idText)
	}
	ev := Event{Time: time.Now()}.WithExtra(wire.Strict(extraOf(info)))
	var err error
	if ev.Sender, ev.Event, err = listenedTo(info); err != nil {
		return exception("%v", err)
	}
	if text := member(params, "data"); text != nil {
		ev.Data = received(bytes.Clone(text))
	}
	changed, err := c.takeSignal(id, ev)
	if changed {
		c.opts.Changed()
	}
	return err
}

// takeSignal queues a pysig server's event.
func (c *ClientRouter) takeSignal(id Name, ev Event) (changed bool, err error) {
	c.guard.Lock()
	defer c.guard.Unlock()
	s := c.subs.byID[id.key()]
	if s == nil && !c.adding {
		return false, exception("listener id %s not found", id)
	}
	changed = c.heard(ev)
	a := arrival{id: id, event: ev}
	switch {
	case s != nil:
		a.listeners = s.listeners
		c.events.push(a)
	case c.early.Fits(a):
		c.early.Push(a)
	default:
		c.events.drop()
	}
	return changed, nil
}

// heard notes what an event says about its sender; the caller holds the lock.
func (c *ClientRouter) heard(ev Event) (changed bool) {
	if changed = c.subs.heard(ev); changed {
		c.listenersChanged.Raise()
	}
	return changed
}

// streamed takes a signal from a stream, on the reading goroutine.
func (c *ClientRouter) streamed(ctx context.Context, r request) {
	var ids, info, missed []byte
	var a arrival
	for o := wire.ObjectOf(r.params); o.Next(); {
		switch string(o.Key) {
		case "listener_ids":
			ids = o.Value
		case "info":
			info = o.Value
		case "data":
			a.event.Data = received(bytes.Clone(o.Value))
		case "seq":
			a.event.Seq, _ = unsigned(o.Value)
		case "time":
			a.event.Time = serverTime(o.Value)
		case "replayed":
			a.event.Replayed = string(o.Value) == "true"
		case "missed":
			missed = o.Value
		}
	}
	if !c.awaitRoom(ctx, r.peer) {
		return
	}
	changed, err := c.takeStreamed(r.peer, &a, ids, info, missed)
	if changed {
		c.opts.Changed()
	}
	if r.wantsReply() {
		r.reply(nil, err)
	}
}

// takeStreamed queues a stream's event for the listeners that have not had it.
// From a connection that has ended it takes nothing: the next one delivers the
// event again.
func (c *ClientRouter) takeStreamed(p *peer, a *arrival, ids, info, missed []byte) (changed bool, err error) {
	c.guard.Lock()
	defer c.guard.Unlock()
	if c.subs.server != p {
		return false, nil
	}
	told, err := c.infos.of(info)
	if err != nil {
		return false, err
	}
	a.event.Sender, a.event.Event, a.event.rest = told.Sender, told.Event, told.rest
	c.tellMissed(missed)
	known := c.subs.addressees(a, ids)
	changed = c.heard(a.event)
	if c.subs.reached(a.event.Seq) {
		if extra := told.Extra(); extra == nil {
			a.event.rest = c.subs.epoch
		} else {
			a.event.rest = &rest{c.subs.told.Epoch, extra}
		}
	}
	if known {
		c.events.push(*a)
	}
	return changed, nil
}

// serverTime parses the server's time of an event; if that is not a time, it
// returns the present one.
func serverTime(text []byte) time.Time {
	const year10000 = 253402300800000000
	micros, ok := unsigned(text)
	if !ok || micros >= year10000 {
		return time.Now()
	}
	return time.UnixMicro(int64(micros))
}

// awaitRoom stops reading while the queue is full: the server keeps what
// follows. It returns false if the connection has ended meanwhile: the event
// then comes again on the next one.
func (c *ClientRouter) awaitRoom(ctx context.Context, p *peer) bool {
	if !c.events.isFull() {
		return true
	}
	p.held.Store(true)
	defer p.held.Store(false)
	for c.events.isFull() && ctx.Err() == nil {
		select {
		case <-c.events.room:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// dispatch calls the listeners until ctx ends.
func (c *ClientRouter) dispatch(ctx context.Context) {
	var batch []arrival
	told := uint64(0)
	for {
		if batch = c.events.take(ctx, batch); batch == nil {
			return
		}
		if all := c.events.drops(); all >= 2*told+1 {
			told = all
			c.log.Warn("the listeners are slow: events were dropped", "server", c.receiving.carrier, "count", all)
		}
		var looked Position // of the last event, if no listener picked it
		for i := range batch {
			if ctx.Err() != nil {
				return
			}
			a := &batch[i]
			if a.missed != 0 {
				c.opts.Missed(a.missed)
				continue
			}
			if a.passed.Epoch != "" {
				c.opts.Passed(a.passed)
				continue
			}
			called := call(a.listeners, a.event)
			for _, listeners := range a.more {
				called = call(listeners, a.event) || called
			}
			if looked = a.event.Position(); called {
				looked = Position{}
			}
		}
		if looked.Epoch != "" {
			c.opts.Passed(looked)
		}
	}
}

// call passes an event on, and reports whether any listener was called. A
// server of this package, whose Intercept may rename events, says which
// listeners they are for; a pysig server's are compared by name.
func call(listeners []*RemoteListener, ev Event) (called bool) {
	for _, l := range listeners {
		known := l.Event.IsEvery() || ev.Seq > 0 && !l.picks
		if !l.removed.Load() && (known || l.Event.Equal(ev.Event)) {
			l.fn(ev)
			called = true
		}
	}
	return called
}
