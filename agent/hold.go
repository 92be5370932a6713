package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/internal/words"
)

// hold keeps notifications back during a pause, of the agent or of a subscription.
type hold struct {
	of     string // the subscription that is paused; "": the agent
	paused bool
	until  time.Time // zero: until resumed
	count  int
	last   []held // of those that count counts, oldest first
}

// held is what is known of a notification that is held back.
type held struct{ title, key string }

const (
	heldTitles = 5   // that are named
	maxHeld    = 256 // that can be taken back
)

// keep reports whether the notification was held back.
func (h *hold) keep(n notify.Notification) bool {
	if !h.paused {
		return false
	}
	n = n.Cut()
	h.count++
	if h.last = append(h.last, held{n.Title, n.Key}); len(h.last) > maxHeld {
		h.last = h.last[1:]
	}
	return true
}

// takeBack forgets the notifications with a key.
func (h *hold) takeBack(key string) {
	before := len(h.last)
	h.last = slices.DeleteFunc(h.last, func(n held) bool { return n.key == key })
	h.count -= before - len(h.last)
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
	named := was.last[max(0, len(was.last)-heldTitles):]
	var lines []string
	if more := was.count - len(named); more > 0 {
		lines = append(lines, fmt.Sprintf("%d earlier, then:", more))
	}
	for _, n := range named {
		lines = append(lines, n.title)
	}
	title := words.Count(was.count, "alert") + " while paused"
	if was.of != "" {
		title += ": " + was.of
	}
	return notify.Notification{Title: title, Body: strings.Join(lines, "\n")}, true
}

func (h *hold) clone() hold {
	c := *h
	c.last = slices.Clone(h.last)
	return c
}

// state is the pause as it is remembered.
func (h *hold) state() memory.Hold {
	s := memory.Hold{Of: h.of, Until: h.until.Round(0), Count: h.count}
	for _, n := range h.last {
		s.Last = append(s.Last, memory.Held{Title: n.title, Key: n.key})
	}
	return s
}

// restoreHold is the pause that state was called on.
func restoreHold(s memory.Hold) hold {
	h := hold{of: s.Of, paused: true, until: s.Until, count: s.Count}
	for _, n := range s.Last {
		h.last = append(h.last, held{n.Title, n.Key})
	}
	return h
}

// expired reports whether a pause with an end is over.
func (h *hold) expired(now time.Time) bool {
	return h.paused && !h.until.IsZero() && !now.Before(h.until)
}
