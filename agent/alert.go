package agent

import (
	"fmt"

	"sigalert/internal/outcome"
	"sigalert/internal/words"
	"sigalert/sig"
)

// Alert is an event that a subscription alerts for, and what became of it.
type Alert struct {
	Event   sig.Event
	Outcome outcome.Outcome
	Why     string // for people; empty if there is nothing to say
}

// Why an alert was held back.
const (
	whyPaused   = "paused"
	whyResolved = "resolved: what its tag showed is closed"
)

var whyFlood = fmt.Sprintf("more than %s in %s, merged into one", words.Count(floodLimit, "alert"), words.Span(floodWindow))

// Why an alert failed.
const whyEnded = "the agent ended"

var whyFull = fmt.Sprintf("%d newer ones were waiting for the desktop", deliveryQueue)

// whyNoData is added if an event lost its data on the way.
const whyNoData = "its data was too large to keep"
