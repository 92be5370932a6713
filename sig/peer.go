package sig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig/internal/wire"
)

const (
	// answerTimeout is how long pysig waits for a reply, and so do we.
	answerTimeout = 10 * time.Second
	// settleTime is the pause between an answer and the next request if we
	// replied to something in between. A pysig peer that was busy when our
	// reply came reads it only after it has answered: a request that followed
	// at once would be read together with it, and both would be lost.
	settleTime = 10 * time.Millisecond
	// maxID is the longest id, in bytes, that a request may have: its answer
	// repeats it.
	maxID = 1 << 10
)

// peer is the conversation on one connection: requests and replies, both ways.
// Its owner runs serve; any goroutine may call the other methods.
//
// It begins as with a pysig peer: one request at a time, one message per write.
// Once it streams, requests do not wait for each other.
type peer struct {
	conn Conn
	// handle answers the other side's requests, on the reading goroutine: it
	// must neither send requests itself nor wait for another's.
	handle func(request)
	// stray handles JSON that is not a message.
	stray func(text []byte) error

	streaming atomic.Bool
	push      pusher   // takes a stream's messages; set before streaming
	outbox    *outbox  // of a client's stream; set before streaming
	greeting  greeting // of a client's server; set before others use the peer

	held     atomic.Bool   // the owner is holding up reading
	calling  chan struct{} // holds a token while a pysig peer has a request to answer
	ended    chan struct{} // closed once serve returns
	born     time.Time
	lastRead atomic.Int64 // nanoseconds since born
	bytesIn  atomic.Uint64
	bytesOut atomic.Uint64
	heard    atomic.Int64 // the same by the wall clock, which goes on in a suspend: Unix nanoseconds

	mu       sync.Mutex // guards the fields below
	lastID   uint64
	waiting  map[uint64]unanswered
	late     *time.Timer // finds those that have waited too long; nil: not set
	farewell error       // what the other side said before it closed
	replied  bool        // we replied while the other side had a request to answer
	settled  time.Time   // when a pysig peer may be asked again
}

// unanswered is a request that waits for its answer.
type unanswered struct {
	done  func(response []byte, err error)
	until time.Time
}

var errEnded = fmt.Errorf("%w: the connection ended", ErrNotConnected)

func newPeer(conn Conn) *peer {
	return &peer{conn: conn, calling: make(chan struct{}, 1), ended: make(chan struct{}), born: time.Now()}
}

// pusher takes a stream's message, newline included.
type pusher func(ctx context.Context, text []byte, as kind) error

// kind is how a pusher is to treat a message.
type kind uint8

const (
	asks        kind = iota // a request
	joins                   // a request of a client that has others to answer: it need not go out at once
	answers                 // an answer to a request that was kept: from any goroutine
	readAnswers             // an answer from the reading goroutine, which must not wait
)

// stream begins the stream: from now on, push takes the messages. Only the
// reading goroutine may call it.
func (p *peer) stream(push pusher) {
	if s, ok := p.conn.(StreamConn); ok {
		s.Stream()
	}
	p.push = push
	p.streaming.Store(true)
}

// serve reads until the connection ends, and returns why it did. It closes the
// connection; no request can be sent from then on.
func (p *peer) serve() error {
	err := p.read()
	p.conn.Close()
	close(p.ended)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.farewell != nil {
		err = p.farewell
	}
	return err
}

// abandon fails the requests that wait for an answer, once serve has returned.
func (p *peer) abandon() {
	p.mu.Lock()
	waiting := p.waiting
	p.waiting = nil
	if p.late != nil {
		p.late.Stop()
	}
	p.mu.Unlock()
	for _, w := range waiting {
		w.done(nil, errEnded)
	}
}

