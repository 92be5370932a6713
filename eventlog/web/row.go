package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"sigalert/eventlog"
	"sigalert/internal/outcome"
	"sigalert/internal/payload"
	"sigalert/internal/plain"
	"sigalert/internal/topic"
	"sigalert/sig"
)

const (
	maxExcerpt = 200           // characters of data that are shown in a line
	maxWhy     = 1000          // characters of an outcome's reason
	maxPretty  = 8 << 10       // bytes of data that the page itself can unfold
	maxIndent  = 4 * maxPretty // bytes of that with indentation
	longMember = 20            // characters; a longer value gives way to others
)

// row is an entry as a line.
type row struct {
	ID                uint64
	Unread            string // what names it among those that nobody has read; "": it is not one
	Sender, Event     string
	Colour            string // the sender's class
	OfSender, OfEvent string // addresses of the filters
	Ago, At, Exact    string
	Title, Link       string   // that the data say it has; "": none
	Members           []member // of an object
	Excerpt           string   // of anything else
	Message           string   // of several lines; "": there is none
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

// newRow is an entry as it looks now, in whose zone its time is.
func newRow(now time.Time, asked url.Values, colours map[sig.Name]string, e eventlog.Entry) row {
	r := row{
		ID:      e.ID,
		Sender:  topic.Name(e.Sender),
		Event:   topic.Name(e.Event),
		Colour:  colours[e.Sender],
		Ago:     ago(now, e.Time),
		At:      e.Time.UTC().Format("2006-01-02T15:04:05.000Z"),
		Exact:   e.Time.In(now.Location()).Format("2006-01-02 15:04:05.000 MST"),
		Outcome: e.Outcome.String(),
		Why:     plain.Line(e.Why, maxWhy),
	}
	r.OfSender = address(asked, "sender", word(e.Sender))
	r.OfEvent = address(asked, "event", word(e.Event))
	switch {
	case e.Outcome == outcome.Shown:
		r.Class = "shown"
	case e.Outcome == outcome.Held:
		r.Class = "held"
	case e.Outcome == outcome.Failed:
		r.Class = "failed"
	case topic.IsPresence(e.Event):
		r.Class = "presence"
	}
	if hasNone(e.Data) {
		return r
	}
	text := eventlog.Readable(e.Data)
	if len(text) > maxPretty {
		r.Excerpt, r.Size = plain.Line(string(text[:maxPretty]), maxExcerpt), sizeText(len(text))
		return r
	}
	if indented(text) > maxIndent { // a hundred nested brackets are indented by thousands of spaces
		r.Excerpt, r.Size = plain.Line(string(text), maxExcerpt), sizeText(len(text))
		return r
	}
	said := payload.Read(text)
	r.Title, r.Link = said.Title, said.URL
	if said.Message != nil && strings.Contains(*said.Message, "\n") {
		r.Message = *said.Message
	}
	if r.Members = members(text, r.Title != ""); r.Members == nil {
		r.Excerpt = valueText(text, maxExcerpt)
	}
	r.Pretty = pretty(text)
	return r
}

// hasNone reports whether there is no data: pysig writes "" then.
func hasNone(data []byte) bool {
	return len(data) == 0 || string(data) == "null" || string(data) == `""`
}

// indented is at most how long JSON text is with its parts on lines of their own.
func indented(text []byte) int {
	size, depth, quoted := len(text), 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			size += 1 + 2*depth
		case c == '}' || c == ']':
			depth--
			size += 1 + 2*depth
		case c == ',':
			size += 1 + 2*depth
		case c == ':':
			size++
		}
	}
	return size
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

// members are those of an object that fit into a line, without its title if that is
// titled; nil for anything else.
func members(text []byte, titled bool) (all []member) {
	d := json.NewDecoder(bytes.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	for room := maxExcerpt; room > 0 && d.More(); {
		var value json.RawMessage
		name, err := d.Token()
		if err != nil || d.Decode(&value) != nil {
			return nil
		}
		if titled && strings.EqualFold(fmt.Sprint(name), "title") {
			continue
		}
		m := member{Name: plain.Line(fmt.Sprint(name), room)}
		m.Value = valueText(value, room)
		room -= utf8.RuneCountInString(m.Name) + utf8.RuneCountInString(m.Value)
		m.Long = utf8.RuneCountInString(m.Value) > longMember
		all = append(all, m)
	}
	return all
}

// pretty is JSON on many lines, without what could change the order in which it is
// read.
func pretty(text []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, text, "", "  ") != nil {
		b.Reset()
		b.Write(text)
	}
	return plain.Escape(b.String())
}

// line is an entry as fmt=plain has it.
func line(here *time.Location, e eventlog.Entry) string {
	data := eventlog.Readable(e.Data)
	text := fmt.Sprintf("%s %s: %s", e.Time.In(here).Format("2006-01-02 15:04:05.000"), topic.Name(e.Sender), topic.Name(e.Event))
	if !hasNone(data) {
		text += " " + plain.Line(string(data), len(data))
	}
	if e.Outcome != outcome.None {
		text += " [" + strings.TrimSuffix(e.Outcome.String()+": "+plain.Line(e.Why, maxExcerpt), ": ") + "]"
	}
	return text
}
