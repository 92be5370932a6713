package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"sigalert/eventlog"
	"sigalert/internal/age"
	"sigalert/internal/origin"
	"sigalert/internal/words"
	"sigalert/sig"
)

// addWait is how long a server may take to answer a subscription.
const addWait = 5 * time.Second

// answer is the outcome of a change.
type answer struct {
	status int
	text   string
	json   any // instead of text, unless something failed; nil: none
}

func failed(status int, format string, args ...any) answer {
	return answer{status: status, text: fmt.Sprintf(format, args...)}
}

func done(format string, args ...any) answer {
	return answer{status: http.StatusOK, text: fmt.Sprintf(format, args...)}
}

// change runs f unless another site asks for it or there are parameters other
// than these, and answers in the form that was asked for.
func (h *Handler) change(f func(*http.Request) answer, parameters ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var a answer
		switch err := readForm(r, parameters...); {
		case r.Method == http.MethodHead: // the mux takes it for GET
			w.Header().Set("Allow", "GET, POST")
			a = failed(http.StatusMethodNotAllowed, "HEAD changes nothing")
		case ahead(r):
			a = failed(http.StatusForbidden, "refused: the browser is only prefetching this address")
		case origin.CrossSite(r):
			a = failed(http.StatusForbidden, "refused: the request comes from another site's page")
		case untold(r) && !h.proven(r): // a session is every page's of this browser
			a = failed(http.StatusForbidden, "refused: the request may come from another site's page: use POST, or add the token")
		case err != nil:
			a = failed(http.StatusBadRequest, "%v", err)
		default:
			a = f(r)
		}
		switch {
		case a.json != nil && a.status < 300 && !formOf(r):
			writeJSON(w, a.status, a.json)
		case formOf(r) && a.status < 300:
			toPage(w, nil)
		case formOf(r):
			h.render(w, r, a.status, "problem", map[string]any{"Title": h.opts.Title, "Text": a.text})
		case a.status >= 300:
			fail(w, r, a.status, a.text)
		case wantsJSON(r):
			writeJSON(w, a.status, map[string]string{"text": a.text})
		default:
			say(w, a.status, a.text)
		}
	}
}

func (h *Handler) clear(*http.Request) answer {
	n, err := h.log.Clear()
	if err != nil {
		return failed(http.StatusInternalServerError, "cannot clear the log: %v", err)
	}
	return done("cleared %s", words.Count(n, "event"))
}

// config changes the limits if asked to, and answers with the configuration.
func (h *Handler) config(r *http.Request) answer {
	if h.opts.Editor == nil && r.FormValue("limit")+r.FormValue("age") != "" {
		return failed(http.StatusForbidden, "%s", h.opts.Fixed)
	}
	limits := h.log.Limits()
	was := limits
	if text := r.FormValue("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > eventlog.MaxLimit {
			return failed(http.StatusBadRequest, "limit: must be a whole number from 1 to %d, not %q", eventlog.MaxLimit, text)
		}
		limits.Count = n
	}
	if text := r.FormValue("age"); text != "" {
		d, err := age.Parse(text)
		if err != nil {
			return failed(http.StatusBadRequest, "age: %v", err)
		}
		limits.Age = d
	}
	if limits != was {
		if err := h.log.SetLimits(limits); err != nil {
			return failed(http.StatusInternalServerError, "cannot change the limits: %v", err)
		}
	}
	return answer{status: http.StatusOK, json: h.configuration()}
}

type configuration struct {
	Server        string         `json:"server"`
	Connected     bool           `json:"connected"`
	Limit         int            `json:"limit"`
	Age           string         `json:"age"`
	Events        int            `json:"events"`
	Subscriptions []subscription `json:"subscriptions"`
}

type subscription struct {
	Sender sig.Name `json:"sender"` // null: every one
	Event  sig.Name `json:"event"`
	Status string   `json:"status"`
	Error  string   `json:"error,omitempty"`
}

