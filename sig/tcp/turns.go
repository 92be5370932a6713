package tcp

import (
	"crypto/tls"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"time"
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

	mu     sync.Mutex // guards the field below, and what is in it
	places map[netip.Prefix]*place
}

// place is an address, or a network of IPv6, with clients that do a handshake, or wait
// for that; both the oldest first.
type place struct {
	going, waiting []*turn
	looks          bool // there is a timer
}

// turn is one client's.
type turn struct {
	comes chan struct{} // closed when it is there
	since time.Time     // when that was
	end   func()        // takes it away
}

// newTurns leaves half of the processors to others.
func newTurns() *turns {
	return &turns{computing: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))}
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

// take waits for the turn of a client, which end ends; false if it is closed before.
// Done gives the turn back.
func (t *turns) take(addr net.Addr, closed <-chan struct{}, end func()) (done func(), ok bool) {
	at := placeOf(addr)
	own := &turn{comes: make(chan struct{}), end: end}
	t.mu.Lock()
	p := t.places[at]
	if p == nil {
		p = new(place)
		if t.places == nil {
			t.places = make(map[netip.Prefix]*place)
		}
		t.places[at] = p
	}
	p.waiting = append(p.waiting, own)
	t.advance(p)
	t.mu.Unlock()
	done = func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		p.going, p.waiting = without(p.going, own), without(p.waiting, own)
		t.advance(p)
		if len(p.going)+len(p.waiting) == 0 && t.places[at] == p {
			delete(t.places, at)
		}
	}
	select {
	case <-own.comes:
		return done, true
	case <-closed:
		done()
		return nil, false
	}
}

func without(all []*turn, one *turn) []*turn {
	for i, other := range all {
		if other == one {
			return append(all[:i:i], all[i+1:]...)
		}
	}
	return all
}

// advance gives clients their turn, and takes it from those that have had it for too long.
// The caller holds the lock.
func (t *turns) advance(p *place) {
	now := time.Now()
	for len(p.waiting) > 0 {
		if len(p.going) >= maxHandshakes {
			oldest := p.going[0]
			if left := turnTime - now.Sub(oldest.since); left > 0 {
				t.advanceIn(left, p)
				return
			}
			oldest.end()
			p.going = p.going[1:]
		}
		next := p.waiting[0]
		p.waiting = p.waiting[1:]
		p.going = append(p.going, next)
		next.since = now
		close(next.comes)
	}
}

// advanceIn has it looked again, once. The caller holds the lock.
func (t *turns) advanceIn(d time.Duration, p *place) {
	if p.looks {
		return
	}
	p.looks = true
	time.AfterFunc(d, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		p.looks = false
		t.advance(p)
	})
}

// placeOf is the address of a client or, for IPv6, the network of 64 bits that one client
// may have to itself.
func placeOf(addr net.Addr) netip.Prefix {
	at, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Prefix{}
	}
	host := at.Addr().Unmap()
	network, _ := host.Prefix(min(64, host.BitLen())) // which no address lacks
	return network
}
