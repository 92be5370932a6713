package sig

import (
	"maps"
	"slices"

	"sigalert/internal/wait"
)

// leave removes the client's listeners and senders from the router, in this
// order, so that it does not hear of its own leaving. A client that comes back
// under its identity inherits the senders.
func (c *session) leave() {
	s := c.server
	for c.removeSome() {
	}
	s.guard.Lock()
	c.left = true
	if s.greeted[c.identity] == c {
		delete(s.greeted, c.identity)
	}
	senders := slices.Concat(slices.Collect(maps.Values(c.senders)), c.inherited)
	c.inherited = nil
	if heir := c.heir; heir != nil && !heir.left {
		s.bequeath(senders, c, heir)
		heir.inherited, senders = senders, nil
	}
	s.guard.Unlock()
	for _, sender := range senders {
		_ = s.removeSender(sender, c)
	}
	close(c.gone)
}

// bequeath hands a client's senders over to another. It is called with the
// guard held, so that the heir cannot leave before it has them.
func (s *ServerRouter) bequeath(senders []*Sender, from, to *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sender := range senders {
		if sender.session == from {
			sender.session = to
		}
	}
	s.changed()
}

// removeSome removes some listeners, so that the router is not locked for long;
// false once there are none.
func (c *session) removeSome() bool {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	n := 0
	for id, l := range c.listeners {
		if n++; n > 256 {
			return true
		}
		_ = c.server.removeListener(l) // one that was dropped is already gone
		delete(c.listeners, id)
	}
	return false
}

// mine returns the client's sender of this name; nil if it has none, or if the
// server's program has removed it.
func (c *session) mine(name Name) *Sender {
	c.server.mu.RLock()
	defer c.server.mu.RUnlock()
	if s := c.senders[name.key()]; s != nil && s.connected && s.session == c {
		return s
	}
	return nil
}

// supersede ends the connection that the client had before under the same
// identity, which may be dead without anyone having noticed. Its senders are
// for the new one to add again; nobody else can take their names meanwhile.
func (c *session) supersede(identity string) {
	s := c.server
	s.guard.Lock()
	old := s.greeted[identity]
	s.greeted[identity] = c
	c.identity = identity
	if old == nil {
		s.guard.Unlock()
		return
	}
	old.heir = c
	s.guard.Unlock()
	c.log.Debug("a client is back: closing its old connection", "old", old.peer.conn.Peer())
	old.peer.conn.Close()
	select {
	case <-old.gone:
		c.tasks.Go(func() {
			if wait.Sleep(c.ctx, answerTimeout, nil) {
				c.disinherit()
			}
		})
	case <-c.ctx.Done():
	}
}

// ownIdentity is an identity of the client that nobody with other rights can have.
func (c *session) ownIdentity(identity string) string {
	if c.rights == nil {
		return identity
	}
	return c.rights.Holder() + "\x00" + identity
}

// disinherit removes from the router what the client had before and has not
// added again.
func (c *session) disinherit() {
	c.inheriting.Lock()
	defer c.inheriting.Unlock()
	c.server.guard.Lock()
	senders := c.inherited
	c.inherited = nil
	c.server.guard.Unlock()
	for _, s := range senders {
		_ = c.server.removeSender(s, c)
	}
}

// claim keeps an inherited sender from being removed.
func (c *session) claim(name Name) {
	c.server.guard.Lock()
	defer c.server.guard.Unlock()
	c.inherited = slices.DeleteFunc(c.inherited, func(s *Sender) bool { return s.name.Equal(name) })
}