func (h *Handler) configuration() configuration {
	limits := h.log.Limits()
	c := configuration{
		Server:        h.opts.Source.Server(),
		Connected:     h.opts.Source.Link().Connected,
		Limit:         limits.Count,
		Age:           age.Text(limits.Age),
		Events:        h.log.State().Count(),
		Subscriptions: []subscription{},
	}
	for _, s := range h.opts.Source.Subscriptions() {
		one := subscription{Sender: s.Sender, Event: s.Event, Status: s.Status.String()}
		if s.Err != nil {
			one.Error = s.Err.Error()
		}
		c.Subscriptions = append(c.Subscriptions, one)
	}
	return c
}

func (h *Handler) add(r *http.Request) answer {
	if h.opts.Editor == nil {
		return failed(http.StatusForbidden, "%s", h.opts.Fixed)
	}
	ctx, cancel := context.WithTimeout(r.Context(), addWait)
	defer cancel()
	return forAll(askedTopics(r), func(t eventlog.Topic) answer { return h.addOne(ctx, t) })
}

// forAll does something for each topic that is meant. It has worked if it has for
// one: that others cannot be is of no interest.
func forAll(topics []eventlog.Topic, do func(eventlog.Topic) answer) (all answer) {
	for i, t := range topics {
		switch a := do(t); {
		case i == 0, a.status < 300 && all.status >= 300:
			all = a
		case a.status < 300:
			all = answer{status: max(a.status, all.status), text: all.text + "; " + a.text}
		}
	}
	return all
}

func (h *Handler) addOne(ctx context.Context, t eventlog.Topic) answer {
	if strings.ContainsFunc(t.Sender.String()+t.Event.String(), unicode.IsControl) { // no form could name it in order to remove it
		return failed(http.StatusBadRequest, "not subscribed to %s: a name with a control character cannot be subscribed to here", t)
	}
	sub, err := h.opts.Editor.Add(ctx, t)
	already := ""
	if errors.Is(err, eventlog.ErrSubscribed) {
		already = "already "
		sub, err = h.subscribed(t)
	}
	switch {
	case errors.Is(err, sig.ErrNotOffered) && already != "":
		return failed(http.StatusConflict, "already subscribed to %s, but the sender is connected and does not offer this event", t)
	case errors.Is(err, sig.ErrNotOffered):
		return failed(http.StatusConflict, "not subscribed to %s: the sender is connected and does not offer this event", t)
	case errors.Is(err, eventlog.ErrFull):
		return failed(http.StatusConflict, "not subscribed to %s: %v", t, err)
	case errors.Is(err, eventlog.ErrNotKept):
		return failed(http.StatusInternalServerError, "not subscribed to %s: %v", t, err)
	case errors.Is(err, sig.ErrTooLarge):
		return failed(http.StatusBadRequest, "not subscribed to %s: %v", t, err)
	case err != nil:
		return failed(http.StatusBadGateway, "not subscribed to %s: %v", t, err)
	case sub.Status == sig.Pending:
		return answer{status: http.StatusAccepted, text: fmt.Sprintf("%ssubscribed to %s, waiting for the server %s to answer", already, t, h.opts.Source.Server())}
	}
	return done("%ssubscribed to %s", already, t)
}

// subscribed is how a subscription stands; the error is that of a refused one.
func (h *Handler) subscribed(t eventlog.Topic) (eventlog.Subscription, error) {
	for _, sub := range h.opts.Source.Subscriptions() {
		if sub.Sender.Equal(t.Sender) && sub.Event.Equal(t.Event) {
			return sub, sub.Err
		}
	}
	return eventlog.Subscription{}, eventlog.ErrNoSubscription // it has been removed meanwhile
}

func (h *Handler) remove(r *http.Request) answer {
	if h.opts.Editor == nil {
		return failed(http.StatusForbidden, "%s", h.opts.Fixed)
	}
	return forAll(askedTopics(r), h.removeOne)
}

func (h *Handler) removeOne(t eventlog.Topic) answer {
	switch err := h.opts.Editor.Remove(t); {
	case errors.Is(err, eventlog.ErrNoSubscription):
		return failed(http.StatusNotFound, "there is no subscription to %s: /regs lists those that exist", t)
	case err != nil:
		return failed(http.StatusInternalServerError, "removed, but only until the next start: %v", err)
	}
	return done("removed the subscription to %s", t)
}
