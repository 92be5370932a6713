package sig

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig/internal/wire"
)

// healthyAfter is how long a connection must have lasted for the backoff to
// start over when it ends.
const healthyAfter = 60 * time.Second

// refusedFor is how long a client that is not admitted has been away, at least, for the
// backoff: what it lacks takes somebody to change.
const refusedFor = 10 * time.Minute

// LinkStatus is the state of a client's connection to its server.
type LinkStatus struct {
	Connected bool
	Since     time.Time // when the connection was made, or lost
	Err       error     // why there is no connection; nil before the first try
	// Heard is when the server was heard last on the connection before this one, or on
	// the one that was lost; zero: on none. A server that is silent is asked for a sign
	// of life every 15 s.
	Heard time.Time

	Server   string   // what the server says it is, while there is a connection; "" for pysig's
	Features []string // that were agreed on with it: docs/protocol.md has them
}

// link keeps one connection to the server. It knows how to reconnect, and
// nothing of what the connection is for.
type link struct {
	carrier ClientCarrier
	backoff func(attempt int, away time.Duration) time.Duration
	log     *slog.Logger
	// handle answers the server's requests, on the reading goroutine; whatever
	// takes long goes into tasks.
	handle func(ctx context.Context, tasks *sync.WaitGroup, r request)
	// serve runs while there is a connection, and may end it by returning an
	// error.
	serve   func(ctx context.Context, p *peer) error
	changed func()
	single  bool // there is to be one connection, and no other after it
	// pong takes the answer to a stream's ping, on the reading goroutine.
	pong     func(p *peer, response []byte)
	token    func() (string, error) // nil: none
	identity string                 // lets the server know us when we come back

	needed  chan struct{} // closed once the link has something to do
	needOne sync.Once
	kick    wait.Token // ends a wait
	other   *link      // the other link to the same server

	mu      sync.Mutex // guards the fields below
	peer    *peer      // nil while there is no connection
	status  LinkStatus
	arrived chan struct{} // closed once there is a connection; nil: nobody waits
	waits   bool          // for the next attempt
	dialing func()        // ends the attempt to dial; nil: there is none
	again   bool          // it was ended for another
	invited bool          // by the other link: backoff did not choose the time
}

func newLink(carrier ClientCarrier, o ClientOptions) *link {
	return &link{
		carrier:  carrier,
		backoff:  o.Backoff,
		log:      o.Logger,
		changed:  o.Changed,
		single:   o.NoReconnect,
		token:    o.Token,
		identity: rand.Text(),
		needed:   make(chan struct{}),
		kick:     wait.NewToken(),
	}
}

func (l *link) need() { l.needOne.Do(func() { close(l.needed) }) }

func (l *link) isNeeded() bool { return isClosed(l.needed) }

// run connects, serves, and connects again, until ctx ends.
func (l *link) run(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-l.needed:
	}
	attempt, gone := 0, time.Now()
	for {
		began := time.Now()
		was, err := l.once(ctx)
		if ctx.Err() != nil || l.single {
			return
		}
		if was.Connected && time.Since(was.Since) >= healthyAfter {
			attempt, gone = 0, time.Now()
		}
		attempt++
		away := time.Since(gone)
		if errors.Is(err, ErrNotAdmitted) {
			away = max(away, refusedFor)
		}
		retry := l.backoff(attempt, away)
		if !was.Connected {
			retry = max(0, retry-time.Since(began)) // an attempt that got no answer has waited, too
		}
		l.log.Debug("no connection", "server", l.carrier, "err", err, "attempt", attempt, "retry_in", retry)
		invited := l.waiting(true)
		if !was.Connected && !invited && l.other.isBackSince(began) { // its invitation came during the attempt
			l.invite()
		}
		if !wait.Sleep(ctx, retry, l.kick) {
			return
		}
		l.waiting(false)
	}
}

// once runs one connection from beginning to end; it returns the status before
// the end, which is Connected if the server greeted.
func (l *link) once(ctx context.Context) (was LinkStatus, err error) {
	conn, err := l.dial(ctx)
	if err != nil {
		return l.lost(err), err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()

	p := newPeer(conn)
	var tasks sync.WaitGroup
	p.handle = func(r request) { l.handle(ctx, &tasks, r) }
	p.stray = func(text []byte) error { return fmt.Errorf("not a message: an array instead of an object") }
	task := func(f func(context.Context, *peer) error) {
		tasks.Go(func() {
			if err := f(ctx, p); err != nil {
				cancel(err)
			}
		})
	}
	task(func(ctx context.Context, p *peer) error {
		if err := l.greet(ctx, p); err != nil {
			return err
		}
		if l.mayInvite() {
			l.other.invite()
		}
		if p.outbox != nil {
			task(func(ctx context.Context, p *peer) error { return p.outbox.run(ctx) })
		}
		task(func(ctx context.Context, p *peer) error { return p.probe(ctx, l.kick, l.pong) })
		return l.serve(ctx, p)
	})
	err = ending(p.serve())
	p.abandon()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, ErrNotAdmitted) { // which may be why the greeting failed
		err = cause
	}
	cancel(err)
	tasks.Wait() // a greeting may just have succeeded: only now is it over
	if greeted, _ := l.current(); greeted == nil && !errors.As(err, new(*RemoteError)) && !slices.ContainsFunc(noProof, func(e error) bool { return errors.Is(err, e) }) {
		err = notServer{err}
	}
	return l.lost(fmt.Errorf("%s: %w", l.carrier, err)), err
}

