package sig

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"sigalert/internal/wait"
)

const (
	// queueBytes bounds the data that waits in a queue, whatever the queue's
	// length.
	queueBytes = 8 << 20
	// batchBytes is how much goes into one write of a stream.
	batchBytes = 64 << 10
	// maxUnread is how much of its answers a client may leave unread before the
	// server reads nothing more from it.
	maxUnread = 256 << 10
	// smallMessage is the longest message that may wait even if there are more than
	// [Limits.Unread].
	smallMessage = 4 << 10
)

// item is what waits for a client: a message, or an event.
type item struct {
	text  []byte // the message; nil: an event
	event *entry
	to    *target // whom the event is for
}

// outgoing holds what waits for a client, bounded in events and in bytes. When it
// is full, events are no longer queued: once what waits has gone out, they come
// from the server's memory.
type outgoing struct {
	limit  int
	server *ServerRouter
	ready  wait.Token // there may be something to send
	room   wait.Token // there may be room for messages again

	mu      sync.Mutex // guards the fields below
	items   []item
	events  int
	bytes   int // of the events
	texts   int // of the answers
	asks    int // of the requests
	writing int // of the messages that are being written
	closed  bool
	busy    bool          // what was taken is being sent
	easing  chan struct{} // closed once less than half of it is full; nil: nobody waits

	// behind: the events after number pos are to come from the memory.
	behind bool
	pos    uint64
	missed uint64 // events that were gone, and have not been reported yet
	gap    bool   // that count cannot be known
}

var (
	errSlow    = errors.New("the client sends requests but does not read the answers")
	errBusy    = errors.New("too many requests are waiting for it")
	errCrowded = errors.New("too much is waiting for other clients: try again")
)

// push is a peer's pusher. It never waits: an error for an answer ends the
// connection, one for a request is the requester's.
func (o *outgoing) push(_ context.Context, text []byte, as kind) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	crowded := len(text) > smallMessage && o.isCrowded()
	switch {
	case o.closed:
		return errSlow
	case as == asks && (crowded || o.asks > queueBytes):
		o.server.over[overUnread].Add(1)
		return errBusy
	case as == asks:
		o.asks += len(text)
	case o.texts > 4*queueBytes:
		o.server.over[overUnread].Add(1)
		return errSlow
	case crowded:
		o.server.over[overUnread].Add(1)
		return errCrowded
	default:
		o.texts += len(text)
	}
	o.server.unread.Add(int64(len(text)))
	o.items = append(o.items, item{text: text})
	o.ready.Raise()
	return nil
}

// wait holds up reading from the client while too many answers wait for it.
func (o *outgoing) wait(ctx context.Context) {
	for {
		o.mu.Lock()
		unread := o.texts + o.writing
		o.mu.Unlock()
		if unread <= maxUnread && (unread == 0 || !o.isCrowded()) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-o.room:
		}
	}
}

// isCrowded reports whether too much waits for all clients together.
func (o *outgoing) isCrowded() bool {
	return o.server.unread.Load() > int64(o.server.limits.Load().Unread)
}

// event adds an event, or leaves it to the memory.
func (o *outgoing) event(e *entry, to *target) {
	o.mu.Lock()
	if o.behind {
		o.mu.Unlock()
		return
	}
	if o.events >= o.limit || o.bytes > 0 && o.bytes+e.size() > queueBytes {
		o.behind, o.pos = true, e.seq-1
	} else {
		o.add(e, to)
	}
	o.mu.Unlock()
	o.ready.Raise()
}

// add must be called with the lock held.
func (o *outgoing) add(e *entry, to *target) {
	o.items = append(o.items, item{event: e, to: to})
	o.events++
	o.bytes += e.size()
}

// eases returns nil if less than half of the queue is full, and otherwise a
// channel that is closed once it is.
func (o *outgoing) eases() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.isEasy() {
		return nil
	}
	if o.easing == nil {
		o.easing = make(chan struct{})
	}
	return o.easing
}

// isEasy must be called with the lock held.
func (o *outgoing) isEasy() bool {
	return o.closed || !o.behind && o.events <= o.limit/2 && o.bytes <= queueBytes/2
}

// ease must be called with the lock held, when less may be waiting.
func (o *outgoing) ease() {
	if o.easing != nil && o.isEasy() {
		close(o.easing)
		o.easing = nil
	}
}

// deliver sends what waits, until ctx ends or the connection fails.
func (c *session) deliver(ctx context.Context) {
	failed := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.out.ready:
		}
		if c.peer.streaming.Load() {
			if err := c.flush(); err != nil {
				c.peer.conn.Close()
				return
			}
			continue
		}
		for it, ok := c.next(); ok && ctx.Err() == nil; it, ok = c.next() {
			for _, l := range it.to.listeners {
				if !l.wants(it.event.seq) {
					continue
				}
				c.server.handed(it.event.seq)
				err := c.send(ctx, it.event, l)
				switch {
				case err == nil:
					c.handed.Add(1)
					continue
				case ctx.Err() != nil:
					continue
				case !errors.As(err, new(*RemoteError)): // a refusal is an answer
					c.missed.Add(1)
					c.server.dropped.Add(1)
				}
				if failed++; rare(failed) {
					c.log.Warn("an event was not delivered", "sender", it.event.sender, "event", it.event.event, "err", err, "count", failed)
				}
			}
		}
	}
}

