package sig

import (
	"context"
	"net"
	"time"
)

// silence is how long a follower gets nothing before it is told how far the events have got.
const silence = 15 * time.Second

// Follower is somebody who listens at a server by another protocol, such as HTTP. Its
// functions, of which none may be nil, are called one at a time, on the goroutine that
// called [ServerRouter.Follow]; while they wait, the server keeps what follows.
type Follower struct {
	Caller Caller
	Rights Rights // as [ServerRouter.Admit] returned them
	// Listen are what it listens to: a sender and an event, where the zero Name stands
	// for every one. An event that is for several of these comes once.
	Listen [][2]Name
	// Since is where it ended before. Default: it begins now.
	Since *Position

	// Event reports whether the follower was told of the event; others do not break a
	// silence.
	Event func(Event) bool
	// Missed and Passed are as in [ClientOptions], except that the 15 s of silence are
	// those of the router.
	Missed func(n int)
	Passed func(Position)
	// Flush is called when nothing more follows at once. Its error ends Follow.
	Flush func() error
}

// Follow calls a follower's functions until ctx, its rights or the server end, or Flush
// fails, whose error it returns; it is nil otherwise. If the limits do not allow for the
// listeners, nothing has been called, and the error is a *RemoteError.
func (s *ServerRouter) Follow(ctx context.Context, f Follower) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := newSession(ctx, s, followed{f.Caller.Peer, cancel}, s.log.With("client", f.Caller.Peer))
	s.attend(c)
	defer s.dismiss(c)
	defer c.grant(f.Rights, f.Caller.Certificate)()
	defer s.left.Raise()
	defer c.leave()
	defer c.out.close()
	c.speaks.Store(true)
	err := c.mayListen(len(f.Listen))
	switch {
	case ctx.Err() != nil || s.accepting.Err() != nil:
		return nil
	case err != nil:
		return err
	}
	c.peer.streaming.Store(true)

	w := wish{faults: make([]error, len(f.Listen))}
	for _, t := range f.Listen {
		w.listeners = append(w.listeners, &Listener{sender: t[0], event: t[1], client: new(clientListener)})
	}
	epoch, elsewhere := s.journal.epoch, false
	if f.Since != nil {
		w.since, w.hasSince = *f.Since, true
		if w.since.Epoch != epoch { // of another run, of which nobody knows what came after that
			elsewhere = w.since.Epoch != ""
			w.since = Position{epoch, 0}
		}
	}
	c.lookBack(&w)
	s.mu.Lock()
	done := c.listenAll(w)
	s.mu.Unlock()
	for _, err := range done.faults {
		if err != nil {
			return wireError(err)
		}
	}
	if elsewhere {
		f.Missed(-1)
	}
	switch {
	case !done.counted:
		f.Missed(-1)
	case done.missed > 0:
		f.Missed(int(done.missed))
	}
	f.Passed(Position{epoch, done.begin})
	return c.follow(f)
}

func (c *session) follow(f Follower) error {
	quiet := time.NewTimer(silence)
	defer quiet.Stop()
	for {
		if err := f.Flush(); err != nil {
			return err
		}
		told, err := c.handOver(f)
		if err != nil {
			return err
		}
		if told {
			quiet.Reset(silence)
		}
		select {
		case <-c.ctx.Done():
			return nil
		case <-c.out.ready:
		case <-quiet.C:
			f.Passed(c.reached())
			quiet.Reset(silence)
		}
	}
}

// handOver calls the follower's functions until there is nothing more for it, or its
// connection has ended. It reports whether the follower was told anything.
func (c *session) handOver(f Follower) (told bool, err error) {
	queue := queues.Get().(*[]item)
	defer queues.Put(queue)
	items := *queue
	*queue = nil
	var batch []*entry
	for c.ctx.Err() == nil {
		items = c.out.take(items)
		if len(items) == 0 && !c.out.isBehind() {
			*queue = c.out.rest()
			break
		}
		batch = batch[:0]
		for i := range items {
			batch = append(batch, items[i].event)
		}
		upTo := newest(items)
		if len(items) == 0 {
			batch, upTo = c.catchUpOn(batch)
		}
		c.server.handed(upTo)
		switch missed, gap := c.out.takeMissed(); {
		case gap:
			f.Missed(-1)
			told = true
		case missed > 0:
			f.Missed(int(missed))
			told = true
		}
		for _, e := range batch {
			if c.ctx.Err() != nil { // with its rights, perhaps
				return told, nil
			}
			told = f.Event(c.server.eventOf(e, e.seq <= c.replayed)) || told
			c.peer.bytesOut.Add(uint64(len(e.text)))
			c.handed.Add(1)
		}
		if len(batch) == 0 && !c.out.isBehind() { // a search in vain
			f.Passed(Position{c.server.journal.epoch, upTo})
			told = true
		}
		if err := f.Flush(); err != nil {
			return told, err
		}
	}
	return told, nil
}

// catchUpOn returns remembered events that a follower has yet to get, some at a time, and
// up to which number it has those.
func (c *session) catchUpOn(batch []*entry) (more []*entry, upTo uint64) {
	c.server.mu.RLock()
	defer c.server.mu.RUnlock()
	bytes := 0
	c.remembered(func(e *entry, _ []*Listener) bool {
		batch = append(batch, e)
		bytes += e.size()
		return bytes < batchBytes
	})
	return batch, c.queued()
}

// reached returns how far a follower has got.
func (c *session) reached() Position {
	c.server.mu.RLock()
	defer c.server.mu.RUnlock()
	at := Position{c.server.journal.epoch, c.queued()}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	if len(c.out.items) > 0 {
		at.Seq = c.out.items[0].event.seq - 1
	}
	return at
}

// eventOf is a remembered event as listeners get it over the wire.
func (s *ServerRouter) eventOf(e *entry, replayed bool) Event {
	return Event{
		Sender: e.sender, Event: e.event, Data: received(e.data()), Seq: e.seq,
		Time: time.UnixMicro(e.time.UnixMicro()), Replayed: replayed, rest: &rest{s.journal.epoch, e.extra},
	}
}

// followed is the connection of a follower's session: others only ask who that is, and
// close it.
type followed struct {
	peer   string
	cancel context.CancelFunc
}

func (f followed) ReadMessage() ([]byte, error) { return nil, net.ErrClosed }
func (f followed) WriteMessage([]byte) error    { return net.ErrClosed }
func (f followed) Peer() string                 { return f.peer }

func (f followed) Close() error {
	f.cancel()
	return nil
}
