package sig

import (
	"cmp"
	"context"
	"errors"
	"strconv"

	"sigalert/sig/internal/wire"
)

// mostSubscribed is how many listeners go into one message.
const mostSubscribed = 1000

// subscribeNext tells a server that remembers of all the listeners that it
// lacks: first of those that want events from before, for these come again.
func (c *ClientRouter) subscribeNext(ctx context.Context, p *peer) (more bool, err error) {
	subs, since, refusedSome := c.nextBatch()
	switch {
	case len(subs) == 0 && refusedSome:
		return true, nil
	case len(subs) == 0:
		return c.unregisterNext(ctx, p)
	}
	params := []byte(`{"listeners": [`)
	for i, s := range subs {
		if i > 0 {
			params = append(params, ", "...)
		}
		params = appendInfo(params, s.sender, s.event)
	}
	params = append(params, ']')
	if since != nil {
		params = wire.AppendString(append(params, `, "since": {"epoch": `...), since.epoch)
		params = strconv.AppendUint(append(params, `, "seq": `...), since.seq, 10)
		params = append(params, '}')
	}
	var malformed error
	err = p.ask(ctx, "subscribe", append(params, '}'), func(response []byte) {
		malformed = c.subscribed(p, subs, since, response)
	})
	if err == nil {
		err = malformed
	}
	if isRefusal(err) { // of all at once: a message that is too long, say
		c.guard.Lock()
		for _, s := range subs {
			s.state, s.err = refused, err
		}
		c.guard.Unlock()
		err = nil
	}
	return true, err
}

// nextBatch picks what to tell the server, and marks it as being told. since
// is the place behind which those want the events; nil: only what comes. Some
// may be refused here, which no server is told of.
func (c *ClientRouter) nextBatch() (subs []*subscription, since *cursor, refusedSome bool) {
	c.guard.Lock()
	defer c.guard.Unlock()
	c.forgetUnwanted()
	for _, resuming := range [...]bool{true, false} {
		size := 0
		for _, s := range c.subscriptions {
			if s.state != idle || s.resumes != resuming {
				continue
			}
			if err := cmp.Or(s.sender.check(), s.event.check()); err != nil {
				s.state, s.err, refusedSome = refused, err, true
				continue
			}
			if size += len(s.sender) + len(s.event) + 64; len(subs) == mostSubscribed || len(subs) > 0 && size > MaxData/4 {
				break
			}
			s.state = adding
			subs = append(subs, s)
		}
		if len(subs) > 0 && resuming {
			return subs, &cursor{c.resumes.epoch, c.resumes.seq}, refusedSome
		}
	}
	c.settled = !c.isResuming() // some may be wanted no more
	return subs, nil, refusedSome
}

// subscribed takes the answer to a subscription, before anything that came
// behind it.
func (c *ClientRouter) subscribed(p *peer, subs []*subscription, since *cursor, response []byte) error {
	results, ok := wire.ArrayOf(member(response, "listeners"))
	if !ok {
		return errors.New("subscribe: the server's answer has no listeners")
	}
	epoch := p.greeting.cursor.epoch
	c.guard.Lock()
	defer c.guard.Unlock()
	if c.registering != p {
		return errEnded
	}
	begin, _ := unsigned(member(response, "seq"))
	switch {
	case since == nil:
		for _, s := range subs { // what was before, they have not asked for
			s.had = begin
		}
		if c.cursor.epoch == epoch {
			begin = c.cursor.seq
		}
	case since.epoch != epoch: // numbers begin anew
		for _, s := range c.subscriptions {
			s.had = 0
		}
	default: // what comes again for these, others have had
		for _, s := range c.subscriptions {
			if s.state == active {
				s.had = max(s.had, c.cursor.seq)
			}
		}
	}
	c.cursor = cursor{epoch, begin}
	for _, s := range subs {
		if !results.Next() {
			return errors.New("subscribe: the server answered for too few listeners")
		}
		c.settle(s, results.Value)
	}
	if since != nil {
		c.tellMissed(member(response, "missed"))
	}
	c.settled = !c.isResuming()
	c.tellPassed()
	return nil
}

// settle takes the server's answer for one subscription; the caller holds the
// lock.
func (c *ClientRouter) settle(s *subscription, result []byte) {
	s.resumes, s.notOffered = true, string(member(result, "offered")) == "false"
	id, ok := nameOf(member(result, "listener_id"))
	switch {
	case ok:
		c.activate(s, id)
	default:
		text, _ := nameOf(member(result, "exception"))
		s.state, s.err = refused, &RemoteError{Status: statusException, Text: text.String()}
	}
}

// tellMissed has the listeners hear of events that are gone: a number, or null
// where that is not known. The caller holds the lock.
func (c *ClientRouter) tellMissed(count []byte) {
	if n, ok := unsigned(count); ok && n > 0 {
		c.events.push(arrival{missed: int(n)})
	} else if string(count) == "null" {
		c.events.push(arrival{missed: -1})
	}
}

// tellPassed has the listeners hear how far the events have come. The caller
// holds the lock.
func (c *ClientRouter) tellPassed() {
	if c.reaches(c.cursor.seq) {
		c.events.push(arrival{passed: c.told})
	}
}

// reaches notes that the listeners have all up to a number of the server's, and
// reports whether that is news: a replay in several messages goes back for some.
// The caller holds the lock.
func (c *ClientRouter) reaches(seq uint64) bool {
	epoch := c.cursor.epoch
	if !c.settled || epoch == "" || c.told.epoch == epoch && seq <= c.told.seq {
		return false
	}
	if c.told.epoch != epoch {
		c.epoch = &epoch
	}
	c.told = cursor{epoch, seq}
	return true
}

// passed takes what tells how far the server's events have come: the answer to
// a ping, or a ping.
func (c *ClientRouter) passed(p *peer, params []byte) {
	c.guard.Lock()
	defer c.guard.Unlock()
	if c.registering != p {
		return
	}
	resuming := c.isResuming()
	for o := wire.ObjectOf(params); o.Next(); {
		switch string(o.Key) {
		case "seq":
			if seq, _ := unsigned(o.Value); !resuming {
				c.cursor.seq = max(c.cursor.seq, seq)
			}
		case "missed":
			c.tellMissed(o.Value)
		}
	}
	c.tellPassed()
}
