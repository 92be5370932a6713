package sig

import (
	"context"
	"slices"
	"time"

	"sigalert/internal/wait"
)

const (
	drainLook = 2 * time.Millisecond
	// farewell is how long clients that have everything may take to close.
	farewell = time.Second
)

// Drain ends a server gently: it accepts no more clients, does nothing more of what
// they ask, and returns when those that read have everything that was for them, answers
// and events, and have closed their connections, or when ctx ends. It returns how many
// clients do not have everything. Serve goes on until its own context ends.
//
// What this process publishes meanwhile may not reach everybody.
func (s *ServerRouter) Drain(ctx context.Context) (behind int) {
	s.endAccepting()
	s.awaitEach(ctx, func(c *session) bool { return !c.handling.Load() }) // no more events come
	behind = s.awaitEach(ctx, (*session).finish)
	ctx, cancel := context.WithTimeout(ctx, farewell)
	defer cancel()
	s.awaitEach(ctx, func(c *session) bool { return isClosed(c.gone) })
	return behind
}

// awaitEach waits until something holds for each client, or ctx ends, and returns for
// how many it does not.
func (s *ServerRouter) awaitEach(ctx context.Context, holds func(*session) bool) int {
	s.guard.Lock()
	left := make([]*session, 0, len(s.sessions))
	for _, c := range s.sessions {
		if c.speaks.Load() {
			left = append(left, c)
		}
	}
	s.guard.Unlock()
	for {
		left = slices.DeleteFunc(left, holds)
		if len(left) == 0 || !wait.Sleep(ctx, drainLook, nil) {
			return len(left)
		}
	}
}

// finish ends the client's connection after what it has got, if that is everything.
func (c *session) finish() bool {
	if isClosed(c.gone) {
		return true
	}
	if len(c.owed)+len(c.asking) > 0 || !c.out.isIdle() {
		return false
	}
	if half, ok := c.peer.conn.(HalfConn); ok && half.CloseWrite() == nil {
		return true
	}
	c.peer.conn.Close()
	return true
}

// isIdle reports whether nothing waits or is being written.
func (o *outgoing) isIdle() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.items) == 0 && !o.behind && !o.busy
}
