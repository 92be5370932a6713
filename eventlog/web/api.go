package web

import (
	"fmt"
	"net/http"
	"strconv"

	"sigalert/eventlog"
)

// found is a page of events, newest first.
type found struct {
	Events []eventlog.Entry `json:"events"`
	// Next is the parameter before of the next page; none on the last.
	Next uint64 `json:"next,omitempty"`
}

func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	q, err := query(r)
	if err != nil {
		fail(w, r, http.StatusBadRequest, err.Error())
		return
	}
	result, err := h.log.Events(r.Context(), q)
	if err != nil {
		h.cannotRead(w, r, err)
		return
	}
	f := found{Events: result.Entries}
	if f.Events == nil {
		f.Events = []eventlog.Entry{}
	}
	if result.More {
		f.Next = result.Last
	}
	writeJSON(w, http.StatusOK, f)
}

func (h *Handler) event(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		fail(w, r, http.StatusBadRequest, fmt.Sprintf("the address must end in an event's number, not %q", r.PathValue("id")))
		return
	}
	e, ok, err := h.log.Event(id)
	switch {
	case err != nil:
		h.cannotRead(w, r, err)
	case !ok:
		fail(w, r, http.StatusNotFound, "the log has no event with this number, or no longer has it")
	default:
		writeJSON(w, http.StatusOK, e)
	}
}
