package agent

import (
	"fmt"
	"time"

	"sigalert/agent/notify"
	"sigalert/agent/rule"
	"sigalert/internal/plain"
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

// verdict is a Verdict whose reason is not written out yet: few are read.
type verdict struct {
	stage    string
	decision Decision
	line     int
	reason   string
	expr     *rule.Expr // whose value is the reason; nil: none is
	key      string     // of the subscription's expression: expr, or one that failed
	err      error      // why it failed
}

// written is v for people. The event is the one that it is about.
func (v verdict) written(seen *rule.Event) Verdict {
	reason := v.reason
	switch {
	case v.err != nil:
		reason = fmt.Sprintf("%s failed, and is left out: %v", v.key, v.err)
	case v.expr != nil:
		reason = fmt.Sprintf("%s %s%s", v.key, v.expr.Source(), v.reason)
		if seen == nil { // it has lost its data
			break
		}
		if read := v.expr.Explain(seen); read != "" {
			reason += ": " + read
		}
	}
	return Verdict{Stage: v.stage, Decision: v.decision, Reason: plain.Line(reason, maxExplained), Line: v.line}
}

// maxExplained bounds a reason, in characters.
const maxExplained = 500

// Explanation is what became of an event, and why.
type Explanation struct {
	Number   int                  `json:"number,omitempty"` // counts the agent's events; 0: it never happened
	Time     time.Time            `json:"time"`
	Server   string               `json:"server,omitempty"` // its name; "": it has none
	Sender   sig.Name             `json:"sender"`
	Event    sig.Name             `json:"event"`
	Data     sig.Data             `json:"data"`
	Decision Decision             `json:"decision"` // the last one
	Verdicts []Verdict            `json:"verdicts"`
	Sent     *notify.Notification `json:"sent,omitempty"` // what the desktop was sent, or would be; nil: nothing
}
