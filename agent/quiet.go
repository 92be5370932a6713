package agent

import (
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/internal/hours"
)

// quiet holds alerts back: those of subscriptions that are muted, and, in a pause, in
// quiet hours and while the desktop asks for silence, all that are not critical. What is
// held back in these comes as one digest when the last of them is over.
type quiet struct {
	pause   hold
	muted   map[string]*hold // by the subscription's identity
	hours   hours.Hours
	desktop string // why it asks for silence; "": it does not
	all     bool   // critical alerts are held back, too

	blind   bool      // what an earlier agent held back waits for the configuration
	known   time.Time // until when it waits for the desktop
	checked time.Time // when due last looked
	within  lookup    // the quiet hours
}

// lookup is an answer of hours.Hours, and when it holds.
type lookup struct {
	is          bool
	from, until time.Time // until is zero: for ever
	zone        *time.Location
}

// desktopAnswers is how long after a start the desktop has to say that it asks for silence.
const desktopAnswers = 2 * time.Second

// zoneCheck is how often the quiet hours are looked at: the time zone may be another.
const zoneCheck = time.Minute

func newQuiet() *quiet { return &quiet{muted: make(map[string]*hold)} }

// silence is why it is quiet for all, for people.
type silence struct {
	why   string    // "paused", "quiet hours" or what the desktop says; "": it is not
	while string    // it lasts
	until time.Time // zero: it is not known
}

func (q *quiet) silence(now time.Time) silence {
	within, until := q.inHours(now) // even in a pause: next needs it
	switch {
	case q.pause.paused:
		return silence{"paused", whilePaused, q.pause.until}
	case within:
		return silence{"quiet hours", "during quiet hours", until}
	case q.desktop != "":
		return silence{q.desktop, "while " + q.desktop, time.Time{}}
	}
	return silence{}
}

// inHours reports whether these are quiet hours, and until when, or when the next begin.
func (q *quiet) inHours(now time.Time) (bool, time.Time) {
	if len(q.hours) == 0 {
		return false, time.Time{}
	}
	w := &q.within
	if w.zone != now.Location() || now.Before(w.from) || !w.until.IsZero() && !now.Before(w.until) {
		w.is, w.until = q.hours.In(now)
		w.from, w.zone = now, now.Location()
	}
	return w.is, w.until
}

func (q *quiet) judge(p *passage) verdict {
	v := verdict{stage: "quiet", decision: Held}
	if muted := q.of(p.sub); muted != nil {
		p.hold, p.while = muted, whilePaused
		v.line, v.reason = p.sub.Line, "its subscription is muted"+untilText(p.now, muted.until)
		return v
	}
	s := q.silence(p.now)
	switch {
	case s.why == "":
		return verdict{stage: "quiet"}
	case urgency(p.said) == notify.Critical && !q.all:
		return verdict{stage: "quiet", reason: s.why + ", but it is critical"}
	}
	p.hold, p.while = &q.pause, s.while
	v.reason = s.why + untilText(p.now, s.until)
	return v
}

// untilText is " until 07:00", or nothing if the time is not known.
func untilText(now, until time.Time) string {
	if until.IsZero() {
		return ""
	}
	format := " until 15:04"
	if until.Sub(now) >= 24*time.Hour {
		format = " until 2006-01-02 15:04"
	}
	return until.In(now.Location()).Format(format)
}

// keep holds a notification back that is of no event, and returns why; "": it does not.
func (q *quiet) keep(now time.Time, n notify.Notification) (why string) {
	s := q.silence(now)
	if s.why == "" || n.Urgency == notify.Critical && !q.all {
		return ""
	}
	q.pause.takeBack(notify.ShortKey(n.Key)) // whose place it takes
	q.pause.keep(held{name: n.Title, key: n.Key}, s.while)
	return s.why + untilText(now, s.until)
}

// of is the subscription's own pause; nil: it is not muted.
func (q *quiet) of(s *config.Subscription) *hold {
	if len(q.muted) == 0 {
		return nil
	}
	return q.muted[s.ID()]
}

