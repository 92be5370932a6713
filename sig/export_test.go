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
