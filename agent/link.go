package agent

import (
	"time"

	"sigalert/agent/notify"
)

const (
	linkGrace     = 10 * time.Second
	linkGraceWake = 60 * time.Second // after a wake from suspend
)

// linkWatch tells when the server is lost and when it is back; not of a link
// that returns within the grace.
type linkWatch struct {
	server    string
	connected bool
	ever      bool // it was connected once
	since     time.Time
	graceEnds time.Time // while it is not connected
	wokeUntil time.Time // a loss just after a wake is told of no earlier
	reason    string
	announced bool
}

func newLinkWatch(server string, now time.Time) *linkWatch {
	return &linkWatch{server: server, since: now, graceEnds: now.Add(linkGrace)}
}

// observe takes the link's present state, and tells what is to be said.
func (l *linkWatch) observe(now time.Time, connected bool, reason string) (n notify.Notification, ok bool) {
	was := *l
	if !connected && reason != "" {
		l.reason = reason
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
	return notify.Notification{Title: title + span(now.Sub(was.since)), Body: "The server " + l.server + " answers.", Key: "server"}, true
}

// woke grants more time: after a suspend the network needs a while.
func (l *linkWatch) woke(now time.Time) {
	l.graceEnds = now.Add(linkGraceWake)
	l.wokeUntil = l.graceEnds
}

// due tells of the loss when the grace is over.
func (l *linkWatch) due(now time.Time) (n notify.Notification, ok bool) {
	if next := l.next(); next.IsZero() || now.Before(next) {
		return n, false
	}
	l.announced = true
	title := "Lost the server"
	if !l.ever {
		title = "Cannot reach the server"
	}
	reason := l.reason
	if reason == "" {
		reason = "No answer from " + l.server + " yet."
	}
	return notify.Notification{Title: title, Body: reason + "\nTrying again until it answers.", Key: "server"}, true
}

// next is when due has something to say; zero: never.
func (l *linkWatch) next() time.Time {
	if l.connected || l.announced {
		return time.Time{}
	}
	return l.graceEnds
}