// sweep fails the requests that have waited too long. One timer serves them
// all: one for each would cost as much as the rest of a request.
func (p *peer) sweep() {
	var late []unanswered
	p.mu.Lock()
	p.late = nil
	now, next := time.Now(), time.Time{}
	for id, w := range p.waiting {
		if p.held.Load() { // the answer may have come, and waits to be read
			w.until = now.Add(answerTimeout)
			p.waiting[id] = w
		}
		if w.until.After(now) {
			if next.IsZero() || w.until.Before(next) {
				next = w.until
			}
			continue
		}
		late = append(late, w)
		delete(p.waiting, id)
	}
	if !next.IsZero() {
		p.late = time.AfterFunc(next.Sub(now), p.sweep)
	}
	p.mu.Unlock()
	for _, w := range late {
		w.done(nil, ErrNoAnswer)
	}
}

func (p *peer) read() error {
	var turns wait.Turns
	for {
		text, err := p.conn.ReadMessage()
		if err != nil {
			return err
		}
		p.bytesIn.Add(uint64(len(text)))
		now := time.Now()
		p.lastRead.Store(int64(now.Sub(p.born)))
		p.heard.Store(now.UnixNano())
		m, ok, err := parseMessage(text)
		switch {
		case err != nil:
			return err
		case !ok:
			if err := p.stray(text); err != nil {
				return err
			}
		case m.isReply():
			p.take(m)
		default:
			p.dispatch(m)
		}
		turns.Take(now)
	}
}

// request is a request from the other side. Its parts are valid until handle
// returns; to answer it later, keep it.
type request struct {
	peer           *peer
	id             []byte
	method, params []byte
	kept           bool
}

func (p *peer) dispatch(m message) {
	r := request{peer: p, id: m.id, params: m.params}
	if len(m.id) > maxID {
		r.id = []byte("null")
		r.reply(nil, exception("an id of %d bytes: at most %d are allowed", len(m.id), maxID))
		return
	}
	if missing(m.method) {
		r.reply(nil, &RemoteError{Status: statusNoMethod})
		return
	}
	method, ok := methodName(m.method)
	if !ok {
		r.reply(nil, &RemoteError{Status: statusUnknown})
		return
	}
	r.method = method
	p.handle(r)
}

// keep returns a copy of the request that can be answered at any later time.
func (r request) keep() request {
	return request{peer: r.peer, id: bytes.Clone(r.id), kept: true}
}

// wantsReply reports whether the request expects a reply: on a stream, one
// without an id does not.
func (r request) wantsReply() bool { return r.id != nil || !r.peer.streaming.Load() }

// reply answers the request, once. If it cannot, the connection has ended or is
// closed.
func (r request) reply(response []byte, err error) {
	if !r.wantsReply() {
		return
	}
	p, as := r.peer, readAnswers
	if r.kept {
		as = answers
	}
	stream := p.streaming.Load()
	failed := p.write(context.Background(), as, appendReply(make([]byte, 0, 64+len(r.id)+len(response)), r.id, response, err, stream))
	switch {
	case errors.Is(failed, ErrTooLarge):
		failed = p.write(context.Background(), as, appendReply(nil, r.id, nil, exception("the answer is too large: %v", failed), stream))
	case failed == errCrowded:
		failed = p.write(context.Background(), as, appendReply(nil, r.id, nil, exception("the answer cannot wait to be read: %v", failed), stream))
	}
	if failed != nil {
		p.conn.Close()
	}
}

// write sends a message in the connection's present mode.
func (p *peer) write(ctx context.Context, as kind, text []byte) error {
	if p.streaming.Load() {
		if len(text) > MaxMessage {
			return fmt.Errorf("%w: it has %d bytes, the limit is %d", ErrTooLarge, len(text), MaxMessage)
		}
		return p.push(ctx, append(wire.OneLine(text), '\n'), as)
	}
	if as != asks && as != joins {
		p.mu.Lock()
		p.replied = len(p.waiting) > 0
		p.mu.Unlock()
	}
	p.bytesOut.Add(uint64(len(text)))
	return p.conn.WriteMessage(text)
}

// writeBatch writes some of a stream's messages.
func (p *peer) writeBatch(batch []byte) error {
	p.bytesOut.Add(uint64(len(batch)))
	return writeStream(p.conn, batch)
}

