package memory

import (
	"time"

	"sigalert/agent/notify"
	"sigalert/sig"
)

// State is what an agent has to know after a restart. Every part of it is bounded by
// the stage that it is from; its zero value is that of an agent that never ran.
type State struct {
	Servers    map[string]Server     `json:"servers,omitempty"` // by address; of several, with blanks between them
	Pause      *Hold                 `json:"pause,omitempty"`   // nil: nothing is held back for all
	Muted      map[string]Hold       `json:"muted,omitempty"`   // by the subscription's identity
	Tags       map[string]bool       `json:"tags,omitempty"`    // that are open, by key: whether the desktop was sent an alert
	Untold     []notify.Notification `json:"untold,omitempty"`  // of no single event, that the desktop may not have yet
	Away       map[string]Digest     `json:"away,omitempty"`    // what is to be told of an absence, by the server and the subscription's identity
	Waiting    []Waiting             `json:"waiting,omitempty"`
	Inhibitors []Inhibitor           `json:"inhibitors,omitempty"`
	Repeating  []Repeating           `json:"repeating,omitempty"`
	Escalating []Escalating          `json:"escalating,omitempty"`
	Expected   map[string]Expected   `json:"expected,omitempty"` // by the subscription's identity
	Alerts     []Alert               `json:"alerts,omitempty"`   // the latest, and those that are not read or have buttons; oldest first
	Numbers    int                   `json:"numbers,omitempty"`  // the last that an event was given
	Screen     notify.Screen         `json:"screen,omitzero"`    // what the desktop still shows
}

// Server is what is known of a server.
type Server struct {
	Position sig.Position `json:"position"`          // up to which it is known what became of each event
	Reached  uint64       `json:"reached,omitempty"` // the number up to which that is known of all but Open
	Open     []uint64     `json:"open,omitempty"`
	Heard    time.Time    `json:"heard"` // when something came from it last
}

// Hold is what is held back, by the agent or by one subscription.
type Hold struct {
	Of     string         `json:"of,omitempty"`
	Paused bool           `json:"paused,omitempty"` // false: it is quiet for another reason
	Until  time.Time      `json:"until,omitzero"`   // of the pause; zero: until resumed
	While  string         `json:"while,omitempty"`
	Count  int            `json:"count,omitempty"`
	Last   []Held         `json:"last,omitempty"`
	Names  map[string]int `json:"names,omitempty"`
	Ref    uint64         `json:"ref,omitempty"` // of the last alert
}

// Held is a notification that is held back.
type Held struct {
	Name string `json:"name,omitempty"`
	Text string `json:"text,omitempty"`
	Key  string `json:"key,omitempty"`
}

// Digest is what happened during an absence for one subscription.
type Digest struct {
	Server string    `json:"server,omitempty"` // its name; "": it has none
	Left   time.Time `json:"left"`             // when the absence began
	Back   time.Time `json:"back"`
	Kinds  []Kind    `json:"kinds"`          // in the order in which they came
	More   int       `json:"more,omitempty"` // of further kinds
	Last   time.Time `json:"last"`           // when the last one happened
	Due    time.Time `json:"due,omitzero"`   // when it is to be told; zero: it was
	Ref    uint64    `json:"-"`              // of the alert that a click leads to
}

// Kind is how often an event happened.
type Kind struct {
	Name  string `json:"name"`
	Key   string `json:"key,omitempty"` // of the tag
	Count int    `json:"count"`
}
