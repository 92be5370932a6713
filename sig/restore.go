package sig

import (
	"time"

	"sigalert/sig/internal/wire"
)

// gaps are what a store could not keep, among the events that it has.
type gaps struct {
	unknown []Span
	lost    []chunk
}

// after counts the wanted events after a number that are in gaps; known is false if
// they cannot be counted.
func (g gaps) after(from uint64, w wanted, every trace) (n uint64, known bool) {
	known = true
	for _, s := range g.unknown {
		known = known && s.To <= from
	}
	return w.countIn(g.lost, from, every), known || len(w) == 0
}

// restore fills the journal from the store. Nobody else uses the router yet.
func (s *ServerRouter) restore() {
	j, now, latest := s.journal, time.Now(), time.Time{}
	state := s.store.Load(func(e StoredEvent) {
		latest = e.Time
		s.published.add(e.ID, Published{e.Seq, e.Listeners}, e.Time)
		j.restore(e, now)
	})
	if away := now.Sub(latest); away > 0 {
		s.published.delay(away)
	}
	j.epoch, j.last, j.gaps.unknown = state.Epoch, state.Last, state.Unknown
}

// restore adds an event that a store has kept.
func (j *journal) restore(e StoredEvent, now time.Time) {
	if e.Lost || !wire.ValidData(e.Data) || checkExtra(e.Extra) != nil {
		j.gaps.lost = appendTrace(j.gaps.lost, e.Seq, j.trace(e.ForSender, e.ForEvent))
		return
	}
	info := appendInfo(make([]byte, 0, 128), e.Sender, e.Event)
	kept := &entry{seq: e.Seq, time: e.Time, topic: topic{e.ForSender.key(), e.ForEvent.key()}, sender: e.Sender, event: e.Event}
	if e.Extra != nil {
		kept.extra = append(kept.extra, e.Extra...)
		info = appendExtra(info, e.Extra)
	}
	j.add(kept, info, e.Data)
	j.expire(now)
}

// keep returns once an event is as safe as the store promises.
func (r *Router) keep(seq uint64) {
	if r.store == nil || seq == 0 {
		return
	}
	kept := make(chan struct{})
	r.store.Kept(seq, func() { close(kept) })
	<-kept
}

// handed returns once an event outlives the process, or after a moment.
func (r *Router) handed(seq uint64) {
	if r.store != nil && seq > 0 {
		r.store.Handed(seq)
	}
}

// answerKept answers a request once the event that it has caused is kept.
func (c *session) answerKept(r request, seq uint64, response []byte) {
	store := c.server.store
	read := time.Duration(c.peer.lastRead.Load())
	switch {
	case !r.wantsReply():
	case store == nil || seq == 0:
		c.answerTimed(r, read, response)
	case !c.peer.streaming.Load():
		c.server.keep(seq)
		c.answerTimed(r, read, response)
	default:
		select {
		case c.owed <- struct{}{}:
		case <-c.ctx.Done():
			return
		}
		r = r.keep()
		store.Kept(seq, func() {
			c.answerTimed(r, read, response)
			<-c.owed
		})
	}
}

// answerTimed answers, and notes how long it took since the request was read.
func (c *session) answerTimed(r request, read time.Duration, response []byte) {
	c.server.latency.add(time.Since(c.peer.born) - read)
	r.reply(response, nil)
}
