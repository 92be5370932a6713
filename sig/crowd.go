package sig

import (
	"sync"
	"sync/atomic"
	"time"
)

// crowd is who uses a server, and from where.
type crowd struct {
	guard    sync.Mutex          // guards the fields below; the Router has its own
	sessions map[uint64]*session // the clients, by id
	admitted uint64              // how many there have been
	greeted  map[string]*session // by the identity that it greeted with
	accounts map[string]*account // by holder
	places   places
	bounded  map[BoundedCarrier]bool
	refused  int     // clients that were one too many
	past     Traffic // of the clients that have left
}

func newCrowd() *crowd {
	return &crowd{
		sessions: make(map[uint64]*session), greeted: make(map[string]*session), accounts: make(map[string]*account),
		places: newPlaces(), bounded: make(map[BoundedCarrier]bool),
	}
}

// account is what limits who sends and listens: a token's holder or, where there are no
// tokens, a client.
type account struct {
	holder  string
	events  pace
	listens pace          // listeners that are added
	in      atomic.Uint64 // events
	late    atomic.Uint64 // events that were refused or slowed down

	clients   int // the server's guard guards it
	listeners int // the router's mutex guards it
}

// accountOf returns the account of the rights' holder, which lasts as long as the server:
// there are as many as there have been tokens. It is nil if there is no holder. The caller
// holds the guard.
func (c *crowd) accountOf(rights Rights) *account {
	if rights == nil || rights.Holder() == "" {
		return nil
	}
	holder := rights.Holder()
	a := c.accounts[holder]
	if a == nil {
		a = &account{holder: holder}
		c.accounts[holder] = a
	}
	return a
}

// anew has the rates count anew.
func (a *account) anew() {
	a.events.until.Store(0)
	a.listens.until.Store(0)
}

// accountFor returns the account of somebody who is not connected as a client: that of
// the address if there is no holder.
func (s *ServerRouter) accountFor(c Caller, rights Rights) *account {
	s.guard.Lock()
	defer s.guard.Unlock()
	if a := s.accountOf(rights); a != nil {
		return a
	}
	return &s.places.of(c.Peer, s.age()).publisher
}

// Limits are the limits as they are, with the defaults; no limit is a high number.
func (s *ServerRouter) Limits() Limits { return *s.limits.Load() }

// SetLimits changes the limits. What clients have already stays; rates count anew.
func (s *ServerRouter) SetLimits(l Limits) {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.limits.Store(l.withDefaults())
	for c := range s.bounded {
		c.LimitReading(s.limits.Load().Reading)
	}
	for _, a := range s.accounts {
		a.anew()
	}
	for _, c := range s.sessions {
		c.account.anew()
	}
	for _, p := range s.places.by {
		p.connects.until.Store(0)
		p.failed.until.Store(0)
		p.publisher.events.until.Store(0)
	}
}

// bound has a carrier's limits follow the server's.
func (s *ServerRouter) bound(c BoundedCarrier) {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.bounded[c] = true
	c.LimitReading(s.limits.Load().Reading)
}

func (s *ServerRouter) unbound(c BoundedCarrier) {
	s.guard.Lock()
	defer s.guard.Unlock()
	delete(s.bounded, c)
}

// enter takes one more client, or says why not.
func (s *ServerRouter) enter(c *session) error {
	oldest, refusal := s.seat(c)
	if oldest != nil || refusal != nil {
		s.crowded.Store(true)
	}
	if oldest != nil {
		s.over[overSilent].Add(1)
		oldest.log.Debug("a client that has said nothing, or was not admitted, gives way to others of its address")
		oldest.peer.conn.Close()
	}
	return refusal
}

// seat also returns who has to give way.
func (s *ServerRouter) seat(c *session) (oldest *session, refusal error) {
	s.guard.Lock()
	defer s.guard.Unlock()
	limits, peer := s.limits.Load(), c.peer.conn.Peer()
	ofOne := max(1, limits.Clients-(limits.Clients+3)/4)
	p := s.places.of(peer, s.age())
	wait := p.connects.take(s.age(), 1, time.Second/time.Duration(limits.Connects), atOnce)
	switch {
	case wait > 0:
		refusal = s.tooFast(overConnects, wait, "connections come too fast: the server takes at most %d per second from one address", limits.Connects)
	case len(s.sessions) >= limits.Clients:
		refusal = s.tooMany(overClients, "the server is full: it takes at most %d clients", limits.Clients)
	case p.clients >= ofOne:
		refusal = s.tooMany(overAddress, "the server takes at most %d clients from one address", ofOne)
	}
	if refusal != nil {
		if s.refused++; rare(s.refused) {
			s.log.Warn("a client was refused", "client", peer, "err", refusal, "count", s.refused)
		}
		return nil, refusal
	}
	s.add(c, p)
	p.strange = append(p.strange, c)
	if n := len(p.strange); n > max(maxStrange, limits.Clients/4) || n > maxStrange && time.Since(p.strange[0].peer.born) > strangeTime {
		oldest, p.strange = p.strange[0], p.strange[1:]
	}
	return oldest, nil
}

// add must be called with the guard held.
func (s *ServerRouter) add(c *session, p *place) {
	s.admitted++
	c.id, c.place = s.admitted, p
	s.sessions[c.id] = c
	p.clients++
}

// attend takes a follower, whose connection has been counted.
func (s *ServerRouter) attend(c *session) {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.add(c, new(place))
}

// charge has the client's account be that of its rights' holder.
func (s *ServerRouter) charge(c *session) {
	s.guard.Lock()
	defer s.guard.Unlock()
	if a := s.accountOf(c.rights); a != nil {
		c.account = a
	}
	c.account.clients++
	if _, none := c.rights.(nobody); !none {
		c.place.know(c)
	}
}

// welcome is for a client that speaks another protocol.
func (s *ServerRouter) welcome(c *session) {
	c.guest.Store(true)
	s.guard.Lock()
	defer s.guard.Unlock()
	c.place.know(c)
}

// dismiss is for a client that has gone.
func (s *ServerRouter) dismiss(c *session) {
	s.guard.Lock()
	defer s.guard.Unlock()
	delete(s.sessions, c.id)
	s.past.add(c.traffic())
	c.account.clients--
	c.place.know(c)
	c.place.clients--
}
