package agent

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"sigalert/internal/topic"
	"sigalert/internal/words"
	"sigalert/sig"
)

// Status is how the agent stands. It is a copy: nothing changes in it.
type Status struct {
	Servers []ServerStatus // in the file's order; none: there is no good configuration yet

	// Of all servers together:
	Server    string    // their names, or the address of the only one if that has no name
	Router    bool      // the agent itself runs the router of one
	Connected bool      // to all
	Since     time.Time // since when that is so
	LinkError error     // why there is no connection to one, or was none before; nil if not known
	Lost      bool      // there has been none to one for longer than the grace

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

// ServerStatus is how one server stands.
type ServerStatus struct {
	Name      string // "": it is the only one, and has none
	Address   string // host:port; if it has several, and is not connected, all of them
	Router    bool   // the agent itself runs the router there
	Connected bool
	Since     time.Time // since when it is connected, or not
	Err       error     // why there is no connection, or was none before; nil if not known
	Lost      bool      // there has been none for longer than the grace
}

// Label is the server's name or, if it has none, its address.
func (s ServerStatus) Label() string { return cmp.Or(s.Name, s.Address) }

// sum fills in what is about all servers together.
func (s *Status) sum() {
	s.Connected = len(s.Servers) > 0
	for i, one := range s.Servers {
		s.Server += ", " + one.Label()
		s.Router, s.Lost = s.Router || one.Router, s.Lost || one.Lost
		switch {
		case i == 0, s.Connected && !one.Connected:
			s.Since, s.LinkError = one.Since, one.Err
		case s.Connected:
			s.Since = later(s.Since, one.Since)
		case !one.Connected:
			s.Since = earlier(s.Since, one.Since)
		}
		s.Connected = s.Connected && one.Connected
	}
	s.Server = strings.TrimPrefix(s.Server, ", ")
}

// SubscriptionStatus is how one subscription stands at the server where it stands best.
type SubscriptionStatus struct {
	topic.Topic        // for people: a glob is in the place of a name
	Server      string // the name of the one that it is for, or a glob; "": all
	Line        int    // in the file
	Status      sig.ListenerStatus
	Err         error // of a refused one

	Muted      bool
	MutedUntil time.Time // zero: until Unmute
	Held       int       // alerts held back meanwhile
}

// String is the subscription for people: "door: ring", or "door: ring at work".
func (s SubscriptionStatus) String() string { return topicAt(s.Topic, s.Server) }

func topicAt(t topic.Topic, server string) string {
	if server == "" {
		return t.String()
	}
	return t.String() + " at " + server
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
	if s.ConfigError != nil && len(s.Servers) == 0 {
		return "Configuration: " + s.ConfigError.Error()
	}
	if len(s.Servers) == 0 {
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
			refused = append(refused, sub.String())
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

// linkLine says to which servers there is a connection, after those that have none.
func (s Status) linkLine() string {
	var lost, coming, refused, there []string
	var parts []string
	for _, one := range s.Servers {
		var own *routerError
		switch {
		case one.Connected:
			there = append(there, one.Label())
		case errors.As(one.Err, &own):
			parts = append(parts, named(one.Name, own.short))
		case errors.Is(one.Err, sig.ErrNotAdmitted):
			refused = append(refused, one.Label())
		case one.Lost:
			lost = append(lost, one.Label())
		default:
			coming = append(coming, one.Label())
		}
	}
	if len(refused) > 0 {
		parts = append(parts, "Not admitted without a valid token by "+listed(refused))
	}
	if len(lost) > 0 {
		parts = append(parts, "No connection to "+listed(lost))
	}
	if len(coming) > 0 {
		parts = append(parts, "Connecting to "+listed(coming))
	}
	if len(there) > 0 {
		count := words.Count(len(s.Subscriptions), "subscription")
		if pending := s.pending(); pending > 0 && s.Connected {
			count = fmt.Sprintf("%d of %s", len(s.Subscriptions)-pending, count)
		}
		parts = append(parts, "Connected to "+listed(there)+", "+count)
	}
	return strings.Join(parts, ". ")
}

// maxListed is how many servers are named in the line.
const maxListed = 3

func listed(names []string) string {
	if len(names) > maxListed {
		return words.Count(len(names), "server")
	}
	return strings.Join(names, ", ")
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
