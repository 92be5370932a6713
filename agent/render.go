package agent

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/agent/rule"
	"sigalert/internal/payload"
	"sigalert/internal/plain"
	"sigalert/internal/rawjson"
	"sigalert/sig"
)

// settle puts the urgency and the tag that the subscription sets in place of the
// event's own. If an expression fails, or an urgency is invalid, the event's own stays.
func settle(p *passage) {
	s := p.sub
	if s.Urgency != nil {
		text, err := s.Urgency.Render(p.seen)
		text = plain.Line(strings.TrimSpace(text), maxReason)
		u := payload.Urgency(text)
		if err == nil && u == "" && text != "" {
			_, err = notify.ParseUrgency(text)
		}
		if err != nil {
			p.fail("render", s, "urgency", err)
		}
		p.said.Urgency = cmp.Or(u, p.said.Urgency)
	}
	p.said.Tag = tagOf(p, s)
}

// tagOf is the tag that the subscription gives the event's alert; if its expression
// fails, the event's own.
func tagOf(p *passage, s *config.Subscription) string {
	if s.Tag == nil {
		return p.said.Tag
	}
	text, err := s.Tag.Render(p.seen)
	if err != nil {
		p.fail("render", s, "tag", err)
		return p.said.Tag
	}
	return strings.TrimSpace(text)
}

// renderer makes the notification. What the subscription sets comes before what the
// event says. A text that fails is the one that the notification has without it.
type renderer struct{}

func (renderer) judge(p *passage) verdict {
	s, said := p.sub, p.said
	p.alert = notify.Notification{
		Title:    p.text(s.Title, "title", cmp.Or(said.Title, defaultTitle(p.ev))),
		Urgency:  urgency(said),
		Key:      p.key(said.Tag),
		URL:      p.checked(s.URL, "url", said.URL, payload.Link, "must be an http, https or mailto address"),
		Timeout:  s.Timeout,
		Resolved: p.alert.Resolved,
	}
	p.alert.Icon = p.checked(s.Icon.For(p.alert.Urgency), "icon", said.Icon, payload.ThemeName, "must be the name of an icon in a theme")
	p.alert.Sound = p.checked(s.Sound, "sound", "", payload.ThemeName, "must be the name of a sound in a theme")
	if s.Body == nil {
		p.alert.Body = datedBody(p.now, p.ev, p.body())
	} else if text, err := s.Body.Render(p.seen); err == nil {
		p.alert.Body = trimLines(text)
	} else {
		p.fail("render", s, "body", err)
		p.alert.Body = datedBody(p.now, p.ev, p.body())
	}
	p.addButtons()
	return verdict{stage: "render", line: s.Line}
}

// text is what a text becomes; otherwise, if there is none or it fails.
func (p *passage) text(t *rule.Text, key, otherwise string) string {
	if t == nil {
		return otherwise
	}
	text, err := t.Render(p.seen)
	if err != nil {
		p.fail("render", p.sub, key, err)
		return otherwise
	}
	return trimLines(text)
}

// checked is what a text becomes. If it is computed, it may come from the event, and
// so must be what check leaves as it is; anything else is left out.
func (p *passage) checked(t *rule.Text, key, otherwise string, check func(string) string, must string) string {
	text := strings.TrimSpace(p.text(t, key, otherwise))
	if t == nil || text == "" {
		return text
	}
	if _, fixed := t.Constant(); fixed {
		return text
	}
	if check(text) == "" {
		p.fail("render", p.sub, key, fmt.Errorf("%q %s", plain.Line(text, maxReason), must))
		return otherwise
	}
	return text
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

// tagKey is the key of a tag's notifications. Each sender of each server has its own:
// "disk" of one machine must not replace that of another.
// However long the tag is, the key is short.
func tagKey(server string, sender sig.Name, tag string) string {
	switch {
	case tag == "":
		return ""
	case server != "":
		return notify.ShortKey(fmt.Sprintf("tag %s %s %s", server, sender.JSON(), tag))
	}
	return notify.ShortKey(fmt.Sprintf("tag %s %s", sender.JSON(), tag))
}

// body is the text where the subscription sets none: the event's message, or its data.
// What the notification shows otherwise is not repeated: a title from the data, its
// picture and its buttons.
func (p *passage) body() string {
	text, err := p.seen.Text()
	switch {
	case p.said.Message != nil:
		return *p.said.Message
	case err != nil:
		return err.Error()
	case p.said.Title != "" && p.sub.Title == nil:
		return defaultBody(text, payload.Rest)
	}
	return defaultBody(text, func(key string) bool {
		return !(p.sub.Image && strings.EqualFold(key, "image") || p.said.Actions != nil && strings.EqualFold(key, "actions"))
	})
}

func defaultTitle(ev sig.Event) string {
	if ev.Event.IsEvery() {
		return ev.Sender.String()
	}
	return ev.Sender.String() + ": " + ev.Event.String()
}

// datedBody is a body that the subscription does not set. For an event that comes late
// it ends with the event's time: otherwise the alert would seem to be about now.
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
// has those that shown accepts.
func defaultBody(text []byte, shown func(key string) bool) string {
	o := rawjson.Members(text)
	if !o.IsObject() {
		return valueText(text)
	}
	var b strings.Builder
	for lines := 0; lines < maxLines && o.Next(); {
		if shown(string(o.Key)) {
			lines++
			fmt.Fprintf(&b, "%s: %s\n", o.Key, valueText(o.Value))
		}
	}
	if o.More() {
		b.WriteString("…")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// valueText is a value of JSON for people.
func valueText(text []byte) string {
	switch text = bytes.TrimSpace(text); {
	case string(text) == "null":
		return ""
	case bytes.HasPrefix(text, []byte(`"`)):
		text, _ = rawjson.Unquote(text)
		return string(text)
	}
	return string(rawjson.Compact(text))
}
