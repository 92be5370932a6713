package sig

import (
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
)

// place is an address, or a network of IPv6, that clients connect from.
type place struct {
	clients int
	silent  []*session // those that have sent no message, the oldest first
}

// admit takes one more client, or says why not.
func (s *ServerRouter) admit(c *session) error {
	oldest, refusal := s.admitted(c)
	if oldest != nil || refusal != nil {
		s.crowded.Store(true)
	}
	if oldest != nil {
		oldest.log.Debug("a client that said nothing gives way to others of its address")
		oldest.peer.conn.Close()
	}
	return refusal
}

func (s *ServerRouter) admitted(c *session) (oldest *session, refusal error) {
	s.guard.Lock()
	defer s.guard.Unlock()
	limit := s.opts.MaxClients
	ofOne := max(1, limit*3/4)
	p := s.places[c.host]
	if p == nil {
		p = new(place)
	}
	switch {
	case s.clients >= limit:
		refusal = exception("the server is full: it takes at most %d clients", limit)
	case p.clients >= ofOne:
		refusal = exception("the server takes at most %d clients from one address", ofOne)
	}
	if refusal != nil {
		if s.refused++; rare(s.refused) {
			s.log.Warn("a client was refused", "client", c.peer.conn.Peer(), "err", refusal, "count", s.refused)
		}
		return nil, refusal
	}
	s.clients++
	p.clients++
	p.silent = append(p.silent, c)
	s.places[c.host] = p
	if n := len(p.silent); n > max(maxSilent, limit/4) || n > maxSilent && time.Since(p.silent[0].peer.born) > silentTime {
		oldest, p.silent = p.silent[0], p.silent[1:]
	}
	return oldest, nil
}

// spoken notes that a client has sent a message.
func (s *ServerRouter) spoken(c *session) {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.places[c.host].spoken(c)
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
	p := s.places[c.host]
	p.spoken(c)
	if p.clients--; p.clients == 0 {
		delete(s.places, c.host)
	}
}

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
