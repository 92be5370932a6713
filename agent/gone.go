package agent

import (
	"fmt"
	"time"

	"sigalert/agent/notify"
	"sigalert/internal/words"
)

const (
	goneWait  = time.Second                // until all is known that is to be told
	goneGrace = linkGrace + 15*time.Second // an absence that looks shorter may well have cost nothing: the server gives a sign of life every 15 s
)

// gone says what events of an absence cannot be had. Where nobody knows whether there
// were any, it says so only if the absence was longer than a moment, or the agent's own.
type gone struct {
	count   int
	unknown bool
	when    time.Time // when to tell; zero: there is nothing to tell
}

// add notes that n events are gone or, if n is below 0, that some may be; heard is when the
// server was heard last before, by the wall clock, and own that it was the agent that has
// not run since: however short that was, other programs may have sent something.
func (g *gone) add(now time.Time, n int, heard time.Time, own bool) {
	away := !heard.IsZero() && (own || now.Round(0).Sub(heard) > goneGrace)
	if n >= 0 {
		g.count += n
	} else if g.unknown = g.unknown || away; !g.unknown && g.count == 0 {
		return
	}
	g.when = now.Add(goneWait)
}

// due is what to tell now; without an epoch, the server remembers no events. One of several
// addresses may be another router's.
func (g gone) due(now time.Time, epoch string, several bool) (n notify.Notification, ok bool) {
	if g.when.IsZero() || now.Before(g.when) {
		return n, false
	}
	why, body := "the router restarted", "How many is unknown."
	switch {
	case epoch == "":
		why = "the router keeps none"
	case g.unknown && several:
		why = "another router answers"
	case !g.unknown:
		why, body = "the router had forgotten them", ""
	}
	title := "Events may be lost"
	if g.count > 0 {
		title, body = words.Count(g.count, "event")+" lost", ""
		if g.unknown {
			title = "At least " + title
		}
	}
	return notify.Notification{Title: fmt.Sprintf("%s: %s", title, why), Body: body, Key: "gone"}, true
}
