package sig

import (
	"context"
	"time"

	"sigalert/sig/internal/wire"
)

// signalled is what the info of a client's signal means.
type signalled struct {
	signal *Signal
	rest   *rest // of its events
}

// slowest is how long a connected sender waits for its answer while it is slowed down,
// or listeners do not keep up. Its own patience is 10 s.
const slowest = 8 * time.Second

// slowsDown has a pysig sender wait for its answer if the queue of a pysig client
// that gets the event is half full, so that nothing is lost; it reports whether
// the answer is under way.
func (c *session) slowsDown(sg *Signal, r request, seq uint64) bool {
	var slow []<-chan struct{}
	rt := sg.current()
	for i := range rt.clients {
		if s := rt.clients[i].session; s != c && !s.peer.streaming.Load() {
			if eases := s.out.eases(); eases != nil {
				slow = append(slow, eases)
			}
		}
	}
	if slow == nil {
		return false
	}
	select {
	case c.asking <- struct{}{}:
	default:
		return false // it does not wait for its answers
	}
	r = r.keep()
	c.tasks.Go(func() { // the reading goroutine may have to read what eases a queue
		defer func() { <-c.asking }()
		ctx, cancel := context.WithTimeout(c.ctx, slowest)
		defer cancel()
		for _, eases := range slow {
			select {
			case <-eases:
			case <-ctx.Done():
			}
		}
		c.server.keep(seq)
		r.reply(nil, nil)
	})
	return true
}

func (c *session) signal(params []byte) (sg *Signal, seq uint64, err error) {
	var info, data []byte
	for o := wire.ObjectOf(params); o.Next(); {
		switch string(o.Key) {
		case "info":
			info = o.Value
		case "data":
			data = o.Value
		}
	}
	what, known := c.signals[string(info)]
	if !known || what.signal.current().owner != c {
		if !missing(params) && params[0] != '{' {
			return nil, 0, notObject("params", params)
		}
		if sg, err = c.findSignal(info); err != nil {
			return nil, 0, err
		}
		what = signalled{signal: sg}
		if extra := extraOf(info); extra != nil {
			what.rest = &rest{extra: extra}
		}
		if len(c.signals) >= maxCached || c.signals == nil {
			c.signals = make(map[string]signalled)
		}
		if len(info) <= maxCachedBytes {
			c.signals[string(info)] = what
		}
	}
	seq, err = what.signal.hear(received(data), what.rest)
	return what.signal, seq, err
}

// findSignal returns the signal that a text names.
func (c *session) findSignal(info []byte) (*Signal, error) {
	if missing(info) {
		return nil, exception(textNoInfo)
	}
	if info[0] != '{' {
		return nil, notObject("info", info)
	}
	if missing(member(info, "sender")) {
		return nil, exception(textNoSender)
	}
	name, event, err := listenedTo(info)
	if err != nil {
		return nil, err
	}
	if err := c.allow(ToConnect, name, ""); err != nil {
		return nil, err
	}
	s, err := c.mySender(name)
	if err != nil {
		return nil, err
	}
	sg, err := s.Signal(event)
	if err != nil {
		return nil, coded(codeNotOffered, "sender %s does not offer %s", name, event)
	}
	return sg, nil
}

func (c *session) mySender(name Name) (*Sender, error) {
	if s := c.mine(name); s != nil {
		return s, nil
	}
	s, connected := c.server.find(name)
	switch {
	case connected:
		return nil, belongsToAnother(name)
	case s != nil:
		return nil, coded(codeNone, "sender %s"+textNotConnected, name)
	}
	return nil, errNotFound(name)
}
