package agent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/sig"
)

// render makes an event's notification at the time now. The error is a template's;
// the notification then has the default text.
func render(now time.Time, s config.Subscription, ev sig.Event) (notify.Notification, error) {
	n := notify.Notification{Title: defaultTitle(ev), Urgency: s.Urgency}
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
		n.Body = datedBody(now, ev)
		return n, failed
	}
	text, err := config.Render(s.Body, fields)
	if err != nil {
		text, failed = datedBody(now, ev), err
	}
	n.Body = text
	return n, failed
}

func defaultTitle(ev sig.Event) string {
	if ev.Event.IsEvery() {
		return ev.Sender.String()
	}
	return fmt.Sprintf("%s: %s", ev.Sender, ev.Event)
}

// datedBody is the default body. For an event that comes late it ends with the
// event's time: otherwise the alert would seem to be about now.
func datedBody(now time.Time, ev sig.Event) string {
	body := defaultBody(ev.Data)
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
// of its keys, anything else as compact JSON, and nothing for null.
func defaultBody(data sig.Data) string {
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
		lines = append(lines, fmt.Sprintf("%s: %s", key, valueText(value)))
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
