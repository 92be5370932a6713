package agent

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/words"
	"sigalert/sig"
)

// flood is the rate of all alerts.
var flood = config.Rate{Count: 5, Within: 2 * time.Second}

const (
	floodUpdate = time.Second // how often the count is updated
	maxCounted  = 1000        // senders that are counted separately
)

// limiter lets through at most as many notifications as its rate allows. The rest become
// one notification that counts them, and is replaced as the count grows.
type limiter struct {
	rate config.Rate
	key  string // of its notifications

	shown   []time.Time // within the window, oldest first
	senders map[sig.Name]int
	count   int
	last    string    // what the last one was
	lastAt  time.Time // when the flood last grew
	due     time.Time // when the count is to be shown; zero: there is nothing new
	floods  int       // gives each flood a notification of its own
}

// admit reports whether an event is to be shown; otherwise it is counted.
func (l *limiter) admit(now time.Time, ev sig.Event) bool {
	for len(l.shown) > 0 && now.Sub(l.shown[0]) >= l.rate.Within {
		l.shown = l.shown[1:]
	}
	if len(l.shown) < l.rate.Count {
		l.shown = append(l.shown, now)
		return true
	}
	if now.Sub(l.lastAt) >= l.rate.Within {
		l.senders, l.count = make(map[sig.Name]int), 0
		l.floods++
	}
	if len(l.senders) < maxCounted {
		l.senders[ev.Sender]++
	}
	l.count++
	l.last, l.lastAt = defaultTitle(ev), now
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
		Key:   fmt.Sprintf("%s-%d", l.key, l.floods),
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

// why says why it has held an alert back.
func (l *limiter) why() string {
	return fmt.Sprintf("more than %s in %s, merged into one", words.Count(l.rate.Count, "alert"), words.Span(l.rate.Within))
}

func (l *limiter) clone() *limiter {
	c := *l
	c.shown, c.senders = slices.Clone(l.shown), maps.Clone(l.senders)
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
	if l := r.of[p.sub.ID()]; l != nil && !l.admit(p.now, p.ev) {
		v.decision, v.reason = Held, l.why()
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

// floods holds alerts back whatever their subscriptions say, so that there are never
// too many at once. Critical ones are not held back.
type floods struct{ *limiter }

func newFloods() floods { return floods{&limiter{rate: flood, key: "flood"}} }

func (f floods) judge(p *passage) verdict {
	v := verdict{stage: "limit"}
	if urgency(p.said) != notify.Critical && !f.admit(p.now, p.ev) {
		v.decision, v.reason = Held, f.why()
	}
	return v
}
