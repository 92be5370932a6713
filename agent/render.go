package agent

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/agent/rule"
	"sigalert/internal/payload"
	"sigalert/internal/plain"
	"sigalert/sig"
)

// settle returns what an event says about its alert, with the urgency and the tag that
// the subscription sets in their place. If an expression fails, or an urgency is none,
// the event's own stays.
func settle(s *config.Subscription, seen *rule.Event, p payload.Payload) (payload.Payload, []failure) {
	var failed []failure
	if s.Urgency != nil {
		text, err := s.Urgency.Render(seen)
		text = plain.Line(strings.TrimSpace(text), maxReason)
		u := payload.Urgency(text)
		if err == nil && u == "" && text != "" {
			_, err = notify.ParseUrgency(text)
		}
		if err != nil {
			failed = append(failed, failure{s, "urgency", err})
		}
		p.Urgency = cmp.Or(u, p.Urgency)
	}
	if s.Tag != nil {
		text, err := s.Tag.Render(seen)
		if err == nil {
			p.Tag = strings.TrimSpace(text)
		} else {
			failed = append(failed, failure{s, "tag", err})
		}
	}
	return p, failed
}

// render makes the notification of an event with the payload p, at the time now. What
// the subscription sets comes before what the event says. A text that fails is the one
// that the notification has without it.
func render(now time.Time, s *config.Subscription, ev sig.Event, seen *rule.Event, p payload.Payload) (notify.Notification, []failure) {
	n := notify.Notification{
		Title:   cmp.Or(p.Title, defaultTitle(ev)),
		Urgency: urgency(p),
		Key:     tagKey(ev.Sender, p.Tag),
		URL:     p.URL,
		Icon:    p.Icon,
	}
	var failed []failure
	if s.Title != nil {
		text, err := s.Title.Render(seen)
		if err == nil {
			n.Title = trimLines(text)
		} else {
			failed = append(failed, failure{s, "title", err})
		}
	}
	if s.Body != nil {
		text, err := s.Body.Render(seen)
		if err == nil {
			n.Body = trimLines(text)
			return n, failed
		}
		failed = append(failed, failure{s, "body", err})
	}
	n.Body = datedBody(now, ev, body(s, ev.Data, p))
	return n, failed
}

// trimLines leaves out the blank lines at the end of a text: a block text (body: |)
// always ends with one.
func trimLines(s string) string {
	last := len(strings.TrimRight(s, " \t\r\n"))
	if i := strings.IndexAny(s[last:], "\r\n"); i >= 0 {
		return s[:last+i]
	}
	return s
}

// urgency is how urgent an event's alert is; if nothing says so, it is normal.
func urgency(p payload.Payload) notify.Urgency {
	u, _ := notify.ParseUrgency(p.Urgency)
	return u
}

// tagKey is the key of a tag's notifications. Each sender has tags of its own:
// "disk" of one machine must not replace that of another.
func tagKey(sender sig.Name, tag string) string {
	if tag == "" {
		return ""
	}
	return fmt.Sprintf("tag %s %s", sender.JSON(), tag)
}

// body is the text where the subscription sets none: the event's message, or its data. If
// the title comes from the data too, it is not repeated.
func body(s *config.Subscription, data sig.Data, p payload.Payload) string {
	switch {
	case p.Message != nil:
		return *p.Message
	case p.Title != "" && s.Title == nil:
		return defaultBody(data, payload.Rest)
	}
	return defaultBody(data, nil)
}

func defaultTitle(ev sig.Event) string {
	if ev.Event.IsEvery() {
		return ev.Sender.String()
	}
	return fmt.Sprintf("%s: %s", ev.Sender, ev.Event)
}

// datedBody is a body that the subscription does not set. For an event that comes late it ends with
// the event's time: otherwise the alert would seem to be about now.
func datedBody(now time.Time, ev sig.Event, body string) string {
	if !ev.Replayed || now.Sub(ev.Time) <= time.Minute {
		return body
	}
	when := ev.Time.In(now.Location())
	format := "at 15:04"
	if when.Format(time.DateOnly) != now.Format(time.DateOnly) {
		format = "on " + time.DateOnly + " at 15:04"
	}
	return strings.TrimPrefix(body+"\n", "\n") + when.Format(format)
}

// maxLines is how many members of an object get a line: a notification has no
// room for more, and data may have a hundred thousand.
const maxLines = 50

// defaultBody writes text as it is, an object as "key: value" lines in the order
// of its keys, anything else as compact JSON, and nothing for null. Of the keys it
// has those that shown accepts; nil: all.
func defaultBody(data sig.Data, shown func(key string) bool) string {
	text, err := data.JSON()
	if err != nil {
		return err.Error()
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	first, err := dec.Token()
	if err != nil || first != json.Delim('{') {
		return valueText(text)
	}
	var lines []string
	for dec.More() && len(lines) < maxLines {
		key, err := dec.Token()
		if err != nil {
			break
		}
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			break
		}
		if shown == nil || shown(key.(string)) {
			lines = append(lines, fmt.Sprintf("%s: %s", key, valueText(value)))
		}
	}
	if dec.More() {
		lines = append(lines, "…")
	}
	return strings.Join(lines, "\n")
}

func valueText(text json.RawMessage) string {
	var s string
	switch {
	case string(text) == "null":
		return ""
	case json.Unmarshal(text, &s) == nil:
		return s
	}
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		return string(text)
	}
	return b.String()
}
