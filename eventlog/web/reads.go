package web

import (
	"net/http"

	"sigalert/internal/words"
)

// Reads knows which events somebody has read. Its methods do not wait. When what Unread
// returns has changed, [eventlog.Log.Touch] must be called.
type Reads interface {
	Unread() int
	// MarkRead marks all events up to now as read.
	MarkRead()
}

// unread is how many events are new, in words; "": none are.
func (h *Handler) unread() string {
	if h.opts.Reads == nil || h.opts.Reads.Unread() == 0 {
		return ""
	}
	return words.Count(h.opts.Reads.Unread(), "new alert")
}

// opened marks all as read, as somebody sees the page.
func (h *Handler) opened(r *http.Request) {
	if h.opts.Reads != nil && r.Method == http.MethodGet && !ahead(r) {
		h.opts.Reads.MarkRead()
	}
}

func (h *Handler) markRead(*http.Request) answer {
	n := h.opts.Reads.Unread()
	h.opts.Reads.MarkRead()
	return done("marked %s as read", words.Count(n, "alert"))
}