// mute pauses a subscription; until is zero for a pause without an end.
func (q *quiet) mute(s *config.Subscription, until time.Time) {
	id := s.ID()
	h := q.muted[id]
	if h == nil {
		h = &hold{of: topicAt(s.Shown(), s.OnServer())}
		q.muted[id] = h
	}
	h.pause(until)
}

// unmute ends a subscription's pause; the notification says what it held back.
func (q *quiet) unmute(s *config.Subscription) (n notify.Notification, ok bool) {
	id := s.ID()
	h := q.muted[id]
	if h == nil {
		return n, false
	}
	delete(q.muted, id)
	return h.resume()
}

// takeBack forgets the alerts with a key that are held back.
func (q *quiet) takeBack(key string) {
	q.pause.takeBack(key)
	for _, h := range q.muted {
		h.takeBack(key)
	}
}

// state is what of the pauses is remembered.
func (q *quiet) state() (pause *memory.Hold, muted map[string]memory.Hold) {
	if q.pause.paused || q.pause.count > 0 {
		pause = new(q.pause.state())
	}
	for id, h := range q.muted {
		if muted == nil {
			muted = make(map[string]memory.Hold)
		}
		muted[id] = h.state()
	}
	return pause, muted
}

// restore takes over what an earlier agent held back. It stays held back until it is known
// whether it is still quiet.
func (q *quiet) restore(now time.Time, pause *memory.Hold, muted map[string]memory.Hold) {
	q.blind, q.known = true, now.Add(desktopAnswers)
	if pause != nil {
		q.pause = restoreHold(*pause)
	}
	for id, h := range muted {
		q.muted[id] = new(restoreHold(h))
	}
}

func (q *quiet) clone() *quiet {
	c := *q
	c.pause, c.muted = q.pause.clone(), make(map[string]*hold)
	for id, h := range q.muted {
		c.muted[id] = new(h.clone())
	}
	return &c
}

// follow takes over what the configuration says.
func (q *quiet) follow(c config.Quiet) {
	q.hours, q.all, q.within, q.blind = c.Hours, c.HoldAll, lookup{}, false
	if !c.Desktop {
		q.desktop, q.known = "", time.Time{}
	}
}

// use replaces the subscriptions, and returns what to show of those that are gone.
func (q *quiet) use(subs []config.Subscription) (told []notify.Notification) {
	there := make(map[string]bool)
	if len(q.muted) > 0 {
		for _, s := range subs {
			there[s.ID()] = true
		}
	}
	for id, h := range q.muted {
		if !there[id] {
			delete(q.muted, id)
			if n, ok := h.resume(); ok {
				told = append(told, n)
			}
		}
	}
	return told
}

// due ends the pauses that are over, and returns what to show of them, and of quiet
// hours that are over. It is given the time in the zone of this machine.
func (q *quiet) due(now time.Time) (told []notify.Notification) {
	if q.checked = now; q.blind || now.Before(q.known) {
		return nil
	}
	for id, h := range q.muted {
		if h.expired(now) {
			delete(q.muted, id)
			if n, ok := h.resume(); ok {
				told = append(told, n)
			}
		}
	}
	if q.pause.expired(now) {
		q.resume()
	}
	if s := q.silence(now); q.pause.count > 0 && s.why == "" {
		if n, ok := q.pause.resume(); ok {
			told = append(told, n)
		}
	}
	return told
}

// resume ends a pause for all. What it held back is shown by due, if it is not quiet for
// another reason.
func (q *quiet) resume() { q.pause.paused, q.pause.until = false, time.Time{} }

// next is when due has something to do; zero: never.
func (q *quiet) next() time.Time {
	if q.blind {
		return time.Time{}
	}
	if q.checked.Before(q.known) {
		return q.known
	}
	next := q.pause.until
	for _, h := range q.muted {
		next = earlier(next, h.until)
	}
	if len(q.hours) > 0 {
		next = earlier(earlier(next, q.within.until), q.checked.Add(zoneCheck))
	}
	return next
}
