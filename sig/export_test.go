package sig

var Backoff = backoff

// Connected returns how many clients are connected.
func (s *ServerRouter) Connected() int {
	s.guard.Lock()
	defer s.guard.Unlock()
	return s.clients
}

// Unread is how many bytes of messages wait for clients.
func (s *ServerRouter) Unread() int { return int(s.unread.Load()) }

// Places returns how many addresses are remembered.
func (s *ServerRouter) Places() int {
	s.guard.Lock()
	defer s.guard.Unlock()
	return len(s.places)
}

// PretendFar has a peer's address be one of another machine.
func (s *ServerRouter) PretendFar(peer string) {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.placeOf(hostOf(peer)).near = false
}
