package agent

import (
	"slices"
	"testing"

	"sigalert/sig"
)

// What comes again after a restart, or after a second one amid it, is just what nobody
// knows the end of.
func TestCursorOverRestarts(t *testing.T) {
	at := func(seq uint64) sig.Position { return sig.Position{Epoch: "e", Seq: seq} }
	comes := func(c *cursor, from uint64) (all []uint64) {
		for seq := from + 1; seq <= 12; seq++ {
			if !c.known(at(seq)) {
				all = append(all, seq)
			}
		}
		return all
	}
	c := new(cursor)
	if c.known(at(1)) || c.known(sig.Position{}) {
		t.Error("a new one knows events")
	}
	for seq := range uint64(10) {
		c.wait(seq + 1)
		c.reach(at(seq + 1))
	}
	for _, seq := range []uint64{1, 2, 3, 5, 6, 8, 9, 10} {
		c.settled(seq)
	}
	s := c.state()
	if s.Position != at(3) || s.Reached != 10 || !slices.Equal(s.Open, []uint64{4, 7}) {
		t.Fatalf("%+v", s)
	}
	c = newCursor(s)
	if got := comes(c, 3); !slices.Equal(got, []uint64{4, 7, 11, 12}) {
		t.Errorf("%v come", got)
	}
	if again := c.state(); again.Position != at(3) || again.Reached != 10 || !slices.Equal(again.Open, s.Open) {
		t.Errorf("before anything has come: %+v", again)
	}
	c.wait(4)
	c.reach(at(5))
	c.settled(4)
	s = c.state()
	if s.Position != at(6) || s.Reached != 10 || !slices.Equal(s.Open, []uint64{7}) {
		t.Errorf("amid it: %+v", s)
	}
	if got := comes(newCursor(s), 6); !slices.Equal(got, []uint64{7, 11, 12}) {
		t.Errorf("the second time, %v come", got)
	}
	c.reach(at(11))
	if s = c.state(); s.Position != at(11) || len(s.Open) > 0 {
		t.Errorf("afterwards: %+v", s)
	}
	c.reach(sig.Position{Epoch: "another", Seq: 2})
	if s = c.state(); s.Position != (sig.Position{Epoch: "another", Seq: 2}) || s.Reached != 2 {
		t.Errorf("at a router that restarted: %+v", s)
	}
	if c.known(sig.Position{Epoch: "another", Seq: 1}) {
		t.Error("it knows another router's events")
	}
}
