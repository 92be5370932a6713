package sig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// answerTimeout is how long pysig waits for a reply, and so do we.
	answerTimeout = 10 * time.Second
	// probeAfter is the silence after which a client asks whether its server
	// is still there; two unanswered probes end the connection.
	probeAfter = 15 * time.Second
	// settleTime is between an answer and the next request. A pysig peer that
	// was busy when a reply of ours came reads it only after it has answered:
	// a request that follows at once would be read together with it, and both
	// would be lost.
	settleTime = 10 * time.Millisecond
)

// peer is the conversation on one connection: requests and replies, both
// ways. Its owner runs serve; the other methods are for any goroutine.
type peer struct {
	conn Conn
	// handle answers the other side's requests, on the reading goroutine: it
	// must not call back, nor wait. What it is given is valid until it
	// returns.
	handle func(method string, params []byte) (response []byte, err error)
	// stray is told of messages that are JSON, but no message.
	stray func(text []byte) error

	calling  chan struct{} // holds a token while a request is unanswered
	ended    chan struct{} // closed once serve returns
	born     time.Time
	lastRead atomic.Int64 // nanoseconds since born

	mu         sync.Mutex // guards the fields below
	lastID     uint64
	waiting    chan answer // nil: no request is unanswered
	lastAnswer time.Time
}

var errEnded = fmt.Errorf("%w: the connection ended", ErrNotConnected)

type answer struct {
	response []byte
	err      error
}

func newPeer(conn Conn) *peer {
	return &peer{conn: conn, calling: make(chan struct{}, 1), ended: make(chan struct{}), born: time.Now()}
}

// serve reads until the connection ends, and says why it did. It closes the
// connection.
func (p *peer) serve() error {
	defer close(p.ended)
	defer p.conn.Close()
	for {
		text, err := p.conn.ReadMessage()
		if err != nil {
			return err
		}
		p.lastRead.Store(int64(time.Since(p.born)))
		m, ok := parseMessage(text)
		switch {
		case !ok:
			if err := p.stray(text); err != nil {
				return err
			}
		case m.isReply():
			p.take(m)
		default:
			if err := p.answer(m); err != nil {
				return err
			}
		}
	}
}

func (p *peer) answer(m message) error {
	response, err := p.respond(m)
	err = p.conn.WriteMessage(appendReply(nil, m.id, response, err))
	if errors.Is(err, ErrTooLarge) {
		err = p.conn.WriteMessage(appendReply(nil, m.id, nil, exception("the answer is too large: %v", err)))
	}
	if errors.Is(err, ErrTooLarge) { // the id itself, then
		return nil
	}
	return err
}

func (p *peer) respond(m message) ([]byte, error) {
	if missing(m.method) {
		return nil, &RemoteError{Status: statusNoMethod}
	}
	method, ok := nameOf(m.method)
	if !ok {
		return nil, &RemoteError{Status: statusUnknown}
	}
	return p.handle(string(method), m.params)
}

// take hands a reply to the call that waits for it. Late and unasked replies
// are nobody's.
func (p *peer) take(m message) {
	id, ok := nameOf(m.id)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == nil || !ok || !id.Equal(Number(float64(p.lastID))) {
		return
	}
	response, err := m.result()
	p.waiting <- answer{bytes.Clone(response), err}
	p.waiting, p.lastAnswer = nil, time.Now()
}

// call sends a request and waits for its answer. One request is under way at
// a time; others wait for their turn. The error is a *RemoteError where the
// peer refused, ErrTooLarge, ErrNoAnswer after 10 s without one, ErrNotConnected
// where the connection ended, or ctx's.
func (p *peer) call(ctx context.Context, method string, params []byte) ([]byte, error) {
	select {
	case p.calling <- struct{}{}:
		defer func() { <-p.calling }()
	case <-p.ended:
		return nil, errEnded
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, answerTimeout, fmt.Errorf("%w to %s within %s", ErrNoAnswer, method, answerTimeout))
	defer cancel()

	p.mu.Lock()
	settled := settleTime - time.Since(p.lastAnswer)
	p.mu.Unlock()
	if settled > 0 && !pause(ctx, settled, p.ended) {
		return nil, context.Cause(ctx)
	}
	waiting := make(chan answer, 1)
	p.mu.Lock()
	p.lastID++
	id := p.lastID
	p.waiting = waiting
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.waiting = nil
		p.mu.Unlock()
	}()
	if err := p.conn.WriteMessage(appendRequest(nil, id, method, params)); err != nil {
		if !errors.Is(err, ErrTooLarge) {
			err = fmt.Errorf("%w: %w", ErrNotConnected, err)
		}
		return nil, err
	}
	select {
	case a := <-waiting:
		return a.response, a.err
	case <-p.ended:
		return nil, errEnded
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// probe asks the silent peer whether it is there, until ctx ends. It returns
// an error once two probes were not answered. A token on now makes it ask at
// once.
func (p *peer) probe(ctx context.Context, now <-chan struct{}) error {
	silence := time.NewTimer(probeAfter)
	defer silence.Stop()
	for unanswered := 0; ; {
		asked := unanswered > 0
		if !asked {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-silence.C:
			case <-now:
				asked = true
			}
		}
		before := p.lastRead.Load()
		if quiet := time.Since(p.born) - time.Duration(before); quiet < probeAfter && !asked {
			silence.Reset(probeAfter - quiet)
			continue
		}
		_, err := p.call(ctx, "get_version", nil)
		switch {
		case err == nil || errors.As(err, new(*RemoteError)) || p.lastRead.Load() != before:
			unanswered = 0
			silence.Reset(probeAfter)
		case errors.Is(err, ErrNoAnswer):
			if unanswered++; unanswered == 2 {
				return fmt.Errorf("the connection is dead: %w, twice", err)
			}
		default:
			return err
		}
	}
}
