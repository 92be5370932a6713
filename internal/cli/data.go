package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"sigalert/internal/payload"
	"sigalert/sig"
)

// parseData reads a DATA argument: JSON, or text if it is not JSON; an empty
// one is null.
func parseData(text string) sig.Data {
	switch {
	case text == "":
		return sig.Data{}
	case isJSON(text):
		return sig.JSONData([]byte(text))
	}
	return sig.JSONData(quote(text))
}

// noticeJSON warns of a DATA argument that was probably meant as JSON.
func (p *program) noticeJSON(text string) {
	if seemsJSON(text) {
		err := errors.New("it is not UTF-8")
		if utf8.ValidString(text) {
			err = json.Unmarshal([]byte(text), new(json.RawMessage))
		}
		p.log.Warn("the data begins as JSON and is not: it is sent as text", "err", err)
	}
}

func isJSON(text string) bool { return json.Valid([]byte(text)) && utf8.ValidString(text) }

// quote returns a value as JSON, with <, > and & as they are. It must be one that
// JSON can hold, as every string.
func quote(value any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// seemsJSON reports whether a text that is not JSON begins as if it were meant to
// be: as an object, or as a list with an element.
func seemsJSON(text string) bool {
	dec := json.NewDecoder(strings.NewReader(text))
	begin, err := dec.Token()
	if err != nil || isJSON(text) {
		return false
	}
	_, err = dec.Token()
	return begin == json.Delim('{') || begin == json.Delim('[') && err == nil
}

// hints are how an event asks to be shown: members of its data that every agent knows.
type hints struct{ title, urgency, tag, url string }

func (h hints) check() error {
	switch {
	case h.urgency != "" && payload.Urgency(h.urgency) == "":
		return fmt.Errorf("--urgency: %q must be low, normal or critical, or a priority: 1 to 5, min, default, high, max or urgent", h.urgency)
	case h.url != "" && payload.Link(h.url) == "":
		return fmt.Errorf("--url: %q must be an https, http or mailto address, without spaces or quotation marks", h.url)
	}
	return nil
}

func (h hints) members() (members [][2]string) {
	for _, m := range [][2]string{{"title", h.title}, {"urgency", payload.Urgency(h.urgency)}, {"tag", h.tag}, {"url", h.url}} {
		if m[1] != "" {
			members = append(members, m)
		}
	}
	return members
}

// data reads a DATA argument as parseData does, and adds the hints to it: to an
// object, in place of its own members of these names; anything else becomes the
// object's message.
func (h hints) data(text string) sig.Data {
	added := h.members()
	if len(added) == 0 {
		return parseData(text)
	}
	members := [][2]string{}
	dec := json.NewDecoder(strings.NewReader(text))
	if begin, _ := dec.Token(); isJSON(text) && begin == json.Delim('{') {
		for dec.More() {
			var value json.RawMessage
			key, _ := dec.Token()
			_ = dec.Decode(&value) // the text has been checked
			if !slices.ContainsFunc(added, func(m [2]string) bool { return m[0] == key }) {
				members = append(members, [2]string{key.(string), string(value)})
			}
		}
	} else if message := messageOf(text); message != "" {
		members = append(members, [2]string{"message", string(quote(message))})
	}
	for _, m := range added {
		members = append(members, [2]string{m[0], string(quote(m[1]))})
	}
	var b bytes.Buffer
	for i, m := range members {
		b.WriteByte("{,"[min(i, 1)])
		b.Write(quote(m[0]))
		b.WriteString(":" + m[1])
	}
	b.WriteByte('}')
	return sig.JSONData(b.Bytes())
}

// messageOf is DATA as text: without its quotes if it is a JSON string.
func messageOf(text string) (message string) {
	if text == "null" || isJSON(text) && json.Unmarshal([]byte(text), &message) == nil {
		return message
	}
	return text
}
