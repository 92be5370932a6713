package agent

import (
	"slices"
	"sync"

	"sigalert/agent/memory"
	"sigalert/sig"
)

// cursor is how far it is known what became of a server's events. All methods but
// settled are the loop's.
type cursor struct {
	before  memory.Server // where an earlier agent ended
	reached sig.Position  // all events up to here have come

	mu      sync.Mutex // guards the field below
	waiting []uint64   // numbers of events whose alerts wait for the desktop
}

// newCursor goes on where an earlier agent ended.
func newCursor(before memory.Server) *cursor {
	return &cursor{before: before, reached: before.Position}
}

// reach notes that everything up to a position has come; a position without an epoch
// says nothing.
func (c *cursor) reach(p sig.Position) {
	if p.Epoch != "" {
		c.reached = p
	}
}

// known reports whether an event comes again of which an earlier agent knew what became.
func (c *cursor) known(p sig.Position) bool {
	return p.Epoch != "" && p.Epoch == c.before.Position.Epoch && p.Seq <= c.before.Reached && !slices.Contains(c.before.Open, p.Seq)
}

// happened is for an event that has just happened: if an earlier agent had one of its
// number, the router has lost that one and gives its numbers again.
func (c *cursor) happened(p sig.Position) {
	if p.Epoch == c.before.Position.Epoch && p.Seq <= c.before.Reached {
		c.before = memory.Server{}
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

// state is what a later agent has to know: its position is ahead of no event of which
// nobody knows what became.
func (c *cursor) state() (s memory.Server) {
	s.Position, s.Reached = c.reached, c.reached.Seq
	c.mu.Lock()
	for _, seq := range c.waiting {
		if seq > 0 { // a server without numbers has no position either
			s.Open = append(s.Open, seq)
		}
	}
	c.mu.Unlock()
	if c.before.Position.Epoch == c.reached.Epoch && c.before.Reached > s.Reached { // not all has come again yet
		s.Reached = c.before.Reached
		for _, seq := range c.before.Open {
			if seq > c.reached.Seq {
				s.Open = append(s.Open, seq)
			}
		}
	}
	s.Position.Seq = s.Reached
	if slices.Sort(s.Open); len(s.Open) > 0 {
		s.Position.Seq = min(s.Reached, s.Open[0]-1)
	}
	return s
}