// dial makes a connection. When reconnect is called it begins anew: what it has asked
// the network for may have gone with the network.
func (l *link) dial(ctx context.Context) (Conn, error) {
	for {
		ctx, cancel := context.WithTimeout(ctx, answerTimeout)
		l.mu.Lock()
		l.dialing, l.again = cancel, false
		l.mu.Unlock()
		conn, err := l.carrier.Dial(ctx)
		l.mu.Lock()
		again := l.again
		l.dialing = nil
		l.mu.Unlock()
		cancel()
		if err == nil || !again {
			return conn, err
		}
	}
}

// ending describes for people how a connection ended.
func ending(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the server closed the connection in the middle of a message")
	case errors.Is(err, io.EOF):
		return errors.New("the server closed the connection")
	}
	return err
}

// greet makes sure that this is an event server, and not something else that
// accepts connections. With a server of this package it agrees on a stream.
func (l *link) greet(ctx context.Context, p *peer) error {
	params := appendNames([]byte(`{"features": `), []Name{featureStream, featureReplay, featurePublish})
	params = wire.AppendString(append(params, `, "client": `...), l.identity)
	token, err := l.secret(p.conn)
	if err != nil {
		return err
	}
	if token != "" {
		params = wire.AppendString(append(params, `, "token": `...), token)
	}
	err = p.ask(ctx, "get_version", append(params, '}'), func(response []byte) {
		if p.greeting = parseGreeting(response); p.greeting.stream {
			outbox := newOutbox(p.conn)
			p.outbox = outbox
			p.stream(outbox.push)
		}
	})
	if errors.Is(err, ErrNoAnswer) {
		return fmt.Errorf("%w, or one that hangs: %w", ErrNotServer, err)
	}
	if errors.Is(err, ErrNotAdmitted) || errors.Is(err, ErrTooFast) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotServer, err)
	}
	l.mu.Lock()
	l.peer = p
	l.status = LinkStatus{Connected: true, Since: time.Now(), Heard: l.status.Heard, Server: p.greeting.server, Features: p.greeting.features()}
	if l.arrived != nil {
		close(l.arrived)
		l.arrived = nil
	}
	l.mu.Unlock()
	l.changed()
	return nil
}

var errNoToken = errors.New("the token is not there")

// noProof are errors of a client without what a server requires, which is one all the
// same.
var noProof = []error{errNoToken, ErrNotPrivate, ErrNotAdmitted}

// secret is the token to send over a connection; "": none.
func (l *link) secret(conn Conn) (string, error) {
	if l.token == nil {
		return "", nil
	}
	token, err := l.token()
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoToken, err)
	}
	if token == "" {
		return "", nil
	}
	if !isPrivate(conn) {
		return "", ErrNotPrivate
	}
	return token, nil
}

// lost notes that there is no connection, and why. It returns the status before.
func (l *link) lost(err error) (was LinkStatus) {
	l.mu.Lock()
	if l.peer != nil {
		l.status.Heard = time.Unix(0, l.peer.heard.Load())
	}
	l.peer, was = nil, l.status
	if l.status.Connected || l.status.Since.IsZero() {
		l.status.Since = time.Now()
	}
	l.status = LinkStatus{Since: l.status.Since, Err: err, Heard: l.status.Heard}
	l.mu.Unlock()
	l.changed()
	return was
}

func (l *link) current() (*peer, LinkStatus) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.peer, l.status
}

// await waits for a connection; the error is ctx's, and says why there was
// none.
func (l *link) await(ctx context.Context) (*peer, error) {
	for {
		l.mu.Lock()
		p, st := l.peer, l.status
		if l.arrived == nil {
			l.arrived = make(chan struct{})
		}
		arrived := l.arrived
		l.mu.Unlock()
		if p != nil {
			return p, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", context.Cause(ctx), notConnected(st))
		}
	}
}

// waiting begins or ends a wait; it reports whether the attempt before was
// invited.
func (l *link) waiting(waits bool) (invited bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	invited = l.invited
	if l.waits = waits; waits {
		l.invited = false
	}
	return invited
}

// isBackSince reports whether the link is connected, and was not before t.
func (l *link) isBackSince(t time.Time) bool {
	_, st := l.current()
	return st.Connected && !st.Since.Before(t)
}

// invite ends a wait, because the server is back. A link that was invited does
// not invite in turn: two connections that do not last would otherwise retry
// without backoff.
func (l *link) invite() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waits {
		l.invited = true
		l.kick.Raise()
	}
}

func (l *link) mayInvite() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.invited
}

// reconnect ends a wait, or has an attempt to dial begin anew; if there is a
// connection, it is probed now.
func (l *link) reconnect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dialing != nil {
		l.again = true
		l.dialing()
		return
	}
	l.kick.Raise()
}
