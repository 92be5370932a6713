package sig

import (
	"encoding/json"
	"time"
)

// Store keeps a server's events so that they outlive it: [sigalert/sig/store] does, in
// files.
type Store interface {
	// Load calls add with the events that are kept, the oldest first. A server calls
	// it once, before anything else. The events' texts are valid until add returns.
	Load(add func(StoredEvent)) StoreState
	// Append takes the next event. It must not wait: the router is locked meanwhile.
	Append(StoredEvent)
	// Kept calls done once the event with this number, and all before it, are as safe
	// as publishers may expect; perhaps at once. done does not wait for anything.
	Kept(seq uint64, done func())
	// Handed returns once the event with this number, and all before it, outlive the
	// process, or after a moment: listeners wait for it.
	Handed(seq uint64)
	// Failing is why events are kept in memory only; nil: they are stored.
	Failing() error
}

// StoreState is what a store knows besides its events.
type StoreState struct {
	Epoch string
	// Last is the number before that of the next event. None that was given to an
	// event before is higher, whether or not the event is kept.
	Last uint64
	// Unknown are the numbers, up to Last, for which nobody knows whether there were
	// such events, or what they were. All others that no event has were never given.
	Unknown []Span
}

// Span is the numbers from one to another, both included.
type Span struct{ From, To uint64 }

// StoredEvent is an event as a store keeps it.
type StoredEvent struct {
	Seq           uint64
	Time          time.Time
	Sender, Event Name // as listeners get them
	// Its listeners are those for these names, see Router.Intercept.
	ForSender, ForEvent Name
	Extra               json.RawMessage
	Data                []byte // as it is on the wire
	Lost                bool   // the store could not keep its data

	ID        string // its publication's; "": it has none
	Listeners int    // how many it went to, if it has an id
}
