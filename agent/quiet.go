package agent

import (
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/agent/notify"
)

// quiet holds back the alerts of a pause, and those of subscriptions that are muted.
type quiet struct {
	pause hold
	muted map[string]*hold // by the subscription's identity
}

func newQuiet() *quiet { return &quiet{muted: make(map[string]*hold)} }

func (q *quiet) judge(p *passage) verdict {
	v := verdict{stage: "quiet", decision: Held}
	switch muted := q.of(p.sub); {
	case muted != nil:
		p.hold = muted
		v.line, v.reason = p.sub.Line, "its subscription is muted"
	case q.pause.paused:
		p.hold = &q.pause
		v.reason = "paused"
	default:
		return verdict{stage: "quiet"}
	}
	if until := p.hold.until; !until.IsZero() {
		v.reason += " until " + until.In(p.now.Location()).Format("15:04")
	}
	return v
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
		h = &hold{of: s.Shown().String()}
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
	if q.pause.paused {
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

func (q *quiet) restore(pause *memory.Hold, muted map[string]memory.Hold) {
	if pause != nil {
		q.pause = restoreHold(*pause)
	}
	for id, h := range muted {
		q.muted[id] = new(restoreHold(h))
	}
}

func (q *quiet) clone() *quiet {
	c := &quiet{pause: q.pause.clone(), muted: make(map[string]*hold)}
	for id, h := range q.muted {
		c.muted[id] = new(h.clone())
	}
	return c
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

// due ends the pauses that are over, and returns what to show of them.
func (q *quiet) due(now time.Time) (told []notify.Notification) {
	for id, h := range q.muted {
		if h.expired(now) {
			delete(q.muted, id)
			if n, ok := h.resume(); ok {
				told = append(told, n)
			}
		}
	}
	return told
}

// next is when a pause ends; zero: none does by itself.
func (q *quiet) next() time.Time {
	next := q.pause.until
	for _, h := range q.muted {
		next = earlier(next, h.until)
	}
	return next
}
