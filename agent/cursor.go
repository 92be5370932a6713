package agent

import (
	"slices"
	"sync"

	"sigalert/sig"
)

// cursor is how far it is known what became of a server's events. All methods but
// settled are the loop's.
type cursor struct {
	reached sig.Position // all events up to here have come

	mu      sync.Mutex // guards the field below
	waiting []uint64   // numbers of events whose alerts wait for the desktop
}

// reach notes that everything up to a position has come; a position without an epoch
// says nothing.
func (c *cursor) reach(p sig.Position) {
	if p.Epoch != "" {
		c.reached = p
	}
}

// wait is for an event whose alert is given to the desktop.
func (c *cursor) wait(seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting = append(c.waiting, seq)
}

// settled is for one of which it is known whether the desktop took it.
func (c *cursor) settled(seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.waiting, seq); i >= 0 {
		c.waiting = slices.Delete(c.waiting, i, i+1)
	}
}

// position is ahead of no event of which nobody knows what will become of it.
func (c *cursor) position() sig.Position {
	p := c.reached
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, seq := range c.waiting {
		if seq > 0 { // a server without numbers has no position either
			p.Seq = min(p.Seq, seq-1)
		}
	}
	return p
}
