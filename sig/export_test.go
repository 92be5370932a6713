package sig

var Backoff = backoff

// Clients returns how many clients are connected.
func (s *ServerRouter) Clients() int {
	s.guard.Lock()
	defer s.guard.Unlock()
	return s.clients
}
