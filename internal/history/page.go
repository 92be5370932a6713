package history

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/internal/outcome"
	"sigalert/internal/topic"
	"sigalert/internal/wait"
	"sigalert/sig"
)

// page shows a log at one address until stop is called.
type page struct {
	config  *config.History
	handler *web.Handler
	url     string
	stop    func()
	ended   chan error // holds why it has ended
}

// isFor reports whether it is the page that c asks for: the limits are the
// log's.
func (p *page) isFor(c *config.History) bool {
	same := *p.config
	same.MaxEntries, same.Retention = c.MaxEntries, c.Retention
	return same.Equal(c)
}

// show serves the page that c asks for, unless it is served already.
func (h *History) show(ctx context.Context, log *eventlog.Log, c *config.History) (url string, err error) {
	if p := h.page; p != nil {
		select {
		case err := <-p.ended:
			h.hide()
			return "", err
		default:
		}
		if p.isFor(c) {
			return p.url, nil
		}
		h.hide()
	}
	handler, err := web.New(log, web.Options{
		Title:      "sigalert history",
		Source:     source{h.agent},
		Fixed:      "The subscriptions and limits come from " + h.opts.Config + ": a change there takes effect within a second.",
		Reads:      source{h.agent},
		Token:      c.Token,
		Private:    true,
		Hosts:      c.AllowedHosts,
		HostAdvice: "use the machine's address, or add it to history.allowed_hosts in the agent's configuration", // not where that is: anybody may ask
		Logger:     h.opts.Logger,
	})
	if err != nil {
		return "", err
	}
	listener, err := web.Listen(c.Listen)
	if err != nil {
		return "", fmt.Errorf("%w: choose another history.listen in %s", err, h.opts.Config)
	}
	p := &page{config: c, handler: handler, url: web.URL(listener.Addr()), ended: make(chan error, 1)}
	p.stop = wait.Start(ctx, func(ctx context.Context) {
		p.ended <- handler.Serve(ctx, listener)
		h.wake.Raise()
	})
	h.opts.Logger.Info("history", "url", p.url)
	h.use(p)
	return p.url, nil
}

func (h *History) hide() {
	if h.page != nil {
		h.page.stop()
		h.use(nil)
	}
}

// use is called by Run alone, which therefore reads page without the lock.
func (h *History) use(p *page) {
	h.mu.Lock()
	h.page = p
	h.mu.Unlock()
	h.opts.Changed()
}

// Shown reports whether there is a page.
func (h *History) Shown() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.page != nil
}

// Coming reports whether there is no page yet, but perhaps soon: the configuration has
// yet to be read, or asks for one.
func (h *History) Coming() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.page == nil && (!h.configured || h.config != nil)
}

// Link is an address that opens the page once within a minute; "": there is no
// page.
func (h *History) Link() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.page == nil {
		return ""
	}
	return h.page.url + "?key=" + h.page.handler.Key()
}

// LinkTo is Link to an alert, and to what its sender has sent of the kind since; or, if it
// was held back, to all that was.
func (h *History) LinkTo(ev sig.Event, held bool) string {
	link := h.Link()
	switch {
	case link == "":
		return ""
	case held:
		return link + "&" + url.Values{"outcome": {outcome.Held.String()}}.Encode()
	}
	at := url.Values{"since": {ev.Time.Add(-time.Second).Format(time.RFC3339)}, "sender": {topic.Name(ev.Sender)}}
	if !ev.Event.IsEvery() {
		at.Set("event", topic.Name(ev.Event))
	}
	return link + "&" + at.Encode()
}

// ErrOff is the error of [History.Entries] while no history is kept.
var ErrOff = errors.New("no history is kept")

// Entries returns the alerts that q asks for.
func (h *History) Entries(ctx context.Context, q eventlog.Query) (eventlog.Result, error) {
	log, _ := h.wanted()
	if log == nil {
		return eventlog.Result{}, ErrOff
	}
	return log.Events(ctx, q)
}

// source shows an agent as the source of its history.
type source struct{ agent Agent }

// Server is where the agent's servers are or, while some cannot be reached, those.
func (s source) Server() string {
	st := s.agent.Status()
	var away []string
	for _, one := range st.Servers {
		if !one.Connected {
			away = append(away, one.Label())
		}
	}
	return cmp.Or(strings.Join(away, ", "), st.Server)
}

func (s source) Unread() (ids []eventlog.EventID) {
	for _, ev := range s.agent.Unread() {
		ids = append(ids, eventlog.IDOf(ev))
	}
	return ids
}

func (s source) MarkAllRead() { s.agent.MarkRead() }

// MarkRead is as if the notification was closed.
func (s source) MarkRead(id eventlog.EventID) {
	for number, ev := range s.agent.Unread() {
		if eventlog.IDOf(ev) == id {
			s.agent.Respond(notify.Response{Ref: uint64(number), Kind: notify.Dismissed})
		}
	}
}

func (s source) Link() sig.LinkStatus {
	st := s.agent.Status()
	link := sig.LinkStatus{Connected: st.Connected, Since: st.Since}
	if !st.Connected {
		link.Err = st.LinkError
	}
	return link
}

func (s source) Subscriptions() []eventlog.Subscription {
	all := s.agent.Status().Subscriptions
	subs := make([]eventlog.Subscription, len(all))
	for i, sub := range all {
		subs[i] = eventlog.Subscription{Topic: sub.Topic, Status: sub.Status, Err: sub.Err}
	}
	return subs
}
