package sig

import (
	"hash/maphash"
	"maps"
	"net/netip"
	"slices"
	"time"
)

const (
	// maxSilent is how many clients of one address may be connected and have sent no
	// message yet. For silentTime there may be more, up to a quarter of all clients: in a
	// crowd that connects at once over TLS, everybody has to wait.
	maxSilent  = 256
	silentTime = 10 * time.Second
	// maxIdle is how many addresses are remembered without clients.
	maxIdle = 10_000
	// maxRight is how many of the tokens that were right from an address are remembered.
	maxRight = 256
)

// place is an address, or a network of IPv6, that clients connect from.
type place struct {
	near    bool // within this machine, or this process
	clients int
	silent  []*session // those that have sent no message, the oldest first

	connects  pace
	failed    pace     // logins
	right     []uint64 // marks of tokens that were right, the latest last
	publisher account  // of those there who are not connected as clients, where there are no tokens
}

// placeOf returns the place of an address; the caller holds the guard.
func (s *ServerRouter) placeOf(host string) *place {
	p := s.places[host]
	if p == nil {
		if len(s.places) >= s.manyPlaces {
			s.forgetPlaces(s.age())
		}
		network, err := netip.ParsePrefix(host)
		p = &place{near: err != nil || network.Addr().IsLoopback()}
		s.places[host] = p
	}
	return p
}

// forgetPlaces forgets addresses without clients: those of which nothing is left to
// remember and, if there are many, others.
func (s *ServerRouter) forgetPlaces(now time.Duration) {
	idle := 0
	maps.DeleteFunc(s.places, func(_ string, p *place) bool {
		if p.clients > 0 {
			return false
		}
		if p.connects.isOver(now) && p.failed.isOver(now) && p.publisher.events.isOver(now) && len(p.right) == 0 {
			return true
		}
		idle++
		return idle > maxIdle
	})
	s.manyPlaces = 2*len(s.places) + maxIdle
}

// admit takes one more client, or says why not.
func (s *ServerRouter) admit(c *session) error {
	oldest, refusal := s.admitted(c)
	if oldest != nil || refusal != nil {
		s.crowded.Store(true)
	}
	if oldest != nil {
		s.over[overSilent].Add(1)
		oldest.log.Debug("a client that said nothing gives way to others of its address")
		oldest.peer.conn.Close()
	}
	return refusal
}

func (s *ServerRouter) admitted(c *session) (oldest *session, refusal error) {
	s.guard.Lock()
	defer s.guard.Unlock()
	limits := s.limits.Load()
	ofOne := max(1, limits.Clients-(limits.Clients+3)/4)
	p := s.placeOf(c.host)
	wait := p.connects.take(s.age(), 1, time.Second/time.Duration(limits.Connects), atOnce)
	switch {
	case wait > 0:
		refusal = s.tooFast(overConnects, wait, "connections come too fast: the server takes at most %d per second from one address", limits.Connects)
	case s.clients >= limits.Clients:
		refusal = s.tooMany(overClients, "the server is full: it takes at most %d clients", limits.Clients)
	case p.clients >= ofOne:
		refusal = s.tooMany(overAddress, "the server takes at most %d clients from one address", ofOne)
	}
	if refusal != nil {
		if s.refused++; rare(s.refused) {
			s.log.Warn("a client was refused", "client", c.peer.conn.Peer(), "err", refusal, "count", s.refused)
		}
		return nil, refusal
	}
	s.clients++
	s.connected++
	c.id = s.connected
	s.sessions[c.id] = c
	p.clients++
	p.silent = append(p.silent, c)
	c.place = p
	if n := len(p.silent); n > max(maxSilent, limits.Clients/4) || n > maxSilent && time.Since(p.silent[0].peer.born) > silentTime {
		oldest, p.silent = p.silent[0], p.silent[1:]
	}
	return oldest, nil
}

// spoken notes that a client has sent a message.
func (s *ServerRouter) spoken(c *session) {
	s.guard.Lock()
	defer s.guard.Unlock()
	c.place.spoken(c)
}

func (p *place) spoken(c *session) {
	if i := slices.Index(p.silent, c); i >= 0 {
		p.silent = slices.Delete(p.silent, i, i+1)
	}
}

// dismiss is for a client that has gone.
func (s *ServerRouter) dismiss(c *session) {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.clients--
	delete(s.sessions, c.id)
	s.gone.add(c.traffic())
	c.account.clients--
	c.place.spoken(c)
	c.place.clients--
}

// mayLogIn refuses a token unseen while its address has shown too many wrong ones, unless
// it was right from there before.
func (s *ServerRouter) mayLogIn(c Caller) error {
	s.guard.Lock()
	defer s.guard.Unlock()
	p := s.placeOf(hostOf(c.Peer))
	if c.Token == "" || p.near || slices.Contains(p.right, s.mark(c.Token)) {
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
	p, mark := s.placeOf(hostOf(c.Peer)), s.mark(c.Token)
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

func (s *ServerRouter) perFailure() time.Duration {
	return time.Minute / time.Duration(s.limits.Load().FailedLogins)
}

// mark stands for a token that has been seen, which nobody keeps.
func (s *ServerRouter) mark(token string) uint64 { return maphash.String(s.seed, token) }

// hostOf returns the address of a peer without its port or, for IPv6, the network of
// 64 bits that one client may have to itself.
func hostOf(peer string) string {
	at, err := netip.ParseAddrPort(peer)
	if err != nil {
		return peer
	}
	addr := at.Addr().Unmap()
	network, _ := addr.Prefix(min(64, addr.BitLen())) // which no address lacks
	return network.String()
}
