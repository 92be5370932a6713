package sig

import "context"

// keepListeners keeps the listeners at the server in line with those that are
// wanted, for as long as the connection lasts.
func (c *ClientRouter) keepListeners(ctx context.Context, p *peer) error {
	c.guard.Lock()
	if c.subs.begin(p, p.greeting.position) {
		c.events.push(arrival{missed: -1})
	}
	c.guard.Unlock()
	defer func() {
		c.guard.Lock()
		c.subs.end()
		c.endAdding()
		c.guard.Unlock()
	}()
	next := c.registerNext
	if p.greeting.replay {
		next = c.subscribeNext
	}
	for {
		more, err := next(ctx, p)
		if err != nil {
			return err
		}
		if more {
			c.opts.Changed()
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-c.listenersChanged:
		}
	}
}

// registerNext registers one subscription with a server that remembers nothing.
func (c *ClientRouter) registerNext(ctx context.Context, p *peer) (more bool, err error) {
	c.guard.Lock()
	c.subs.forgetUnwanted()
	s := c.subs.next(func(s *subscription) bool { return s.state == idle })
	if s != nil {
		c.subs.ask(s)
		c.adding = true
	}
	c.guard.Unlock()
	if s == nil {
		return c.unregisterNext(ctx, p)
	}
	response, err := p.call(ctx, "add_listener", appendInfo(nil, s.sender, s.event))
	if err != nil && !isRefusal(err) {
		return false, err
	}
	id, ok := nameOf(member(response, "listener_id"))
	if err == nil && !ok {
		err = exception("the server gave no listener_id")
	}
	c.guard.Lock()
	defer c.guard.Unlock()
	early := c.endAdding()
	switch {
	case err == nil && s.dropped:
		c.subs.refuse(s, ErrNotOffered)
	case err == nil:
		c.subs.accept(s, id)
		for _, a := range early {
			if a.id.Equal(id) {
				a.listeners = s.listeners
				c.events.push(a)
			}
		}
	case s.offered: // its sender has come with the event since
		c.subs.retry(s)
	default:
		c.subs.refuse(s, err)
	}
	return true, nil
}

// unregisterNext removes one subscription that nobody wants from the server, if
// there is any.
func (c *ClientRouter) unregisterNext(ctx context.Context, p *peer) (more bool, err error) {
	c.guard.Lock()
	s := c.subs.next(func(s *subscription) bool { return s.state == active && !s.wanted() })
	if s == nil {
		c.guard.Unlock()
		return false, nil
	}
	c.subs.remove(s)
	params := append(s.id.appendJSON([]byte(`{"listener_id": `)), '}')
	c.guard.Unlock()
	if _, err := p.call(ctx, "remove_listener", params); err != nil && !isRefusal(err) {
		return false, err
	}
	c.guard.Lock()
	c.subs.removed(s)
	c.guard.Unlock()
	return true, nil
}

// endAdding returns the signals that have come since a listener is being added;
// the caller holds the lock.
func (c *ClientRouter) endAdding() []arrival {
	c.adding = false
	return c.early.Take()
}
