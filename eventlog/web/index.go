package web

import (
	"bufio"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"sigalert/eventlog"
	"sigalert/internal/zone"
)

// usualServer is where senders look for a server by default.
const usualServer = "127.0.0.1:3000"

// index is the log: as a page, newest first, or as text, all of it.
func (h *Handler) index(w http.ResponseWriter, r *http.Request) {
	asText, err := format(r)
	if err != nil {
		fail(w, r, http.StatusBadRequest, err.Error())
		return
	}
	q, err := query(r)
	if err != nil {
		fail(w, r, http.StatusBadRequest, err.Error())
		return
	}
	if asText {
		h.text(w, r, q)
		return
	}
	now, asked := time.Now().In(zone.Local()), given(r, "sender", "event", "q", "outcome", "since", "limit")
	since := h.log.State().Last
	found, err := h.log.Events(r.Context(), q)
	if err != nil {
		h.cannotRead(w, r, err)
		return
	}
	limits := h.log.Limits()
	p := page{
		Title:    h.opts.Title,
		Asked:    asked,
		Before:   q.Before > 0,
		Filtered: q.Sender+q.Event+q.Text+asked.Get("outcome")+asked.Get("since") != "",
		Newest:   address(asked, "before", ""),
		Log:      h.list(now, asked, found),
		Side:     h.side(),
		Outcomes: h.outcomes(q.Outcome),
		Limit:    limits.Count,
		MaxLimit: eventlog.MaxLimit,
		Ages:     ages(limits.Age),
		Editable: h.opts.Editor != nil,
		Fixed:    h.opts.Fixed,
		Since:    since,
	}
	if server := h.opts.Source.Server(); server != usualServer {
		p.Elsewhere = server
	}
	p.Senders, p.Events = h.names(found.Entries)
	h.render(w, r, http.StatusOK, "page", p)
}

func (h *Handler) cannotRead(w http.ResponseWriter, r *http.Request, err error) {
	h.logger.Error("cannot read the log", "err", err)
	fail(w, r, http.StatusInternalServerError, "cannot read the log: "+err.Error())
}

// names are proposals for the filters.
func (h *Handler) names(entries []eventlog.Entry) (senders, events []string) {
	s, e := make(map[string]bool), make(map[string]bool)
	for _, one := range h.log.LastHour(maxNames) {
		s[word(one.Sender)] = true
	}
	for _, one := range entries {
		s[word(one.Sender)] = true
		e[word(one.Event)] = true
	}
	for _, one := range h.opts.Source.Subscriptions() {
		s[word(one.Sender)] = true
		e[word(one.Event)] = true
	}
	delete(s, "")
	delete(e, "")
	senders, events = slices.Sorted(maps.Keys(s)), slices.Sorted(maps.Keys(e))
	return senders[:min(maxNames, len(senders))], events[:min(maxNames, len(events))]
}

// text writes all that the query finds, whatever its limit, unless it has one.
func (h *Handler) text(w http.ResponseWriter, r *http.Request, q eventlog.Query) {
	out := bufio.NewWriter(w)
	all := q.Limit == 0
	if all {
		q.Limit = eventlog.MaxEvents
	}
	here := zone.Local()
	for begun := false; ; begun = true {
		found, err := h.log.Events(r.Context(), q)
		switch {
		case err != nil && !begun:
			h.cannotRead(w, r, err)
			return
		case err != nil:
			h.logger.Error("cannot read the log", "err", err)
			panic(http.ErrAbortHandler) // what was sent must not seem complete
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		for _, e := range found.Entries {
			if _, err := fmt.Fprintln(out, line(here, e)); err != nil {
				return
			}
		}
		if !all || !found.More {
			break
		}
		q.Before = found.Last
	}
	_ = out.Flush() // a client that does not take it has gone
}

// registrations are the subscriptions.
func (h *Handler) registrations(w http.ResponseWriter, r *http.Request) {
	asText, err := format(r)
	if err != nil {
		fail(w, r, http.StatusBadRequest, err.Error())
		return
	}
	if !asText {
		h.render(w, r, http.StatusOK, "registrations", page{
			Title: h.opts.Title, Side: h.side(), Editable: h.opts.Editor != nil, Fixed: h.opts.Fixed,
		})
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, s := range h.opts.Source.Subscriptions() {
		fmt.Fprintf(w, "%s (%s)\n", s.Topic, newTopicRow(s).State)
	}
}
