package memory

import (
	"time"

	"sigalert/sig"
)

// State is what an agent has to know after a restart. Every part of it is bounded by
// the stage that it is from; its zero value is that of an agent that never ran.
type State struct {
	Servers    map[string]Server   `json:"servers,omitempty"` // by address
	Pause      *Hold               `json:"pause,omitempty"`   // nil: the agent is not paused
	Muted      map[string]Hold     `json:"muted,omitempty"`   // by the subscription's identity
	Tags       map[string]bool     `json:"tags,omitempty"`    // that are open, by key: whether the desktop was sent an alert
	Away       *Away               `json:"away,omitempty"`    // what is to be told of an absence; nil: nothing
	Waiting    []Waiting           `json:"waiting,omitempty"`
	Inhibitors []Inhibitor         `json:"inhibitors,omitempty"`
	Repeating  []Repeating         `json:"repeating,omitempty"`
	Escalating []Escalating        `json:"escalating,omitempty"`
	Expected   map[string]Expected `json:"expected,omitempty"` // by the subscription's identity

	Alerts  []Alert `json:"alerts,omitempty"`  // that nobody has read, or that have buttons; oldest first
	Numbers int     `json:"numbers,omitempty"` // the last that an alert was given
}

// Server is what is known of a server.
type Server struct {
	Position sig.Position `json:"position"` // up to which it is known what became of each event
	Heard    time.Time    `json:"heard"`    // when something came from it last
}

// Hold is a pause, of the agent or of a subscription.
type Hold struct {
	Of    string    `json:"of,omitempty"`
	Until time.Time `json:"until,omitzero"` // zero: until resumed
	Count int       `json:"count,omitempty"`
	Last  []Held    `json:"last,omitempty"`
}

// Held is a notification that is held back.
type Held struct {
	Title string `json:"title"`
	Key   string `json:"key,omitempty"`
}

// Away is an absence, and what happened meanwhile.
type Away struct {
	Ended   time.Time         `json:"ended"`
	Span    time.Duration     `json:"span"`
	Digests map[string]Digest `json:"digests"` // by the subscription's identity
}

// Digest is what happened for one subscription.
type Digest struct {
	Kinds []Kind    `json:"kinds"`          // in the order in which they came
	More  int       `json:"more,omitempty"` // of further kinds
	Last  time.Time `json:"last"`
	Ref   uint64    `json:"ref,omitempty"`
	Due   time.Time `json:"due,omitzero"` // zero: it is told
	Told  bool      `json:"told,omitempty"`
}

// Kind is how often an event happened.
type Kind struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Alert is an alert that somebody may still want to read or answer.
type Alert struct{}
