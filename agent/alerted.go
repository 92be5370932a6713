package agent

import (
	"fmt"

	"sigalert/sig"
)

// Alert is an event that a subscription alerts for, and what became of it.
type Alert struct {
	Event   sig.Event
	Outcome Outcome
	Why     string // for people; empty where there is nothing to say
}

// Outcome is what became of an alert.
type Outcome uint8

// The outcomes.
const (
	Shown  Outcome = iota // the desktop took it
	Held                  // it was held back
	Failed                // the desktop did not take it
)

// String returns "shown", "held" or "failed".
func (o Outcome) String() string {
	switch o {
	case Shown:
		return "shown"
	case Held:
		return "held"
	case Failed:
		return "failed"
	}
	return fmt.Sprintf("outcome(%d)", uint8(o))
}

// Why an alert was held back.
const whyPaused = "paused"

var whyFlood = fmt.Sprintf("more than %s in %s, counted in one", count(floodLimit, "alert"), span(floodWindow))

// Why an alert failed.
const whyEnded = "the agent ended"

var whyFull = fmt.Sprintf("%d newer ones waited for the desktop", deliveryQueue)

// whyNoData tells of an event that has lost its data on the way.
const whyNoData = "its data was too much to keep"
