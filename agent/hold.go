package agent

import (
	"fmt"
	"strings"
	"time"

	"sigalert/agent/notify"
	"sigalert/internal/words"
)

// hold keeps notifications back during a pause, of the agent or of a subscription.
type hold struct {
	of     string // the subscription that is paused; "": the agent
	paused bool
	until  time.Time // zero: until resumed
	count  int
	titles []string // the last few
}

const heldTitles = 5

// keep reports whether the notification was held back.
func (h *hold) keep(n notify.Notification) bool {
	if !h.paused {
		return false
	}
	h.count++
	if h.titles = append(h.titles, n.Title); len(h.titles) > heldTitles {
		h.titles = h.titles[1:]
	}
	return true
}

// pause begins a pause or changes its end; what is held stays held.
func (h *hold) pause(until time.Time) { h.paused, h.until = true, until }

// resume ends the pause; the notification says what was held back, if anything.
func (h *hold) resume() (n notify.Notification, ok bool) {
	was := *h
	*h = hold{}
	if was.count == 0 {
		return n, false
	}
	body := strings.Join(was.titles, "\n")
	if more := was.count - len(was.titles); more > 0 {
		body = fmt.Sprintf("%d earlier, then:\n%s", more, body)
	}
	title := words.Count(was.count, "alert") + " while paused"
	if was.of != "" {
		title += ": " + was.of
	}
	return notify.Notification{Title: title, Body: body}, true
}

// expired reports whether a pause with an end is over.
func (h *hold) expired(now time.Time) bool {
	return h.paused && !h.until.IsZero() && !now.Before(h.until)
}