// take hands a reply to the call that waits for it. Late and unsolicited
// replies are dropped.
func (p *peer) take(m message) {
	response, err := m.result()
	id, ok := p.replyTo(m, err)
	if !ok {
		return
	}
	p.mu.Lock()
	w := p.waiting[id]
	delete(p.waiting, id)
	if p.replied {
		p.settled, p.replied = time.Now().Add(settleTime), false
	}
	p.mu.Unlock()
	if w.done != nil {
		w.done(response, err)
	}
}

// replyTo finds which request a message answers. A refusal without an id is
// what a server says before it closes the connection.
func (p *peer) replyTo(m message, err error) (id uint64, ok bool) {
	if err != nil && string(m.id) == "null" {
		p.mu.Lock()
		p.farewell = err
		p.mu.Unlock()
	}
	return m.replyID()
}

// call sends a request and waits for its answer. A pysig peer gets one request
// at a time; others wait their turn. The error is a *RemoteError if the peer
// refused, ErrTooLarge, ErrNoAnswer 10 s after the request was sent,
// ErrNotConnected if the connection ended, or ctx's.
func (p *peer) call(ctx context.Context, method string, params []byte) (response []byte, err error) {
	err = p.ask(ctx, method, params, func(text []byte) { response = bytes.Clone(text) })
	if err != nil {
		return nil, err
	}
	return response, nil
}

// ask is call for callers that must read the response before anything that
// comes after it: read runs on the reading goroutine.
func (p *peer) ask(ctx context.Context, method string, params []byte, read func(response []byte)) error {
	if !p.streaming.Load() {
		if err := p.turn(ctx); err != nil {
			return err
		}
		defer func() { <-p.calling }()
	}
	answered := make(chan error, 1)
	id, err := p.start(ctx, method, params, func(response []byte, err error) {
		if err == nil {
			read(response)
		}
		answered <- err
	})
	if err != nil {
		return err
	}
	select {
	case err = <-answered:
	case <-ctx.Done():
		if p.forget(id) {
			return context.Cause(ctx)
		}
		err = <-answered // it is being read right now
	}
	if err == ErrNoAnswer {
		err = fmt.Errorf("%w to %s within %s", err, method, answerTimeout)
	}
	return err
}

// turn waits until a pysig peer may be asked something; it then holds calling.
func (p *peer) turn(ctx context.Context) error {
	select {
	case p.calling <- struct{}{}:
	case <-p.ended:
		return errEnded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	p.mu.Lock()
	settles := time.Until(p.settled)
	p.mu.Unlock()
	if settles > 0 && !wait.Sleep(ctx, settles, p.ended) {
		<-p.calling
		return context.Cause(ctx)
	}
	return nil
}

// start sends a request. done is called once, unless there is an error or the
// request is forgotten: on the reading goroutine with the response, which is
// valid until done returns, or with ErrNoAnswer after 10 s.
func (p *peer) start(ctx context.Context, method string, params []byte, done func(response []byte, err error)) (id uint64, err error) {
	p.mu.Lock()
	if isClosed(p.ended) {
		p.mu.Unlock()
		return 0, errEnded
	}
	if p.waiting == nil {
		p.waiting = make(map[uint64]unanswered)
	}
	p.lastID++
	id = p.lastID
	p.waiting[id] = unanswered{done, time.Now().Add(answerTimeout)}
	as := asks
	if p.outbox != nil && len(p.waiting) > 1 {
		as = joins
	}
	if p.late == nil {
		p.late = time.AfterFunc(answerTimeout, p.sweep)
	}
	p.mu.Unlock()
	err = p.write(ctx, as, appendRequest(make([]byte, 0, 64+len(method)+len(params)), id, method, params))
	if err != nil {
		if !p.forget(id) {
			return id, nil // done is called for the connection's end
		}
		if !errors.Is(err, ErrTooLarge) && !errors.Is(err, errBusy) && ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", ErrNotConnected, err)
		}
	}
	return id, err
}

// forget stops waiting for the answer to a request; it reports whether it was
// still waited for.
func (p *peer) forget(id uint64) (waited bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, waited = p.waiting[id]
	delete(p.waiting, id)
	return waited
}
