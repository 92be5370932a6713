package agent

import (
	"time"

	"sigalert/agent/notify"
	"sigalert/sig"
)

// Verdict is what a stage decided about an event, and why.
type Verdict struct {
	Stage    string   `json:"stage"` // such as "match", "when" or "limit"
	Decision Decision `json:"decision"`
	Reason   string   `json:"reason,omitempty"` // for people: "when data.temp > 30 is false: data.temp is 21.5"
	Line     int      `json:"line,omitempty"`   // of the subscription in the file; 0: it is about none
}

// Decision is how a stage decides.
type Decision uint8

// The decisions. All but Passed end an event's way, and Skipped only for one
// subscription.
const (
	Passed   Decision = iota
	Skipped           // it is not for this subscription: the next one is asked
	Filtered          // no alert is to be shown for it
	Held              // its alert is held back, and counted
	Resolved          // it took an alert back
	Sent              // its alert is on the way to the desktop
	Shown             // the desktop took it
	Failed            // the desktop did not take it
)

// String returns "passed", "skipped", "filtered", "held back", "resolved", "sent",
// "shown" or "not shown".
func (d Decision) String() string {
	return [...]string{"passed", "skipped", "filtered", "held back", "resolved", "sent", "shown", "not shown"}[d]
}

// MarshalText returns String.
func (d Decision) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Explanation is what became of an event, and why.
type Explanation struct {
	Number   int                  `json:"number,omitempty"` // counts the agent's events; 0: it never happened
	Time     time.Time            `json:"time"`
	Sender   sig.Name             `json:"sender"`
	Event    sig.Name             `json:"event"`
	Data     sig.Data             `json:"data"`
	Decision Decision             `json:"decision"` // the last one
	Verdicts []Verdict            `json:"verdicts"`
	Sent     *notify.Notification `json:"sent,omitempty"` // what the desktop was sent, or would be; nil: nothing
}
