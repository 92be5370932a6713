package agent

import (
	"errors"
	"fmt"
	"time"

	"sigalert/internal/topic"
	"sigalert/internal/words"
	"sigalert/sig"
)

// Status is how the agent stands. It is a copy: nothing changes in it.
type Status struct {
	Server        string
	Router        bool // the agent itself runs the router there
	Connected     bool
	Since         time.Time // since when it is connected, or not
	LinkError     error     // why there is no connection, or was none before; nil if not known
	Lost          bool      // there has been none for longer than the grace
	Paused        bool
	PausedUntil   time.Time // zero: until resumed
	Quiet         string    // why alerts are held back: "paused", "quiet hours", "do not disturb is on"; "": they are not
	QuietUntil    time.Time // zero: it is not known
	Held          int       // alerts held back meanwhile
	Pending       Pending
	Unread        int // alerts that nobody has clicked, closed or marked as read; at most 256
	Subscriptions []SubscriptionStatus
	Unseen        []Unseen // in the file's order; empty until the server has said who is there
	ConfigError   error    // what is wrong with the file as it is now
	DeliveryError error    // why the last alert was not shown; nil: it was
	Counters      Counters
}

// SubscriptionStatus is how one subscription stands at the server.
type SubscriptionStatus struct {
	topic.Topic     // for people: a glob is in the place of a name
	Line        int // in the file
	Status      sig.ListenerStatus
	Err         error // of a refused one

	Muted      bool
	MutedUntil time.Time // zero: until Unmute
	Held       int       // alerts held back meanwhile
}

// Pending counts the alerts of which it is not known yet what becomes of them, and those
// that nobody has answered.
type Pending struct {
	Waiting    int // for their time, as they may be resolved by then
	Inhibited  int // held back while another alert is shown
	Repeating  int // shown again, unless somebody answers
	Escalating int // escalated, unless somebody answers
}

// Counters count since the agent began.
type Counters struct {
	Received uint64 // events that a subscription alerts for
	Shown    uint64 // notifications that the desktop took
	Logged   uint64 // notifications that it did not take, which went to the log
	Limited  uint64 // alerts merged into one that counts
	Filtered uint64 // events that a subscription is for, and that its conditions kept from being alerts
	Unrun    uint64 // commands that were not run: too many were waiting
	Dropped  uint64 // lost: a queue was full, or the server had forgotten them
	Early    uint64 // alerts shown before their time: too many waited
}

// count counts how an event fared; again, if it has waited since it was counted.
func (c *Counters) count(v verdict, again bool) {
	if v.decision == Filtered {
		c.Filtered++
		return
	}
	if !again {
		c.Received++
	}
	if v.decision == Held && (v.stage == "rate_limit" || v.stage == "limit") {
		c.Limited++
	}
}

// Line is the state in one line, as the tray's menu shows it. What may be long, for it
// has names, comes last: the tray cuts the line.
func (s Status) Line() string {
	if s.ConfigError != nil && s.Server == "" {
		return "Configuration: " + s.ConfigError.Error()
	}
	if s.Server == "" {
		return "Starting"
	}
	line := s.linkLine()
	if quiet := s.quietLine(); quiet != "" {
		line = quiet + ". " + line
	}
	if s.Counters.Dropped > 0 {
		line += fmt.Sprintf(", %d dropped", s.Counters.Dropped)
	}
	if s.ConfigError != nil {
		line += ", the file has a problem"
	}
	if s.DeliveryError != nil {
		line += ", no notifications: see the log"
	}
	var refused []string
	for _, sub := range s.Subscriptions {
		if sub.Status == sig.Refused {
			refused = append(refused, sub.Topic.String())
		}
	}
	if len(refused) > 0 {
		line += fmt.Sprintf(", %d not offered (%s)", len(refused), refused[0])
	}
	return line + unseenLine(s.Unseen)
}

// quietLine says why alerts are held back: "Paused, 2 held back" or "Quiet until 07:00".
func (s Status) quietLine() string {
	line := ""
	switch {
	case s.Paused:
		line = "Paused"
	case s.Quiet == "":
		return ""
	case s.QuietUntil.IsZero():
		line = "Quiet: " + s.Quiet
	default:
		now := time.Now().In(s.QuietUntil.Location())
		line = "Quiet" + untilText(now, s.QuietUntil)
	}
	if s.Held > 0 {
		line += fmt.Sprintf(", %d held back", s.Held)
	}
	return line
}

func (s Status) linkLine() string {
	switch pending := s.pending(); {
	case s.Connected && pending > 0:
		return fmt.Sprintf("Connected to %s, %d of %s", s.Server, len(s.Subscriptions)-pending, words.Count(len(s.Subscriptions), "subscription"))
	case s.Connected:
		return fmt.Sprintf("Connected to %s, %s", s.Server, words.Count(len(s.Subscriptions), "subscription"))
	}
	var own *routerError
	if errors.As(s.LinkError, &own) {
		return own.short
	}
	if s.Lost {
		return fmt.Sprintf("No connection to %s", s.Server)
	}
	return fmt.Sprintf("Connecting to %s", s.Server)
}

// pending counts the subscriptions that the server has not answered yet.
func (s Status) pending() int {
	n := 0
	for _, sub := range s.Subscriptions {
		if sub.Status == sig.Pending {
			n++
		}
	}
	return n
}
