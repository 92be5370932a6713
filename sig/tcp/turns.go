package tcp

import (
	"context"
	"crypto/tls"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"sigalert/sig/internal/host"
)

const (
	// maxHandshakes is how many of one address do their handshake at once. Others wait
	// for their turn, so that in a crowd that connects at once the first are soon done.
	maxHandshakes = 256
	// turnTime is how long one has the turn while others wait for it.
	turnTime = 2 * time.Second
)

// turns are those of the clients that do a handshake.
type turns struct {
	computing chan struct{} // a token for each whose handshake takes up a processor

	mu    sync.Mutex       // guards the field below, and what is in it
	lines map[string]*line // by host
}

// line is the clients of one host that do a handshake, or wait for that; both the oldest
// first.
type line struct {
	going, waiting []*turn
	timed          bool // it is looked at again later
}

// turn is one client's.
type turn struct {
	comes chan struct{} // closed when it is there
	since time.Time     // when that was
	end   func()        // takes it away
}

// newTurns leaves half of the processors to others.
func newTurns() *turns {
	return &turns{computing: make(chan struct{}, max(1, min(runtime.NumCPU(), runtime.GOMAXPROCS(0))/2)), lines: make(map[string]*line)}
}

// politeConn holds a token during a handshake, except while it waits for the client. Events
// would otherwise wait for every handshake that has something to compute.
type politeConn struct {
	net.Conn
	computing chan struct{}
	holds     bool // the goroutine's that does the handshake
}

func (c *politeConn) handshake(secured *tls.Conn) error {
	c.computing <- struct{}{}
	c.holds = true
	defer func() {
		c.holds = false
		<-c.computing
	}()
	return secured.Handshake()
}

func (c *politeConn) Read(p []byte) (int, error) {
	if c.holds {
		<-c.computing
		defer func() { c.computing <- struct{}{} }()
	}
	return c.Conn.Read(p)
}

// take waits for the turn of a client, which end ends; false if ctx ends before. Done gives
// the turn back.
func (t *turns) take(ctx context.Context, addr net.Addr, end func()) (done func(), ok bool) {
	from := host.Of(addr.String())
	own := &turn{comes: make(chan struct{}), end: end}
	t.mu.Lock()
	l := t.lines[from]
	if l == nil {
		l = new(line)
		t.lines[from] = l
	}
	l.waiting = append(l.waiting, own)
	t.advance(l)
	t.mu.Unlock()
	done = func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		l.going, l.waiting = without(l.going, own), without(l.waiting, own)
		t.advance(l)
		if len(l.going)+len(l.waiting) == 0 && t.lines[from] == l {
			delete(t.lines, from)
		}
	}
	select {
	case <-own.comes:
		return done, true
	case <-ctx.Done():
		done()
		return nil, false
	}
}

func without(all []*turn, one *turn) []*turn {
	return slices.DeleteFunc(all, func(t *turn) bool { return t == one })
}

// advance gives clients their turn, and takes it from those that have had it for too long.
// The caller holds the lock.
func (t *turns) advance(l *line) {
	now := time.Now()
	for len(l.waiting) > 0 {
		if len(l.going) >= maxHandshakes {
			oldest := l.going[0]
			if left := turnTime - now.Sub(oldest.since); left > 0 {
				t.advanceIn(left, l)
				return
			}
			oldest.end()
			l.going = l.going[1:]
		}
		next := l.waiting[0]
		l.waiting = l.waiting[1:]
		l.going = append(l.going, next)
		next.since = now
		close(next.comes)
	}
}

// advanceIn has it looked again, once. The caller holds the lock.
func (t *turns) advanceIn(d time.Duration, l *line) {
	if l.timed {
		return
	}
	l.timed = true
	time.AfterFunc(d, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		l.timed = false
		t.advance(l)
	})
}
