package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigalert/sig"
	"sigalert/sig/internal/wire"
)

// topic answers ntfy's POST /TOPIC: an event of the channel #TOPIC.
func (g *gateway) topic(name string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		body, query, err := g.read(w, r)
		if err != nil {
			return err
		}
		// The names, and that parameters are known without X-, are ntfy's.
		get := func(names ...string) string {
			for _, name := range slices.Clone(names) {
				names = append(names, "X-"+name)
			}
			return given(r, query, names...)
		}
		data := textOf(body)
		if len(body) == 0 {
			data = textOf([]byte(get("message", "m")))
		}
		var more members
		more.text("title", get("title", "t"))
		more.add("priority", priorityOf(get("priority", "prio", "p")))
		more.add("tags", tagsOf(get("tags", "tag", "ta")))
		more.text("url", get("click"))
		more.text("tag", get("sequence-id", "sequence_id", "sid"))
		more.add("actions", actionsOf(get("actions", "action")))
		return g.notify(w, r, query, name, data, &more)
	}
}

// notify publishes a message to a topic, and answers as ntfy does.
func (g *gateway) notify(w http.ResponseWriter, r *http.Request, query url.Values, name string, message []byte, more *members) error {
	sender := given(r, query, "sender")
	if sender == "" {
		sender = "ntfy"
	}
	if name == "" {
		return refuse(http.StatusBadRequest, `the topic is missing: use /TOPIC, or {"topic": …} at /`)
	}
	data := more.with(message)
	done, err := g.publish(r, query, sender, "#"+name, data)
	if err != nil {
		return err
	}
	var answer members
	answer.text("id", idOf(done))
	answer.add("time", strconv.AppendInt(nil, time.Now().Unix(), 10))
	answer.text("event", "message")
	answer.text("topic", name)
	if string(message) != "null" {
		answer.add("message", message)
	}
	for i, member := range more.names { // as far as it is what ntfy's clients expect
		value := more.values[i]
		switch member {
		case "title", "tags":
			answer.add(member, value)
		case "url":
			answer.add("click", value)
		case "priority":
			if value[0] != '"' {
				answer.add(member, value)
			}
		}
	}
	answerText(w, answer.object())
	return nil
}

// idOf is a number for clients that expect one to be text.
func idOf(done sig.Published) string { return strconv.FormatUint(done.Seq, 10) }

// message answers ntfy's POST / with JSON.
func (g *gateway) message(w http.ResponseWriter, r *http.Request, body []byte) error {
	query, err := parameters(r)
	if err != nil {
		return err
	}
	if err := checkJSON(body); err != nil {
		return err
	}
	sent := objectOf(body)
	var name string
	if json.Unmarshal(sent["topic"], &name) != nil || name == "" {
		return refuse(http.StatusBadRequest, `the topic is missing: send {"topic": "alerts", "message": "…"}, or use /SENDER/EVENT`)
	}
	message := []byte("null")
	if text, ok := sent["message"]; ok {
		message = text
	}
	var more members
	for _, m := range []struct{ ours, theirs string }{{"title", "title"}, {"priority", "priority"}, {"tags", "tags"}, {"url", "click"}, {"tag", "sequence_id"}} {
		if value := sent[m.theirs]; value != nil && string(value) != "null" {
			more.add(m.ours, value)
		}
	}
	more.add("actions", actionsOf(string(sent["actions"])))
	return g.notify(w, r, query, name, message, &more)
}

// objectOf returns the members of an object.
func objectOf(text []byte) map[string][]byte {
	all := make(map[string][]byte)
	for o := wire.ObjectOf(text); o.Next(); {
		all[string(o.Key)] = o.Value
	}
	return all
}

// tagsOf is a list of tags as JSON; nil if there are none.
func tagsOf(list string) []byte {
	var tags []string
	for tag := range strings.SplitSeq(list, ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			tags = append(tags, tag)
		}
	}
	return orNil(tags)
}

func orNil[T any](list []T) []byte {
	if len(list) == 0 {
		return nil
	}
	text, _ := json.Marshal(list)
	return text
}

// action is a button that opens an address.
type action struct {
	Label string `json:"label"`
	Open  string `json:"open"`
}

// actionsOf returns those of ntfy's actions that open an address, as JSON; nil if
// there are none. They are a JSON list or, in a header, "view, LABEL, URL; …".
func actionsOf(text string) []byte {
	var opens []action
	if list := []byte(text); wire.Valid(list) {
		for a, _ := wire.ArrayOf(list); a.Next(); {
			var sent struct{ Action, Label, URL string }
			if json.Unmarshal(a.Value, &sent) == nil && sent.Action == "view" && sent.URL != "" {
				opens = append(opens, action{sent.Label, sent.URL})
			}
		}
		return orNil(opens)
	}
	for _, fields := range split(text) {
		named := make(map[string]string)
		for i, field := range fields {
			name, value, ok := strings.Cut(field, "=")
			if i < 3 && !(ok && slices.Contains([]string{"action", "label", "url"}, strings.TrimSpace(name))) {
				name, value = []string{"action", "label", "url"}[i], field
			}
			named[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
		if named["action"] == "view" && named["url"] != "" {
			opens = append(opens, action{named["label"], named["url"]})
		}
	}
	return orNil(opens)
}

// split returns the fields of each action: commas and semicolons within quotation
// marks belong to a field.
func split(text string) (actions [][]string) {
	var fields []string
	var field bytes.Buffer
	var quote rune
	end := func() {
		fields = append(fields, strings.TrimSpace(field.String()))
		field.Reset()
	}
	for _, c := range text {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			field.WriteRune(c)
		case (c == '"' || c == '\'') && strings.TrimSpace(field.String()) == "", (c == '"' || c == '\'') && strings.HasSuffix(field.String(), "="):
			quote = c
		case c == ',':
			end()
		case c == ';':
			end()
			actions, fields = append(actions, fields), nil
		default:
			field.WriteRune(c)
		}
	}
	end()
	return append(actions, fields)
}
