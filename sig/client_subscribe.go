package sig

import (
	"context"
	"errors"
	"strconv"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig/internal/wire"
)

// maxSubscribed is how many listeners go into one message.
const maxSubscribed = 1000

// subscribeNext asks a server that remembers for the subscriptions that it
// lacks, a batch at a time: first for those that resume, because their events
// are sent again.
func (c *ClientRouter) subscribeNext(ctx context.Context, p *peer) (more bool, err error) {
	c.guard.Lock()
	batch, since, refusedSome := c.subs.nextBatch()
	c.guard.Unlock()
	switch {
	case len(batch) == 0 && refusedSome:
		return true, nil
	case len(batch) == 0:
		return c.unregisterNext(ctx, p)
	}
	params := []byte(`{"listeners": [`)
	for i, s := range batch {
		if i > 0 {
			params = append(params, ", "...)
		}
		params = appendInfo(params, s.sender, s.event)
	}
	params = append(params, ']')
	if since != nil {
		params = wire.AppendString(append(params, `, "since": {"epoch": `...), since.Epoch)
		params = strconv.AppendUint(append(params, `, "seq": `...), since.Seq, 10)
		params = append(params, '}')
	}
	var malformed error
	err = p.ask(ctx, "subscribe", append(params, '}'), func(response []byte) {
		malformed = c.subscribed(p, batch, since, response)
	})
	if err == nil {
		err = malformed
	}
	if tooFast := new(RemoteError); errors.Is(err, ErrTooFast) && errors.As(err, &tooFast) {
		c.guard.Lock()
		for _, s := range batch {
			c.subs.retry(s)
		}
		c.guard.Unlock()
		return wait.Sleep(ctx, max(tooFast.RetryAfter, time.Second), nil), nil
	}
	if isRefusal(err) { // of the whole batch: the message is too long, say
		c.guard.Lock()
		for _, s := range batch {
			c.subs.refuse(s, err)
		}
		c.guard.Unlock()
		err = nil
	}
	return true, err
}

// subscribed handles the answer to a subscription, before anything that comes
// after it.
func (c *ClientRouter) subscribed(p *peer, batch []*subscription, since *Position, response []byte) error {
	results, ok := wire.ArrayOf(member(response, "listeners"))
	if !ok {
		return errors.New("subscribe: the server's answer has no listeners")
	}
	begin, _ := unsigned(member(response, "seq"))
	c.guard.Lock()
	defer c.guard.Unlock()
	if c.subs.server != p {
		return errEnded
	}
	if err := c.subs.answered(batch, since, begin, results); err != nil {
		return err
	}
	if since != nil {
		c.tellMissed(member(response, "missed"))
	}
	c.tellPassed(c.subs.at.Seq)
	return nil
}

// tellMissed queues a notice of events that are gone: count is a number, or
// null if it is not known. The caller holds the lock.
func (c *ClientRouter) tellMissed(count []byte) {
	if n, ok := unsigned(count); ok && n > 0 {
		c.events.push(arrival{missed: int(n)})
	} else if string(count) == "null" {
		c.events.push(arrival{missed: -1})
	}
}

// tellPassed queues a notice of how far the events have got. The caller holds
// the lock.
func (c *ClientRouter) tellPassed(seq uint64) {
	if c.subs.reached(seq) {
		c.events.push(arrival{passed: c.subs.told})
	}
}

// passed handles what says how far the server's events have got: the answer to
// a ping, or a ping.
func (c *ClientRouter) passed(p *peer, params []byte) {
	c.guard.Lock()
	defer c.guard.Unlock()
	if c.subs.server != p {
		return
	}
	c.tellMissed(member(params, "missed"))
	seq, _ := unsigned(member(params, "seq"))
	if c.tellPassed(seq); c.subs.told.Epoch != "" {
		c.events.push(arrival{passed: c.subs.told}) // if it is no news: the server is there
	}
}
