package agent

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/words"
)

// floodUpdate is how often a count is updated.
const floodUpdate = time.Second

// window is what was shown within the time of a rate.
type window struct {
	rate  config.Rate
	shown []time.Time // oldest first
}

// room reports whether the rate allows another one now.
func (w *window) room(now time.Time) bool {
	for len(w.shown) > 0 && now.Sub(w.shown[0]) >= w.rate.Within {
		w.shown = w.shown[1:]
	}
	return len(w.shown) < w.rate.Count
}

func (w *window) take(now time.Time) { w.shown = append(w.shown, now) }

// why says why something is held back for which there is no room.
func (w *window) why() string {
	return fmt.Sprintf("more than %s in %s, merged into one", words.Count(w.rate.Count, "alert"), words.Span(w.rate.Within))
}

func (w *window) clone() window { return window{w.rate, slices.Clone(w.shown)} }

// limiter lets through at most as many notifications as its rate allows. The rest become
// one notification that counts them, and is replaced as the count grows.
type limiter struct {
	window
	key     string // of its notifications
	senders map[source]int
	count   int
	last    string    // what the last one was
	ref     uint64    // of it
	lastAt  time.Time // when the flood last grew
	due     time.Time // when the count is to be shown; zero: there is nothing new
	began   int64     // the flood, in milliseconds; it gives each a notification of its own
}

// admit reports whether an event is to be shown; otherwise it is counted.
func (l *limiter) admit(p *passage) bool {
	now := p.now
	if l.room(now) {
		l.take(now)
		return true
	}
	if now.Sub(l.lastAt) >= l.rate.Within {
		l.senders, l.count = make(map[source]int), 0
		l.began = now.UnixMilli()
	}
	if len(l.senders) < maxCounted {
		l.senders[p.source()]++
	}
	l.count++
	l.last, l.lastAt = named(p.server, defaultTitle(p.ev)), now
	if l.due.IsZero() {
		l.due = now.Add(floodUpdate)
	}
	return false
}

// summary is the notification that counts, when it is due.
func (l *limiter) summary(now time.Time) (n notify.Notification, ok bool) {
	if l.due.IsZero() || now.Before(l.due) {
		return n, false
	}
	l.due = time.Time{}
	return notify.Notification{
		Title: fmt.Sprintf("%s from %s", words.Count(l.count, "more event"), l.from()),
		Body:  "Last: " + l.last,
		Key:   fmt.Sprintf("%s-%d", l.key, l.began),
		Ref:   l.ref,
	}, true
}

func (l *limiter) from() string {
	if len(l.senders) == 1 {
		for s := range l.senders {
			return s.String()
		}
	}
	return words.Count(len(l.senders), "sender")
}

func (l *limiter) clone() *limiter {
	c := *l
	c.window, c.senders = l.window.clone(), maps.Clone(l.senders)
	return &c
}

// next is when summary has something to say; zero: never.
func (l *limiter) next() time.Time { return l.due }

// rates limit the alerts of each subscription that has a rate of its own.
type rates struct{ of map[string]*limiter } // by the subscription's identity

func (r *rates) judge(p *passage) verdict {
	v := verdict{stage: "rate_limit", line: p.sub.Line}
	if p.sub.RateLimit == (config.Rate{}) {
		return v
	}
	if l := r.of[p.sub.ID()]; l != nil && !l.admit(p) {
		v.decision, v.reason = Held, l.why()
		p.counted = &l.ref
	}
	return v
}

// use replaces the subscriptions, and returns what those have counted that are gone. One
// that stays goes on counting.
func (r *rates) use(subs []config.Subscription) (told []notify.Notification) {
	old := r.of
	r.of = make(map[string]*limiter)
	for _, s := range subs {
		if s.RateLimit == (config.Rate{}) {
			continue
		}
		id := s.ID()
		l := old[id]
		if l == nil {
			l = &limiter{key: "rate " + id}
		}
		l.rate = s.RateLimit
		r.of[id] = l
	}
	for id, l := range old {
		if r.of[id] != nil {
			continue
		}
		if n, ok := l.summary(l.next()); ok {
			told = append(told, n)
		}
	}
	return told
}
