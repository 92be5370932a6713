package web

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
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
	mu    sync.Mutex // guards the fields below
	conns map[net.Conn]*seat
	turns uint64 // the last that was given to a seat
	ended bool
}

// seat is one connection.
type seat struct {
	from netip.Prefix
	// waits is whether the client's next request, or the rest of one, has yet to
	// arrive; turn is when that began; unused: there has been no request.
	waits, unused bool
	turn          uint64
}

// watch is an [http.Server.ConnState]. A connection is active when the head of a
// request has arrived.
func (c *crowd) watch(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if c.ended {
			conn.Close()
			return
		}
		c.enter(conn)
	case http.StateActive, http.StateIdle:
		if s := c.conns[conn]; s != nil {
			s.unused = false
			c.wait(s, state == http.StateIdle)
		}
	default:
		delete(c.conns, conn)
	}
}

// enter requires the lock, as do wait and last.
func (c *crowd) enter(conn net.Conn) {
	s := &seat{from: network(conn.RemoteAddr().String()), unused: true}
	c.wait(s, true)
	c.conns[conn] = s
	of := make(map[netip.Prefix]int)
	for _, s := range c.conns {
		of[s.from]++
	}
	switch {
	case of[s.from] > maxConnsOfOne:
		c.last(func(o *seat) bool { return o.from == s.from }, of).Close()
	case len(c.conns) > maxConns:
		c.last(func(*seat) bool { return true }, of).Close()
	}
}

// last removes and returns the connection that must go: of those that wait, one of
// the address with the most, and of these the one that has waited longest. There
// is always one that waits, the newest.
func (c *crowd) last(among func(*seat) bool, of map[netip.Prefix]int) net.Conn {
	var last net.Conn
	for conn, s := range c.conns {
		if !s.waits || !among(s) {
			continue
		}
		if l := c.conns[last]; l == nil || of[s.from] > of[l.from] || of[s.from] == of[l.from] && s.turn < l.turn {
			last = conn
		}
	}
	delete(c.conns, last)
	return last
}

func (c *crowd) wait(s *seat, waits bool) {
	c.turns++
	s.waits, s.turn = waits, c.turns
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
			c.wait(s, waits)
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
