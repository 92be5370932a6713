package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/internal/plain"
	"sigalert/internal/words"
)

// hold keeps notifications back while it is quiet, for all or for one subscription, and
// makes a digest of them. If it is for all, what paused and until say is only about the
// pause.
type hold struct {
	of     string // the subscription that is paused; "": all
	paused bool
	until  time.Time // zero: until resumed

	while string // it was quiet, for people; "": a pause
	count int
	last  []held         // of those that count counts, oldest first
	names map[string]int // how many of each; of those that are too many to tell apart, under ""
	ref   uint64         // of the last alert, to which a click on the digest leads; 0: there is none
}

// held is what is known of a notification that is held back.
type held struct {
	name string // of the line in which the digest counts it
	text string
	key  string
}

const (
	heldLines = 8   // of a digest
	maxHeld   = 256 // that can be taken back
	maxNames  = 1000
	heldName  = 80 // characters
	heldText  = 60 // characters
)

// Why it was quiet.
const (
	whilePaused = "while paused"
	whileQuiet  = "while it was quiet"
)

// heldAlert is an event's notification, of which the digest has the sender and the
// event, and what is particular to it.
func heldAlert(p *passage) held {
	h := held{name: named(p.server, defaultTitle(p.ev)), text: p.alert.Title, key: p.alert.Key}
	if h.text == defaultTitle(p.ev) {
		h.text = p.alert.Body
	}
	return h
}

// keep counts a notification that is held back.
func (h *hold) keep(n held, while string) {
	n.name, n.text, n.key = plain.Line(n.name, heldName), plain.Line(strings.TrimSpace(n.text), heldText), notify.ShortKey(n.key)
	if h.names == nil {
		h.names = make(map[string]int)
	}
	if h.names[n.name] == 0 && len(h.names) >= maxNames {
		n.name = ""
	}
	h.names[n.name]++
	switch {
	case h.count == 0:
		h.while = while
	case h.while != while:
		h.while = whileQuiet
	}
	h.count++
	if h.last = append(h.last, n); len(h.last) > maxHeld {
		h.last = h.last[1:]
	}
}

// takeBack forgets the notifications with a key.
func (h *hold) takeBack(key string) {
	if key == "" {
		return
	}
	h.last = slices.DeleteFunc(h.last, func(n held) bool {
		if n.key != key {
			return false
		}
		h.count--
		if h.names[n.name]--; h.names[n.name] == 0 {
			delete(h.names, n.name)
		}
		return true
	})
}

// pause begins a pause or changes its end, which is by the wall clock, as people read it
// and the machine may sleep; what is held stays held.
func (h *hold) pause(until time.Time) { h.paused, h.until = true, until.Round(0) }

// resume ends the pause; the notification says what was held back, if anything.
func (h *hold) resume() (n notify.Notification, ok bool) {
	was := *h
	*h = hold{}
	if was.count == 0 {
		return n, false
	}
	title := words.Count(was.count, "alert") + " " + was.while
	if was.of != "" {
		title += ": " + was.of
	}
	return notify.Notification{Title: title, Body: strings.Join(was.lines(), "\n"), Ref: was.ref}, true
}

// lines are the digest: "backup: done ×3 (last: 4 files)", the newest first.
func (h *hold) lines() (lines []string) {
	rest := maps.Clone(h.names)
	more := h.count
	for _, n := range slices.Backward(h.last) {
		count := rest[n.name]
		if count == 0 || n.name == "" {
			continue
		}
		if len(lines) == heldLines {
			break
		}
		delete(rest, n.name)
		more -= count
		lines = append(lines, digestLine(n.name, count, n.text))
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %s", words.Count(more, "other")))
	}
	return lines
}

func digestLine(name string, count int, last string) string {
	switch {
	case count > 1 && last != "":
		return fmt.Sprintf("%s ×%d (last: %s)", name, count, last)
	case count > 1:
		return fmt.Sprintf("%s ×%d", name, count)
	case last != "":
		return fmt.Sprintf("%s (%s)", name, last)
	}
	return name
}

func (h *hold) clone() hold {
	c := *h
	c.last, c.names = slices.Clone(h.last), maps.Clone(h.names)
	return c
}

// state is what of it is remembered.
func (h *hold) state() memory.Hold {
	s := memory.Hold{Of: h.of, Paused: h.paused, Until: h.until, While: h.while, Count: h.count, Names: maps.Clone(h.names), Ref: h.ref}
	for _, n := range h.last {
		s.Last = append(s.Last, memory.Held{Name: n.name, Text: n.text, Key: n.key})
	}
	return s
}

// restoreHold is the hold that state was called on.
func restoreHold(s memory.Hold) hold {
	h := hold{of: s.Of, paused: s.Paused, until: s.Until, while: s.While, count: max(0, s.Count), names: s.Names, ref: s.Ref}
	if h.names == nil {
		h.names = make(map[string]int) // takeBack relies on it
	}
	for _, n := range s.Last {
		h.last = append(h.last, held{n.Name, n.Text, n.Key})
	}
	return h
}

// expired reports whether a pause with an end is over.
func (h *hold) expired(now time.Time) bool {
	return h.paused && !h.until.IsZero() && !now.Before(h.until)
}
