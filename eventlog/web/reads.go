package web

import (
	"net/http"
	"slices"

	"sigalert/eventlog"
	"sigalert/internal/words"
)

// Reads knows which events somebody has read. Its methods do not wait. When what Unread
// returns has changed, [eventlog.Log.Touch] must be called.
type Reads interface {
	// Unread are the events that nobody has read.
	Unread() []eventlog.EventID
	// MarkRead marks an event as read, if nobody has read it, and MarkAllRead all up to
	// now.
	MarkRead(eventlog.EventID)
	MarkAllRead()
}

// unread are the events that nobody has read, if anybody counts them.
func (h *Handler) unread() []eventlog.EventID {
	if h.opts.Reads == nil {
		return nil
	}
	return h.opts.Reads.Unread()
}

// markRead marks the event with the number id as read, or all if there is none.
func (h *Handler) markRead(r *http.Request) answer {
	unread := h.unread()
	if r.FormValue("id") == "" {
		h.opts.Reads.MarkAllRead()
		return done("marked %s as read", words.Count(len(unread), "alert"))
	}
	id, err := number(r, "id")
	if err != nil {
		return failed(http.StatusBadRequest, "%v", err)
	}
	e, ok, err := h.log.Event(id)
	switch {
	case err != nil:
		return failed(http.StatusInternalServerError, "cannot read the log: %v", err)
	case !ok:
		return failed(http.StatusNotFound, "there is no event %d", id)
	case !slices.Contains(unread, e.EventID()):
		return done("it is read already")
	}
	h.opts.Reads.MarkRead(e.EventID())
	return done("marked as read")
}
