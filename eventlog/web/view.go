package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sigalert/eventlog"
	"sigalert/internal/plain"
	"sigalert/sig"
)

const (
	mostExcerpt = 200     // characters of data that are shown in a line
	mostPretty  = 8 << 10 // bytes of data that the page folds out itself
	mostNames   = 50      // names that are proposed for a filter
)

// page is what the template page shows.
type page struct {
	Title    string
	Query    eventlog.Query
	Filtered bool
	Log      list
	Side     side
	Limit    int
	Editable bool
	Fixed    string
	Senders  []string // proposed for the filter
	Events   []string
	Since    uint64 // what the stream is to begin behind
}

// list is a part of the log.
type list struct {
	Rows  []row
	Older string // the address of what is older; "": nothing is
}

// row is an entry as a line.
type row struct {
	ID             uint64
	Sender, Event  string
	Ago, At, Exact string
	Excerpt        string
	Pretty         string // the data as formatted JSON; "": there is none, or Size says how much
	Size           string
	Outcome, Why   string
	Class          string
}

func newRow(now time.Time, e eventlog.Entry) row {
	r := row{
		ID:     e.ID,
		Sender: plain.Line(e.Sender.String(), mostName),
		Event:  plain.Line(e.Event.String(), mostName),
		Ago:    ago(now, e.Time),
		At:     e.Time.UTC().Format("2006-01-02T15:04:05.000Z"),
		Exact:  e.Time.Format("2006-01-02 15:04:05.000 MST"),
		Why:    e.Why,
	}
	switch e.Outcome {
	case eventlog.Shown:
		r.Class = "shown"
	case eventlog.Held:
		r.Class = "held"
	case eventlog.Failed:
		r.Class = "failed"
	}
	r.Outcome = e.Outcome.String()
	if len(e.Data) == 0 || string(e.Data) == "null" {
		return r
	}
	text := eventlog.Readable(e.Data)
	r.Excerpt = excerpt(text)
	if len(text) > mostPretty {
		r.Size = sizeText(len(text))
		return r
	}
	r.Pretty = pretty(text)
	return r
}

// excerpt is data in a line: text as it is, anything else as JSON.
func excerpt(text []byte) string {
	var s string
	if len(text) <= mostPretty && json.Unmarshal(text, &s) == nil {
		return plain.Line(s, mostExcerpt)
	}
	return plain.Line(string(text[:min(len(text), mostPretty)]), mostExcerpt)
}

// pretty is JSON on many lines. What could change the order of what is read is
// escaped.
func pretty(text []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		b.Reset()
		b.Write(text)
	}
	return escapeBidi(b.String())
}

func escapeBidi(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.Is(unicode.Bidi_Control, r) || unicode.IsControl(r) && r != '\n' || r == utf8.RuneError {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// line is an entry as fmt=plain has it.
func line(e eventlog.Entry) string {
	data := eventlog.Readable(e.Data)
	text := fmt.Sprintf("%s %s: %s", e.Time.Format("2006-01-02 15:04:05.000"), nameText(e.Sender), nameText(e.Event))
	if len(data) > 0 {
		text += " " + plain.Line(string(data), len(data))
	}
	if e.Outcome != eventlog.None {
		text += " [" + strings.TrimSuffix(e.Outcome.String()+": "+plain.Line(e.Why, mostExcerpt), ": ") + "]"
	}
	return text
}

func newList(now time.Time, q eventlog.Query, r eventlog.Result) list {
	l := list{Rows: make([]row, len(r.Entries))}
	for i, e := range r.Entries {
		l.Rows[i] = newRow(now, e)
	}
	if r.More {
		q.Before = r.Last
		l.Older = address(q)
	}
	return l
}

// address is the page's, for what a query asks for.
func address(q eventlog.Query) string {
	v := url.Values{}
	for name, value := range map[string]string{"sender": q.Sender, "event": q.Event, "q": q.Text} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Before > 0 {
		v.Set("before", fmt.Sprint(q.Before))
	}
	return "/?" + v.Encode()
}

// side is what the page shows beside the log, and keeps up to date.
type side struct {
	Class, Link   string // how the connection stands: "on" or "off", and in words
	Kept          string // how many entries there are
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

func (h *Handler) side(now time.Time) side {
	link, st := h.opts.Source.Link(), h.log.State()
	s := side{Class: "on", Link: "Connected to " + h.opts.Source.Server(), Editable: h.opts.Editor != nil}
	if !link.Connected {
		s.Class, s.Link = "off", "No connection to "+h.opts.Source.Server()
		if link.Err != nil {
			s.Link += ": " + plain.Line(link.Err.Error(), mostExcerpt)
		}
	}
	s.Kept = fmt.Sprintf("%s of at most %s", count(st.Count(), "event"), grouped(h.log.Limits().Count))
	s.Troubles = troubles(st)
	s.Chart = newChart(now, h.log.LastHour(chartSeries))
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
		all = append(all, count(int(st.Dropped), "event")+" dropped: they came faster than they could be written")
	}
	if st.Missed > 0 {
		all = append(all, count(int(st.Missed), "event")+" missed: the server had forgotten them")
	}
	if st.Unknown > 0 {
		all = append(all, "Events may be missing: the server cannot tell what was while there was no connection")
	}
	return all
}

func newTopicRow(sub eventlog.Subscription) topicRow {
	r := topicRow{Sender: sub.Sender.String(), Event: sub.Event.String(), Text: topicText(sub.Topic)}
	switch sub.Status {
	case sig.Active:
		r.Class, r.State = "on", "active"
	case sig.Pending:
		r.Class, r.State = "wait", "waiting for the server"
	case sig.Refused:
		r.Class, r.State = "off", "refused"
		if sub.Err != nil {
			r.State = plain.Line(sub.Err.Error(), mostExcerpt)
		}
	}
	return r
}
