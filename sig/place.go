package sig

import (
	"hash/maphash"
	"maps"
	"net/netip"
	"slices"
	"time"

	"sigalert/sig/internal/host"
)

const (
	// maxStrange is how many clients of one address may be connected that have sent no
	// message yet, or were not admitted. For strangeTime there may be more, up to a quarter
	// of all clients: in a crowd that connects at once over TLS, everybody has to wait.
	maxStrange  = 256
	strangeTime = 10 * time.Second
	// maxIdle is how many addresses are remembered without clients.
	maxIdle = 10_000
	// maxRight is how many of the tokens that were right from an address are remembered.
	maxRight = 256
)

// places are what is remembered of the hosts that clients connect from.
type places struct {
	by   map[string]*place
	many int          // how many of them are worth a look for needless ones
	seed maphash.Seed // of marks
}

func newPlaces() places {
	return places{by: make(map[string]*place), many: maxIdle, seed: maphash.MakeSeed()}
}

// place is an address, or a network of IPv6, that clients connect from.
type place struct {
	near    bool // within this machine, or this process
	clients int
	strange []*session // those that have sent no message or were not admitted, the oldest first

	connects  pace
	failed    pace     // logins
	right     []uint64 // marks of tokens that were right, the latest last
	publisher account  // of those there who are not connected as clients, where there are no tokens
}

// of returns the place of a peer; the caller holds the guard.
func (ps *places) of(peer string, now time.Duration) *place {
	from := host.Of(peer)
	p := ps.by[from]
	if p == nil {
		if len(ps.by) >= ps.many {
			ps.forget(now)
		}
		network, err := netip.ParsePrefix(from)
		p = &place{near: err != nil || network.Addr().IsLoopback()}
		ps.by[from] = p
	}
	return p
}

// forget forgets places without clients: those of which nothing is left to remember and,
// if there are many, others.
func (ps *places) forget(now time.Duration) {
	idle := 0
	maps.DeleteFunc(ps.by, func(_ string, p *place) bool {
		if p.clients > 0 {
			return false
		}
		if p.connects.isOver(now) && p.failed.isOver(now) && p.publisher.events.isOver(now) && len(p.right) == 0 {
			return true
		}
		idle++
		return idle > maxIdle
	})
	ps.many = 2*len(ps.by) + maxIdle
}

// mark stands for a token that has been seen, which nobody keeps.
func (ps *places) mark(token string) uint64 { return maphash.String(ps.seed, token) }

// know takes a client from among the strange.
func (p *place) know(c *session) {
	if i := slices.Index(p.strange, c); i >= 0 {
		p.strange = slices.Delete(p.strange, i, i+1)
	}
}

// mayLogIn refuses a token unseen while its address has shown too many wrong ones, unless
// it was right from there before.
func (s *ServerRouter) mayLogIn(c Caller) error {
	if c.Token == "" {
		return nil
	}
	s.guard.Lock()
	defer s.guard.Unlock()
	p := s.places.of(c.Peer, s.age())
	if p.near || slices.Contains(p.right, s.places.mark(c.Token)) {
		return nil
	}
	if wait := p.failed.wait(s.age(), time.Minute-s.perFailure()); wait > 0 {
		return s.tooFast(overLogins, wait, "too many wrong tokens have come from this address")
	}
	return nil
}

// loggedIn notes whether a token was right.
func (s *ServerRouter) loggedIn(c Caller, right bool) {
	if c.Token == "" {
		return
	}
	s.guard.Lock()
	defer s.guard.Unlock()
	p, mark := s.places.of(c.Peer, s.age()), s.places.mark(c.Token)
	if p.near {
		return
	}
	i := slices.Index(p.right, mark)
	if i >= 0 {
		p.right = slices.Delete(p.right, i, i+1)
	}
	switch {
	case right:
		p.right = append(p.right[max(0, len(p.right)+1-maxRight):], mark)
	case i < 0: // one that has been revoked is not a guess
		p.failed.take(s.age(), 1, s.perFailure(), time.Minute)
	}
}
