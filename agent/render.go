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
	"sigalert/internal/payload"
	"sigalert/sig"
)

// render makes the notification of an event with the payload p, at the time now.
// What the subscription sets comes before what the event says. The error is a
// template's; the notification then has the text that it has without one.
func render(now time.Time, s config.Subscription, ev sig.Event, p payload.Payload) (notify.Notification, error) {
	n := notify.Notification{
		Title:   cmp.Or(p.Title, defaultTitle(ev)),
		Urgency: urgency(s, p),
		Key:     tagKey(ev.Sender, p.Tag),
		URL:     p.URL,
		Icon:    p.Icon,
	}
	var failed error
	fields := config.Fields{Sender: ev.Sender.String(), Event: ev.Event.String(), Time: ev.Time}
	if s.Title != nil || s.Body != nil {
		fields.Data = ev.Data.Value()
	}
	if s.Title != nil {
		text, err := config.Render(s.Title, fields)
		if err == nil {
			n.Title = text
		}
		failed = err
	}
	if s.Body == nil {
		n.Body = datedBody(now, ev, body(s, ev.Data, p))
		return n, failed
	}
	text, err := config.Render(s.Body, fields)
	if err != nil {
		text, failed = datedBody(now, ev, body(s, ev.Data, p)), err
	}
	n.Body = text
	return n, failed
}

// urgency is how urgent an event's alert is.
func urgency(s config.Subscription, p payload.Payload) notify.Urgency {
	if s.Urgency != nil {
		return *s.Urgency
	}
	u, _ := notify.ParseUrgency(p.Urgency) // without one: normal
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

// body is the text where there is no template: the event's message, or its data. If
// the title comes from the data too, it is not repeated.
func body(s config.Subscription, data sig.Data, p payload.Payload) string {
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

// datedBody is the body without a template. For an event that comes late it ends with
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
