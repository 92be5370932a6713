package web

import (
	linked "container/list"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	maxConns      = 1000
	maxConnsOfOne = 250 // of one address: a reverse proxy's, or a person's with many pages
)

// crowd is the connections that are open. Where there are too many, it closes the
// one that has been waiting longest for its client: whoever opens connections
// and asks for nothing loses those, and whoever asks at once is served, even from
// the same address.
type crowd struct {
	mu    sync.Mutex // guards the fields below, and what they lead to
	conns map[net.Conn]*seat
	of    map[netip.Prefix]*party // those that have connections
	ended bool
}

// party is the connections of one address.
type party struct {
	from    netip.Prefix
	size    int
	waiting linked.List // of *seat: whose next request, or the rest of one, has yet to arrive; the longest first
}

// seat is one connection.
type seat struct {
	conn    net.Conn
	party   *party
	waiting *linked.Element // in the party's list; nil: it does not wait
	since   time.Time       // that it has been waiting
	unused  bool            // there has been no request
}

// watch is an [http.Server.ConnState], which is called before the next connection is
// accepted if it is for a new one. A connection is active when the head of a request
// has arrived.
func (c *crowd) watch(conn net.Conn, state http.ConnState) {
	if state == http.StateNew {
		if !c.enter(conn) {
			// A crowd that comes back as often as it is turned away gets the time
			// that the others leave, and not the other way round.
			time.Sleep(time.Millisecond)
		}
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.conns[conn]
	switch {
	case s == nil: // it had to go
	case state == http.StateActive || state == http.StateIdle:
		s.unused = false
		s.wait(state == http.StateIdle)
	default:
		c.leave(s)
	}
}

// enter reports whether there was room for one more.
func (c *crowd) enter(conn net.Conn) (room bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		conn.Close()
		return true
	}
	from := network(conn.RemoteAddr().String())
	p := c.of[from]
	if p == nil {
		p = &party{from: from}
		c.of[from] = p
	}
	p.size++
	s := &seat{conn: conn, party: p, unused: true}
	s.wait(true)
	c.conns[conn] = s
	switch {
	case p.size > maxConnsOfOne:
		c.leave(p.longest()).Close()
	case len(c.conns) > maxConns:
		c.leave(c.largest().longest()).Close()
	default:
		return true
	}
	return false
}

// leave requires the lock, as do largest and wait.
func (c *crowd) leave(s *seat) net.Conn {
	s.wait(false)
	delete(c.conns, s.conn)
	if s.party.size--; s.party.size == 0 {
		delete(c.of, s.party.from)
	}
	return s.conn
}

// largest returns the address with the most connections, of those that wait for one;
// of two, the one that has waited longer. There is always one that waits: the newest.
func (c *crowd) largest() (largest *party) {
	for _, p := range c.of {
		switch {
		case p.waiting.Len() == 0:
		case largest == nil || p.size > largest.size,
			p.size == largest.size && p.longest().since.Before(largest.longest().since):
			largest = p
		}
	}
	return largest
}

func (p *party) longest() *seat { return p.waiting.Front().Value.(*seat) }

func (s *seat) wait(waits bool) {
	if s.waiting != nil {
		s.party.waiting.Remove(s.waiting)
		s.waiting = nil
	}
	if waits {
		s.since = time.Now()
		s.waiting = s.party.waiting.PushBack(s)
	}
}

// close closes the connections that have had no request yet: browsers open them in
// advance, and [http.Server.Shutdown] waits 5 s for each.
func (c *crowd) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	for conn, s := range c.conns {
		if s.unused {
			conn.Close()
		}
	}
}

// bodyKey is a context's key for what notes whether the body of a request has yet to
// arrive, a func(bool).
type bodyKey struct{}

// context is an [http.Server.ConnContext].
func (c *crowd) context(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, bodyKey{}, func(waits bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if s := c.conns[conn]; s != nil {
			s.wait(waits)
		}
	})
}

// arriving makes the connection wait again until the body of its request, if it has
// one, has arrived.
func arriving(r *http.Request) io.ReadCloser {
	waits, ok := r.Context().Value(bodyKey{}).(func(bool))
	if !ok || r.ContentLength == 0 {
		return r.Body
	}
	waits(true)
	return &body{r.Body, waits}
}

type body struct {
	io.ReadCloser
	waits func(bool)
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.waits(false)
	}
	return n, err
}
