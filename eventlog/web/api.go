package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"sigalert/eventlog"
	"sigalert/sig"
)

// event is an entry as JSON.
type event struct {
	ID      uint64          `json:"id"`
	Time    time.Time       `json:"time"`
	Sender  sig.Name        `json:"sender"`
	Event   sig.Name        `json:"event"`
	Data    json.RawMessage `json:"data"`
	Outcome string          `json:"outcome,omitempty"`
	Why     string          `json:"why,omitempty"`
}

func newEvent(e eventlog.Entry) event {
	data := json.RawMessage("null")
	if len(e.Data) > 0 {
		if text, err := sig.JSONData(e.Data).JSON(); err == nil { // else it was damaged in the log's file
			data = text
		}
	}
	return event{e.ID, e.Time.UTC(), e.Sender, e.Event, data, e.Outcome.String(), e.Why}
}

// found is a page of events, newest first.
type found struct {
	Events []event `json:"events"`
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
	f := found{Events: make([]event, len(result.Entries))}
	for i, e := range result.Entries {
		f.Events[i] = newEvent(e)
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
		writeJSON(w, http.StatusOK, newEvent(e))
	}
}
