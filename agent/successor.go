package agent

import (
	"slices"
	"time"

	"sigalert/sig"
)

// successor is the router that took another's place, at another of a server's addresses.
// What happened there before is of no interest, unless it had the place earlier: then it
// goes on from where it was left.
type successor struct {
	met   []string  // epochs that had the place, the last few
	epoch string    // of the router; "": it goes on
	since time.Time // when the other one was heard last
}

const (
	maxMet   = 8           // as many as sig.ClientRouter goes on with
	clockGap = time.Minute // by how much two machines' clocks may well differ
)

// look notices that another router has the place, by what comes from it.
func (s *successor) look(reached, came sig.Position, heard time.Time) {
	if came.Epoch == reached.Epoch || came.Epoch == "" || reached.Epoch == "" {
		return
	}
	if s.met = append(s.met, reached.Epoch); len(s.met) > maxMet {
		s.met = s.met[1:]
	}
	if s.epoch, s.since = came.Epoch, heard; slices.Contains(s.met, came.Epoch) {
		s.epoch = ""
	}
}

// before reports whether an event happened before the router took the place.
func (s *successor) before(ev sig.Event) bool {
	return ev.Replayed && s.epoch != "" && ev.Position().Epoch == s.epoch && ev.Time.Before(s.since.Add(-clockGap))
}
