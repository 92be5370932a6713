package sig

import "context"

var Backoff = backoff

// Connected returns how many clients are connected.
func (s *ServerRouter) Connected() int {
	s.guard.Lock()
	defer s.guard.Unlock()
	return len(s.sessions)
}

// Unread is how many bytes of messages wait for clients.
func (s *ServerRouter) Unread() int { return int(s.unread.Load()) }

// Places returns how many addresses are remembered.
func (s *ServerRouter) Places() int {
	s.guard.Lock()
	defer s.guard.Unlock()
	return len(s.places.by)
}

// PretendFar has a peer's address be one of another machine.
func (s *ServerRouter) PretendFar(peer string) {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.places.of(peer, s.age()).near = false
}

// SharesQueue reports whether the memory for what waits for a client, to which a write has
// failed, may be given to another client.
func SharesQueue(conn Conn) bool {
	s := NewServerRouter(nil)
	for range 100 { // the pool may give another
		c := newSession(context.Background(), s, conn, s.log)
		c.peer.stream(c.out.push)
		_ = c.peer.push(c.ctx, []byte("{}\n"), answers)
		known := make([]item, 0, 8)
		queues.Put(&known)
		if c.flush() == nil {
			panic("the write does not fail")
		}
		_ = c.peer.push(c.ctx, []byte("{}\n"), answers)
		if cap(known) > 0 && &known[:1][0] == &c.out.items[:1][0] {
			return true
		}
	}
	return false
}
