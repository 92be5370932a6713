package agent

import (
	"fmt"
	"time"

	"sigalert/agent/notify"
	"sigalert/internal/words"
	"sigalert/sig"
)

const (
	floodLimit  = 5               // notifications
	floodWindow = 2 * time.Second // within this time
	floodUpdate = time.Second     // how often the count is updated
	maxCounted  = 1000            // senders that are counted separately
)

// limiter lets at most 5 notifications through in 2 s. The rest become one
// notification that counts them, and is replaced as the count grows.
type limiter struct {
	shown   []time.Time // within the window, oldest first
	senders map[sig.Name]int
	count   int
	last    string    // what the last one was
	lastAt  time.Time // when the flood last grew
	due     time.Time // when the count is to be shown; zero: there is nothing new
	floods  int       // gives each flood a notification of its own
}

// admit reports whether an event is to be shown; otherwise it is counted.
// Critical ones are never held back.
func (l *limiter) admit(now time.Time, ev sig.Event, urgency notify.Urgency) bool {
	if urgency == notify.Critical {
		return true
	}
	for len(l.shown) > 0 && now.Sub(l.shown[0]) >= floodWindow {
		l.shown = l.shown[1:]
	}
	if len(l.shown) < floodLimit {
		l.shown = append(l.shown, now)
		return true
	}
	if now.Sub(l.lastAt) >= floodWindow {
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
		Key:   fmt.Sprintf("flood-%d", l.floods),
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

// next is when summary has something to say; zero: never.
func (l *limiter) next() time.Time { return l.due }
