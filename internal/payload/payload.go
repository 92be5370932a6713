// Package payload reads from an event's data how it is to be shown: its title, its
// message, how urgent it is, where a click leads, and which buttons it has.
//
// Data that is an object may say so in members that senders for other programs know
// too; docs/payload.md lists them. A member of the wrong type, or with a value that
// means nothing here, counts as if it were not there, and so does all of it where
// the data is not an object. Upper and lower case in a member's name are the same.
package payload

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"

	"sigalert/internal/plain"
)

// MaxLink is the longest address that [Link] takes, in bytes.
const MaxLink = 2_048

const (
	maxTitle   = 200       // characters
	maxMessage = 2_000     // characters
	maxActions = 3         // that are read
	maxOffered = 20        // that are looked at
	maxLabel   = 40        // characters
	maxImage   = 256 << 10 // bytes
	maxIcon    = 100       // bytes
)

// Payload is what data says about how it is to be shown. Its texts are safe to show.
type Payload struct {
	Title    string  // one line of at most 200 characters; "": none
	Message  *string // at most 2,000 characters; nil: none
	Urgency  string  // "low", "normal" or "critical"; "": none
	Tag      string  // what it is about: the next with this tag takes its place; "": none
	URL      string  // http, https or mailto; "": none
	Icon     string  // the name of an icon in a theme; "": none
	Resolved bool    // what it is about is over
	Actions  []Action
}

// Action is a button that opens an address.
type Action struct {
	Label string // one line of at most 40 characters
	Open  string // http, https or mailto
}

// Read reads the payload of data, which is JSON text.
func Read(data []byte) (p Payload) {
	if data = bytes.TrimLeft(data, " \t\r\n"); len(data) == 0 || data[0] != '{' {
		return p
	}
	var m members
	if json.Unmarshal(data, &m) != nil {
		return p
	}
	p.Title = strings.TrimSpace(plain.Line(strings.TrimSpace(m.Title.or()), maxTitle))
	if text := cmp.Or(m.Message.string, m.Body.string, m.Text.string); text != nil {
		p.Message = new(plain.Text(*text, maxMessage))
	}
	p.Urgency = cmp.Or(Urgency(string(m.Urgency)), Urgency(string(m.Priority)))
	p.Tag = m.Tag.or()
	p.URL = cmp.Or(Link(m.URL.or()), Link(m.Click.or()))
	p.Icon = ThemeName(m.Icon.or())
	p.Resolved = bool(m.Resolved)
	p.Actions = m.Actions
	return p
}

// Image returns the file of a picture that data, which is JSON text, has in its member
// image as base64, perhaps as a data: address; nil if it has none, or one of more than
// 256 KiB.
func Image(data []byte) []byte {
	var m struct{ Image text }
	if data = bytes.TrimLeft(data, " \t\r\n"); len(data) == 0 || data[0] != '{' || json.Unmarshal(data, &m) != nil {
		return nil
	}
	encoded := m.Image.or()
	if head, rest, ok := strings.Cut(encoded, ";base64,"); ok && strings.HasPrefix(head, "data:") {
		encoded = rest
	}
	encoded = strings.TrimRight(strings.NewReplacer("\n", "", "\r", "").Replace(encoded), "= ")
	if len(encoded) > base64.RawStdEncoding.EncodedLen(maxImage) {
		return nil
	}
	image, err := base64.RawStdEncoding.DecodeString(encoded)
	if err != nil {
		return nil
	}
	return image
}

// Rest reports whether a member's name is none that says how the others are shown:
// what is left to show beside a title. A link is, for not every desktop opens it.
func Rest(name string) bool {
	switch strings.ToLower(name) {
	case "title", "urgency", "priority", "tag", "icon", "resolved", "actions", "image":
		return false
	}
	return true
}

// members are those that mean something, each with its first name first.
type members struct {
	Title               text
	Message, Body, Text text
	Urgency, Priority   level
	Tag                 text
	URL, Click          text
	Icon                text
	Resolved            flag
	Actions             actions
}

// text is a string; nil for what is none.
type text struct{ string *string }

func (t text) or() string {
	if t.string == nil {
		return ""
	}
	return *t.string
}

func (t *text) UnmarshalJSON(value []byte) error {
	t.string = nil
	if value[0] == '"' {
		return json.Unmarshal(value, &t.string)
	}
	return nil
}

// level is a word or a number for how urgent something is. A number may be text.
type level string

func (l *level) UnmarshalJSON(value []byte) error {
	word := string(value)
	if value[0] == '"' {
		if err := json.Unmarshal(value, &word); err != nil {
			return err
		}
	}
	*l = level(word)
	return nil
}

// Urgency returns what a word or a number for how urgent something is means: "low",
// "normal" or "critical"; "" if it means nothing.
func Urgency(word string) string {
	word = strings.ToLower(strings.TrimSpace(word))
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		word = strconv.FormatFloat(n, 'f', -1, 64)
	}
	return urgencies[word]
}

// urgencies are the words and numbers for how urgent something is: ours, and ntfy's
// priorities.
var urgencies = map[string]string{
	"1": "low", "min": "low", "2": "low", "low": "low",
	"3": "normal", "default": "normal", "normal": "normal", "4": "normal", "high": "normal",
	"5": "critical", "max": "critical", "urgent": "critical", "critical": "critical",
}

type flag bool

func (f *flag) UnmarshalJSON(value []byte) error {
	*f = string(value) == "true"
	return nil
}

// actions are buttons; what is none is left out.
type actions []Action

func (a *actions) UnmarshalJSON(value []byte) error {
	*a = nil
	if value[0] != '[' {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(value))
	_, err := dec.Token()
	for n := 0; err == nil && n < maxOffered && len(*a) < maxActions && dec.More(); n++ {
		var m action
		if err = dec.Decode(&m); err != nil {
			break
		}
		label := strings.TrimSpace(plain.Line(strings.TrimSpace(m.Label.or()), maxLabel))
		if open := Link(m.Open.or()); label != "" && open != "" {
			*a = append(*a, Action{label, open})
		}
	}
	return err
}

// action is a button's members; none of a value that is not an object.
type action struct{ Label, Open text }

func (a *action) UnmarshalJSON(value []byte) error {
	type members action
	if value[0] != '{' {
		return nil
	}
	return json.Unmarshal(value, (*members)(a))
}

// Link returns an address without the blanks around it, if it is safe to open for
// somebody who clicks; "" for any other. It is http, https or mailto.
func Link(address string) string {
	address = strings.TrimSpace(address)
	if len(address) > MaxLink || strings.ContainsAny(address, " \t\"<>\\`") || address != plain.Line(address, MaxLink) {
		return ""
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
	case (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "":
		return address
	case u.Scheme == "mailto" && u.Opaque != "" && !attaches(u):
		return address
	}
	return ""
}

// attaches reports whether a mailto link asks for a file to be sent.
func attaches(mail *url.URL) bool {
	for name := range mail.Query() {
		if strings.HasPrefix(strings.ToLower(name), "attach") {
			return true
		}
	}
	return false
}

// ThemeName returns a name that an icon or a sound of a theme may have; "" for anything
// else, such as a path.
func ThemeName(name string) string {
	if len(name) > maxIcon || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "-") {
		return ""
	}
	for _, c := range []byte(name) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("._+-", c) >= 0) {
			return ""
		}
	}
	return name
}
