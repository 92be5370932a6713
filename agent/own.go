package agent

import (
	"encoding/json"
	"time"

	"sigalert/agent/notify"
	"sigalert/internal/outcome"
	"sigalert/internal/zone"
	"sigalert/sig"
)

// ownSender is the sender of what the agent itself has to say, in the history.
const ownSender = sig.Name("sigalert")

// The events of ownSender.
const (
	ownLink      = sig.Name("link")      // the server is lost, or back
	ownPresence  = sig.Name("presence")  // senders came or went
	ownGap       = sig.Name("gap")       // events were lost
	ownStorm     = sig.Name("storm")     // what a storm that is over has counted
	ownEscalated = sig.Name("escalated") // nobody has answered an alert
	ownMissing   = sig.Name("missing")   // nothing came of what a subscription expects
)

// ownEvent is what the agent itself has to say, as an event.
func ownEvent(now time.Time, what sig.Name, n notify.Notification) sig.Event {
	text, _ := json.Marshal(struct { // of texts alone: no error
		Title   string `json:"title"`
		Message string `json:"message,omitempty"`
	}{n.Title, n.Body})
	return sig.Event{Sender: ownSender, Event: what, Data: sig.JSONData(text), Time: now.In(zone.Local())}
}

// report is tell for what the history is to have as well, with what became of it.
func (a *Agent) report(now time.Time, what sig.Name, n notify.Notification) {
	ev := ownEvent(now, what, n)
	if why := a.pipeline.quiet.keep(now.In(a.zone()), n); why != "" {
		a.alerted(ev, outcome.Held, why)
		return
	}
	a.delivery.pushAlert(n, ev, nil, nil)
}
