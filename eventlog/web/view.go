package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sigalert/eventlog"
	"sigalert/internal/age"
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
	Title     string
	Query     eventlog.Query
	Filtered  bool
	Newest    string // the address of the newest of these
	Log       list
	Side      side
	Limit     int
	MostLimit int
	Ages      []choice
	Editable  bool
	Fixed     string
	Elsewhere string   // the server, unless it is where senders look for it anyway
	Senders   []string // proposed for the filter
	Events    []string
	Since     uint64 // what the stream is to begin behind
}

// choice is what can be chosen from a menu.
type choice struct {
	Value, Text string
	Chosen      bool
}

// ages are what the page offers to keep events for, and what it is now.
func ages(now time.Duration) (all []choice) {
	const day = 24 * time.Hour
	for _, d := range []time.Duration{0, time.Hour, 12 * time.Hour, day, 7 * day, 30 * day, 365 * day} {
		all = append(all, choice{Value: age.Text(d), Text: "for " + age.Text(d), Chosen: d == now})
	}
	all[0].Text = "for ever"
	if !slices.ContainsFunc(all, func(c choice) bool { return c.Chosen }) {
		all = append(all, choice{Value: age.Text(now), Text: "for " + age.Text(now), Chosen: true})
	}
	return all
}

// list is a part of the log.
type list struct {
	Rows  []row
	Older string // the address of what is older; "": nothing is
	Gap   bool   // what is older is newer than what the page has
}

// row is an entry as a line.
type row struct {
	ID                uint64
	Sender, Event     string
	Colour            string // the sender's class
	OfSender, OfEvent string // addresses of the filters
	Ago, At, Exact    string
	Members           []member // of an object
	Excerpt           string   // of anything else
	Pretty            string   // the data as formatted JSON; "": there is none, or Size says how much
	Size              string
	Class             string
	Outcome, Why      string
}

// member is one of an object, as a line has it.
type member struct {
	Name, Value string
	Long        bool
}

func newRow(now time.Time, q eventlog.Query, colours map[sig.Name]string, e eventlog.Entry) row {
	r := row{
		ID:      e.ID,
		Sender:  nameText(e.Sender),
		Event:   nameText(e.Event),
		Colour:  colours[e.Sender],
		Ago:     ago(now, e.Time),
		At:      e.Time.UTC().Format("2006-01-02T15:04:05.000Z"),
		Exact:   e.Time.Format("2006-01-02 15:04:05.000 MST"),
		Outcome: e.Outcome.String(),
		Why:     plain.Line(e.Why, len(e.Why)),
	}
	r.OfSender = address(eventlog.Query{Sender: e.Sender.String(), Event: q.Event, Text: q.Text})
	r.OfEvent = address(eventlog.Query{Sender: q.Sender, Event: e.Event.String(), Text: q.Text})
	switch {
	case e.Outcome == eventlog.Shown:
		r.Class = "shown"
	case e.Outcome == eventlog.Held:
		r.Class = "held"
	case e.Outcome == eventlog.Failed:
		r.Class = "failed"
	case e.Event == sig.EventConnect || e.Event == sig.EventDisconnect:
		r.Class = "presence"
	}
	if len(e.Data) == 0 || string(e.Data) == "null" {
		return r
	}
	text := eventlog.Readable(e.Data)
	if len(text) > mostPretty {
		r.Excerpt, r.Size = plain.Line(string(text[:mostPretty]), mostExcerpt), sizeText(len(text))
		return r
	}
	if r.Members = members(text); r.Members == nil {
		r.Excerpt = valueText(text, mostExcerpt)
	}
	r.Pretty = pretty(text)
	return r
}

// valueText is data in a line: text as it is, anything else as JSON.
func valueText(text []byte, limit int) string {
	var s string
	if bytes.HasPrefix(text, []byte(`"`)) && json.Unmarshal(text, &s) == nil {
		return plain.Line(s, limit)
	}
	var b bytes.Buffer
	if json.Compact(&b, text) == nil {
		text = b.Bytes()
	}
	return plain.Line(string(text), limit)
}

// members are those of an object that fit into a line; nil for anything else.
func members(text []byte) (all []member) {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	for room := mostExcerpt; room > 0 && d.More(); {
		var value json.RawMessage
		name, err := d.Token()
		if err != nil || d.Decode(&value) != nil {
			return nil
		}
		m := member{Name: plain.Line(fmt.Sprint(name), room)}
		m.Value = valueText(value, room)
		room -= utf8.RuneCountInString(m.Name) + utf8.RuneCountInString(m.Value)
		m.Long = utf8.RuneCountInString(m.Value) > 20
		all = append(all, m)
	}
	return all
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

// list is what a query has found.
func (h *Handler) list(now time.Time, q eventlog.Query, r eventlog.Result) list {
	l := list{Rows: make([]row, len(r.Entries))}
	colours := h.palette.colours(h.log.LastHour(chartSeries))
	for i, e := range r.Entries {
		l.Rows[i] = newRow(now, q, colours, e)
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
	if len(v) == 0 {
		return "/"
	}
	return "/?" + v.Encode()
}

// side is what the page shows beside the log, and keeps up to date.
type side struct {
	Class, Link   string // how the connection stands: "on" or "off", and in words
	Kept          string // how many entries there are
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
			s.Link += ": " + plain.Line(link.Err.Error(), mostExcerpt)
		}
	}
	s.First = st.First
	s.Kept = fmt.Sprintf("%s of at most %s", count(st.Count(), "event"), grouped(h.log.Limits().Count))
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
