package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigalert/eventlog"
	"sigalert/internal/age"
	"sigalert/internal/outcome"
	"sigalert/internal/plain"
	"sigalert/internal/words"
	"sigalert/sig"
)

const maxNames = 50 // names that are proposed for a filter

// page is what the template page shows.
type page struct {
	Title     string
	Asked     url.Values // but for before
	Before    bool       // older events were asked for
	Filtered  bool
	Newest    string // the address of the newest of these
	Log       list
	Side      side
	Outcomes  []choice // that the filter offers; none: the log has no alerts
	Limit     int
	MaxLimit  int
	Ages      []choice
	Editable  bool
	Fixed     string
	Elsewhere string   // the server, unless senders look for it there anyway
	Senders   []string // proposed for the filter
	Events    []string
	Since     uint64 // what the stream begins after
}

// choice is what can be chosen from a menu.
type choice struct {
	Value, Text string
	Chosen      bool
}

// ages are how long the page offers to keep events, with the present age.
func ages(now time.Duration) (all []choice) {
	const day = 24 * time.Hour
	known := false
	for _, a := range []struct {
		age  time.Duration
		text string
	}{
		{0, "for ever"}, {time.Hour, "1 hour"}, {12 * time.Hour, "12 hours"}, {day, "1 day"}, {7 * day, "7 days"}, {30 * day, "30 days"}, {365 * day, "1 year"},
	} {
		all = append(all, choice{age.Text(a.age), a.text, a.age == now})
		known = known || a.age == now
	}
	if !known {
		all = append(all, choice{age.Text(now), age.Text(now), true})
	}
	return all
}

// outcomes are what the page offers to filter by.
func (h *Handler) outcomes(now outcome.Outcome) (all []choice) {
	if h.opts.Reads == nil {
		return nil
	}
	for o := range outcome.Failed + 1 {
		all = append(all, choice{o.String(), cmp.Or(o.String(), "any"), o == now})
	}
	return all
}

// list is a part of the log.
type list struct {
	Rows  []row
	Older string // the address of what is older; "": nothing is
	Gap   bool   // there is more between these and what the page has
}

// list shows a result.
func (h *Handler) list(now time.Time, asked url.Values, r eventlog.Result) list {
	l := list{Rows: make([]row, len(r.Entries))}
	colours := h.palette.colours(h.log.LastHour(chartSeries))
	unread := h.unread()
	for i, e := range r.Entries {
		l.Rows[i] = newRow(now, asked, colours, e)
		if id := e.EventID(); slices.Contains(unread, id) {
			l.Rows[i].Unread = id.String()
		}
	}
	if r.More {
		l.Older = address(asked, "before", strconv.FormatUint(r.Last, 10))
	}
	return l
}

// given returns those of these parameters that a request has.
func given(r *http.Request, names ...string) url.Values {
	v := url.Values{}
	for _, name := range names {
		if value := r.FormValue(name); value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// address is the page's for what was asked for, with this parameter changed.
func address(asked url.Values, name, value string) string {
	v := url.Values{}
	maps.Copy(v, asked)
	if v.Del(name); value != "" {
		v.Set(name, value)
	}
	return pageAddress(v)
}

// side is what the page shows beside the log, and keeps up to date.
type side struct {
	Class, Link   string // how the connection stands: "on" or "off", and in words
	Kept          string // how many entries there are
	Unread        string // how many of them nobody has read; "": none
	UnreadIDs     string // which, with spaces between them
	First         uint64 // the oldest of them
	Troubles      []string
	Chart         chart
	Subscriptions []topicRow
	Editable      bool
}

type topicRow struct {
	Sender, Event string // as parameters have them; "": every one
	Text          string
	Class, State  string
}

func (h *Handler) side() side {
	link, st := h.opts.Source.Link(), h.log.State()
	s := side{Class: "on", Link: "Connected to " + h.opts.Source.Server(), Editable: h.opts.Editor != nil}
	if !link.Connected {
		s.Class, s.Link = "off", "No connection to "+h.opts.Source.Server()
		if link.Err != nil {
			s.Link += ": " + plain.Line(link.Err.Error(), maxExcerpt)
		}
	}
	s.First = st.First
	s.Kept = fmt.Sprintf("%s of at most %s", words.Count(st.Count(), "event"), words.Number(h.log.Limits().Count))
	if unread := h.unread(); len(unread) > 0 {
		s.Unread = words.Count(len(unread), "unread alert")
		s.UnreadIDs = strings.Trim(fmt.Sprint(unread), "[]")
	}
	s.Troubles = troubles(st)
	hour := h.log.LastHour(chartSeries)
	s.Chart = newChart(hour, h.palette.colours(hour))
	for _, sub := range h.opts.Source.Subscriptions() {
		s.Subscriptions = append(s.Subscriptions, newTopicRow(sub))
	}
	return s
}

func troubles(st eventlog.State) (all []string) {
	if st.Err != nil {
		all = append(all, "The log cannot be written: "+st.Err.Error())
	}
	if st.Dropped > 0 {
		all = append(all, words.Count(int(st.Dropped), "event")+" dropped: they came faster than they could be written")
	}
	if st.Missed > 0 {
		all = append(all, words.Count(int(st.Missed), "event")+" missed: the server had forgotten them")
	}
	if st.Unknown > 0 {
		all = append(all, "Events may be missing: the server cannot say what happened while there was no connection")
	}
	return all
}

func newTopicRow(sub eventlog.Subscription) topicRow {
	r := topicRow{Sender: word(sub.Sender), Event: word(sub.Event), Text: sub.Topic.String()}
	switch sub.Status {
	case sig.Active:
		r.Class, r.State = "on", "active"
	case sig.Pending:
		r.Class, r.State = "wait", "waiting for the server"
	case sig.Refused:
		r.Class, r.State = "off", "refused"
		if sub.Err != nil {
			r.State = plain.Line(sub.Err.Error(), maxExcerpt)
		}
	}
	return r
}
