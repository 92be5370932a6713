package agent

import (
	"fmt"
	"strings"
	"time"

	"sigalert/agent/notify"
	"sigalert/internal/outcome"
	"sigalert/internal/words"
	"sigalert/sig"
)

// What the agent shows without a new event, such as an alert once more, has this much of
// the rates of new notifications: the rest is for events, until it has waited for long.
const (
	unaskedAtOnce   = 3
	unaskedInAWhile = 10
	unaskedPatience = time.Minute
	unaskedLines    = 8
)

// unasked is a notification that no event has just asked for.
type unasked struct {
	notify.Notification
	what  sig.Name // it is in the history; "": it is not
	again verdict  // about its alert, if that is shown again
}

// spare is how many of them there is room for.
func (f *floods) spare(now time.Time) int {
	f.few.room(now) // forgets what is over
	f.many.room(now)
	return max(0, min(unaskedAtOnce-len(f.few.shown), unaskedInAWhile-len(f.many.shown)))
}

// nextUnasked is when tellUnasked has something to show; zero: never.
func (a *Agent) nextUnasked() time.Time {
	next := earlier(earlier(a.pipeline.repeats.next(), a.pipeline.inhibits.next()), a.expects.next())
	if next.IsZero() {
		return next
	}
	return later(next, a.crowded)
}

// tellUnasked shows the alerts again that nobody has answered, says that nothing came of
// what subscriptions expect, and what other alerts have held back. While there is no
// room for them, they wait; of more than there is room for, one notification says what
// they are.
func (a *Agent) tellUnasked(now time.Time) {
	if at := a.nextUnasked(); at.IsZero() || now.Before(at) {
		return
	}
	room := a.pipeline.floods.spare(now)
	if room == 0 {
		if a.crowding.IsZero() {
			a.crowding = now
		}
		f := a.pipeline.floods
		if now.Sub(a.crowding) < unaskedPatience || !f.few.room(now) || !f.many.room(now) {
			a.crowded = now.Add(floodUpdate)
			return
		}
		room = 1
	}
	a.crowding = time.Time{}
	a.memory.changed = true
	var all []unasked
	for _, n := range a.pipeline.repeats.due(now, func(x *repeating) bool { return a.pipeline.holds(now, x) }) {
		a.recents.amend(int(n.Ref), n.again)
		all = append(all, n)
	}
	for _, n := range append(a.missing(now), a.pipeline.inhibits.due(now)...) {
		if why := a.pipeline.quiet.keep(now, n.Notification); why != "" {
			a.reported(now, n, outcome.Held, why)
			continue
		}
		all = append(all, n)
	}
	if len(all) > room {
		rest := all[room-1:]
		for _, n := range rest {
			a.reported(now, n, outcome.Held, "merged into one")
		}
		all = append(all[:room-1:room-1], together(rest))
	}
	for _, n := range all {
		a.pipeline.floods.few.take(now)
		a.pipeline.floods.many.take(now)
		switch {
		case n.what != "":
			a.pushOwn(now, n.what, n.Notification)
		case n.again.stage != "":
			a.delivery.push(n.Notification)
		default:
			a.pushDigest(n.Notification, nil)
		}
	}
}

// reported has the history say what became of a notification.
func (a *Agent) reported(now time.Time, n unasked, what outcome.Outcome, why string) {
	if n.what != "" {
		a.alerted(ownEvent(now, n.what, n.Notification), what, why)
	}
}

// together is one notification for several.
func together(all []unasked) (one unasked) {
	one.Title = words.Count(len(all), "more notification")
	var lines []string
	for i, n := range all {
		if n.Urgency == notify.Critical {
			one.Urgency = notify.Critical
		}
		if i < unaskedLines {
			lines = append(lines, n.Title)
		}
	}
	if more := len(all) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %s", words.Count(more, "other")))
	}
	one.Body = strings.Join(lines, "\n")
	return one
}
