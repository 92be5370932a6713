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

// ownRef marks the Ref of a notification that is about an event of ownSender: the rest of
// it is the time of that, in µs since 1970.
const ownRef = 1 << 63

// report is tell for what the history is to have as well, with what became of it.
func (a *Agent) report(now time.Time, what sig.Name, n notify.Notification) {
	if why := a.pipeline.quiet.keep(now.In(a.zone()), n); why != "" {
		a.alerted(ownEvent(now, what, n), outcome.Held, why)
		return
	}
	a.pushOwn(now, what, n)
}

// pushOwn has the desktop show what the history is to have as well. A click opens it there.
func (a *Agent) pushOwn(now time.Time, what sig.Name, n notify.Notification) {
	n.Ref, n.Click = ownRef|uint64(now.UnixMicro()), a.config != nil && a.config.History != nil
	a.delivery.pushAlert(n, ownEvent(now, what, n), nil, nil)
}

// respondOwn takes what somebody did with what pushOwn has shown.
func (a *Agent) respondOwn(r notify.Response) {
	if r.Kind == notify.Clicked {
		a.opts.OpenAlert(sig.Event{Sender: ownSender, Time: time.UnixMicro(int64(r.Ref &^ ownRef))}, false)
	}
}