// next returns a pysig client's next event, which the memory has if the queue has
// none.
func (c *session) next() (it item, ok bool) {
	for {
		if it, ok = c.out.oldest(); ok || !c.out.isBehind() {
			return it, ok
		}
		c.refill()
	}
}

// oldest removes and returns a pysig client's oldest event.
func (o *outgoing) oldest() (it item, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	defer o.ease()
	o.busy = len(o.items) > 0 || o.behind
	if len(o.items) == 0 {
		o.items = nil
		return it, false
	}
	it = o.items[0]
	o.items[0] = item{}
	o.items = o.items[1:]
	o.events--
	o.bytes -= it.event.size()
	return it, true
}

// send delivers an event to a pysig client for one listener, and waits for its
// answer.
func (c *session) send(ctx context.Context, e *entry, l *Listener) error {
	data := e.data()
	b := append(make([]byte, 0, 160+len(data)), `{"info": `...)
	b = appendExtra(appendInfo(b, e.sender, e.event), e.extra)
	b = append(b, `, "listener_id": `...)
	b = strconv.AppendUint(b, l.client.id, 10)
	b = append(b, `, "data": `...)
	b = append(b, data...)
	_, err := c.peer.call(ctx, "signal", append(b, '}'))
	return err
}

// batches holds buffers for writes to streams, and queues holds slices for what
// waits meanwhile: an idle client has none.
var (
	batches = sync.Pool{New: func() any { return new([]byte) }}
	queues  = sync.Pool{New: func() any { return new([]item) }}
)

// flush writes what waits for a stream, and then what it has to catch up on.
func (c *session) flush() error {
	buffer, queue := batches.Get().(*[]byte), queues.Get().(*[]item)
	defer func() {
		if cap(*buffer) <= 4*batchBytes {
			batches.Put(buffer)
		}
		queues.Put(queue)
	}()
	items := *queue
	*queue = nil // what the session has, no other may get: a write may fail
	for {
		items = c.out.take(items)
		if len(items) == 0 && !c.out.isBehind() {
			*queue = c.out.rest()
			return nil
		}
		c.server.handed(newest(items))
		batch, events := (*buffer)[:0], 0
		for i := range items {
			it := &items[i]
			if it.text != nil {
				batch = append(batch, it.text...)
			} else {
				batch = c.appendSignal(batch, it.event, it.to.ids, false)
				events++
			}
			if len(batch) >= batchBytes {
				if err := c.peer.writeBatch(batch); err != nil {
					return err
				}
				batch = batch[:0]
			}
		}
		if len(items) == 0 {
			var upTo uint64
			batch, events, upTo = c.catchUp(batch)
			c.server.handed(upTo)
		}
		if len(batch) > 0 {
			if err := c.peer.writeBatch(batch); err != nil {
				return err
			}
		}
		c.handed.Add(uint64(events))
		c.out.written()
		*buffer = batch
	}
}

// newest returns the highest number of the events; 0 if there are none.
func newest(items []item) uint64 {
	for i := len(items) - 1; i >= 0; i-- {
		if e := items[i].event; e != nil {
			return e.seq
		}
	}
	return 0
}

// take returns all items, and leaves an emptied slice for the next ones.
func (o *outgoing) take(emptied []item) []item {
	clear(emptied)
	o.mu.Lock()
	defer o.mu.Unlock()
	items := o.items
	o.items = emptied[:0]
	o.busy = len(items) > 0 || o.behind
	o.writing += o.texts + o.asks
	o.events, o.bytes, o.texts, o.asks = 0, 0, 0, 0
	return items
}

// written notes that what was taken is out.
func (o *outgoing) written() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.server.unread.Add(-int64(o.writing))
	o.writing = 0
	o.room.Raise()
}

// close forgets what waits, and takes no more messages.
func (o *outgoing) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.server.unread.Add(-int64(o.texts + o.asks + o.writing))
	o.texts, o.asks, o.writing, o.items, o.closed = 0, 0, 0, nil, true
	o.ease()
}

// rest returns the memory for items if none wait.
func (o *outgoing) rest() (room []item) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.items) == 0 {
		room, o.items = o.items, nil
	}
	return room
}

func (o *outgoing) hasItems() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.items) > 0
}

func (o *outgoing) isBehind() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.behind
}

// appendSignal writes the message that delivers an event to a stream.
func (c *session) appendSignal(b []byte, e *entry, ids []byte, replayed bool) []byte {
	b = append(b, `{"method":"signal","params":{"listener_ids":[`...)
	b = append(b, ids...)
	b = append(b, "],"...)
	if replayed {
		b = append(b, `"replayed":true,`...)
	}
	b = c.out.appendMissed(b, ',')
	return append(b, e.text...)
}

// takeMissed returns how many events are gone that have not been reported; with gap there
// is no telling how many.
func (o *outgoing) takeMissed() (n uint64, gap bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, gap = o.missed, o.gap
	o.missed, o.gap = 0, false
	return n, gap
}

// appendMissed reports events that are gone, if there are any to report.
func (o *outgoing) appendMissed(b []byte, behind byte) []byte {
	switch missed, gap := o.takeMissed(); {
	case gap:
		b = append(b, `"missed":null`...)
	case missed > 0:
		b = strconv.AppendUint(append(b, `"missed":`...), missed, 10)
	default:
		return b
	}
	return append(b, behind)
}
