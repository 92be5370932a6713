package sig

import (
	"net"
	"slices"
)

// maxSilent is how many clients of one address may be connected and have sent no
// message yet.
const maxSilent = 256

// place is an address that clients connect from.
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
	most := s.opts.MaxClients
	p := s.places[c.host]
	if p == nil {
		p = new(place)
	}
	switch {
	case s.clients >= most:
		refusal = exception("the server is full: it takes at most %d clients", most)
	case p.clients >= max(1, most*3/4):
		refusal = exception("the server takes at most %d clients from one address", max(1, most*3/4))
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
	if len(p.silent) > maxSilent {
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

// hostOf returns the address of a peer without its port.
func hostOf(peer string) string {
	if host, _, err := net.SplitHostPort(peer); err == nil {
		return host
	}
	return peer
}
