package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sigalert/eventlog"
	"sigalert/internal/age"
	"sigalert/internal/outcome"
	"sigalert/internal/topic"
	"sigalert/sig"
)

// readForm reads the parameters, from the address and from a form. An unknown name
// is an error: the one that was meant is missing then, which may mean every sender
// or event.
func readForm(r *http.Request, known ...string) error {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "" && kind != "application/x-www-form-urlencoded" {
		return fmt.Errorf("send the parameters as a form (application/x-www-form-urlencoded), not as %q", kind)
	}
	if err := r.ParseForm(); err != nil {
		return fmt.Errorf("cannot read the parameters: %w", err)
	}
	for name, values := range r.Form {
		switch {
		case name == "token" || name == "key": // see guard
		case !slices.Contains(known, name):
			return fmt.Errorf("unknown parameter %q%s", name, insteadOf(known))
		case len(values) > 1:
			return fmt.Errorf("the parameter %s is given twice", name)
		case !utf8.ValidString(values[0]):
			return fmt.Errorf("the parameter %s is not UTF-8", name)
		}
	}
	return nil
}

func insteadOf(known []string) string {
	if len(known) == 0 {
		return ": this address takes none"
	}
	return ": this address takes " + strings.Join(known, ", ")
}

// only lets through requests with these parameters.
func only(next http.HandlerFunc, known ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := readForm(r, known...); err != nil {
			fail(w, r, http.StatusBadRequest, err.Error())
			return
		}
		next(w, r)
	}
}

// format is the parameter fmt.
func format(r *http.Request) (plainText bool, err error) {
	switch f := r.FormValue("fmt"); f {
	case "", "html":
		return false, nil
	case "plain":
		return true, nil
	default:
		return false, fmt.Errorf("fmt: must be html or plain, not %q", f)
	}
}

// askedTopics are what the parameters sender and event may mean; one that is missing
// means every one.
func askedTopics(r *http.Request) []eventlog.Topic {
	return topic.Meant(r.FormValue("sender"), r.FormValue("event"))
}

// word is a name as a parameter: as it is, or in quotes where it would mean another
// then, or another as well.
func word(n sig.Name) string {
	w := n.String()
	if meanings := topic.Meanings(w); meanings[len(meanings)-1] == n {
		return w
	}
	return string(n.JSON())
}

// query reads the parameters of what shows events.
func query(r *http.Request) (q eventlog.Query, err error) {
	q = eventlog.Query{Sender: r.FormValue("sender"), Event: r.FormValue("event"), Text: r.FormValue("q")}
	ok := false
	if q.Outcome, ok = outcome.Parse(r.FormValue("outcome")); !ok {
		return q, fmt.Errorf(`outcome: must be "shown", "held back" or "not shown", not %q`, r.FormValue("outcome"))
	}
	if q.Before, err = number(r, "before"); err != nil {
		return q, err
	}
	limit, err := number(r, "limit")
	if err != nil {
		return q, err
	}
	if limit > eventlog.MaxEvents {
		return q, fmt.Errorf("limit: at most %d, not %d", eventlog.MaxEvents, limit)
	}
	q.Limit = int(limit)
	return q, since(r, &q)
}

// number is a parameter; 0 if it is missing.
func number(r *http.Request, name string) (uint64, error) {
	text := r.FormValue(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: must be a whole number, not %q", name, text)
	}
	return n, nil
}

// since is an event's number, a time, or how long ago that is.
func since(r *http.Request, q *eventlog.Query) error {
	text := r.FormValue("since")
	if text == "" {
		return nil
	}
	if id, err := strconv.ParseUint(text, 10, 64); err == nil {
		q.After = id
		return nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		q.Since = t
		return nil
	}
	if d, err := age.Span(text); err == nil && d > 0 {
		q.Since = time.Now().Add(-d)
		return nil
	}
	return fmt.Errorf("since: must be an event's number, a time like 2006-01-02T15:04:05Z, or how long ago, like 10m or 1d, not %q", text)
}
