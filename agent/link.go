package agent

import (
	"errors"
	"time"

	"sigalert/agent/notify"
	"sigalert/internal/words"
	"sigalert/sig"
)

const (
	linkGrace      = 10 * time.Second
	linkGraceWake  = 60 * time.Second // after a wake from suspend
	linkGraceStart = 60 * time.Second // after the agent's start, until the first connection
)

// linkWatch says when the server is lost and when it is back. A link that returns
// within the grace goes unmentioned.
type linkWatch struct {
	name      string // of the server; "": it has none
	server    string // where it is
	connected bool
	ever      bool // it has been connected
	since     time.Time
	graceEnds time.Time // while it is not connected
	wokeUntil time.Time // a loss soon after a wake is announced no earlier
	err       error     // why it was not connected last; nil if not known
	announced bool
}

func newLinkWatch(server string, now time.Time) *linkWatch {
	return &linkWatch{server: server, since: now, graceEnds: now.Add(linkGrace)}
}

// observe takes the link's present state, and returns what to say about it.
func (l *linkWatch) observe(now time.Time, connected bool, err error) (n notify.Notification, ok bool) {
	was := *l
	if !connected && err != nil {
		l.err = err
		if errors.Is(err, sig.ErrNotAdmitted) { // the network is there
			l.graceEnds = earlier(l.graceEnds, now.Add(linkGrace))
		}
	}
	if connected == l.connected {
		return n, false
	}
	l.connected, l.since, l.announced = connected, now, false
	if !connected {
		if l.graceEnds = now.Add(linkGrace); l.graceEnds.Before(l.wokeUntil) {
			l.graceEnds = l.wokeUntil
		}
		return n, false
	}
	l.ever = true
	if !was.announced {
		return n, false
	}
	title := "Back after "
	if !was.ever {
		title = "Connected after "
	}
	return notify.Notification{Title: says(l.name, title+words.Span(now.Sub(was.since))), Body: "The server " + l.server + " is answering.", Key: keyOf("server", l.name)}, true
}

// starting grants more time: at a login the network may still be coming.
func (l *linkWatch) starting(now time.Time) { l.graceEnds = now.Add(linkGraceStart) }

// woke grants more time: after a suspend the network needs a while.
func (l *linkWatch) woke(now time.Time) {
	l.graceEnds = now.Add(linkGraceWake)
	l.wokeUntil = l.graceEnds
}

// isWaking reports whether it was called for a wake just before.
func (l *linkWatch) isWaking(now time.Time) bool {
	return now.Add(linkGraceWake - 2*wakeTick).Before(l.wokeUntil)
}

// due announces the loss when the grace is over.
func (l *linkWatch) due(now time.Time) (n notify.Notification, ok bool) {
	if next := l.next(); next.IsZero() || now.Before(next) {
		return n, false
	}
	l.announced = true
	title, hint := "Lost the server", "Trying again until it answers."
	switch {
	case errors.Is(l.err, sig.ErrNotAdmitted):
		title, hint = "The server refuses us", `Make a token at the router ("sigalert token new"), and put it into the configuration. Trying again meanwhile.`
	case !l.ever:
		title = "Cannot reach the server"
	}
	reason := "No answer from " + l.server + " yet."
	if l.err != nil {
		reason = l.err.Error()
	}
	return notify.Notification{Title: says(l.name, title), Body: reason + "\n" + hint, Key: keyOf("server", l.name)}, true
}

// next is when due has something to say; zero: never.
func (l *linkWatch) next() time.Time {
	if l.connected || l.announced {
		return time.Time{}
	}
	return l.graceEnds
}
