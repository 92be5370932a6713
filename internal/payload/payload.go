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
	"sigalert/internal/rawjson"
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

// members are the names of those that mean something, in lower case.
var members = [...]string{
	title: "title", message: "message", body: "body", text: "text", level: "urgency", priority: "priority",
	tag: "tag", address: "url", click: "click", icon: "icon", resolved: "resolved", actions: "actions",
}

const (
	title = iota
	message
	body
	text
	level
	priority
	tag
	address
	click
	icon
	resolved
	actions
)

// values are the texts in JSON of those members, as the last of a name has it; nil:
// there is none.
type values [len(members)]json.RawMessage

// Read reads the payload of data, which is JSON text.
func Read(data []byte) (p Payload) {
	if !bytes.HasSuffix(bytes.TrimRight(data, " \t\r\n"), []byte("}")) {
		return p
	}
	var v values
	for o := rawjson.Members(data); o.Next(); {
		// No other names begin so, nor are any longer, of which "ſ" and "K" count as
		// an s and a k.
		if len(o.Key) == 0 || len(o.Key) > 10 || strings.IndexByte("abcimprtu", o.Key[0]|0x20) < 0 {
			continue
		}
		for i, name := range members {
			if strings.EqualFold(string(o.Key), name) {
				v[i] = o.Value
			}
		}
	}
	p.Title = strings.TrimSpace(plain.Line(strings.TrimSpace(v.text(title)), maxTitle))
	for _, i := range []int{message, body, text} {
		if v.isText(i) {
			p.Message = new(plain.Text(v.text(i), maxMessage))
			break
		}
	}
	p.Urgency = cmp.Or(Urgency(v.word(level)), Urgency(v.word(priority)))
	p.Tag = v.text(tag)
	p.URL = cmp.Or(Link(v.text(address)), Link(v.text(click)))
	p.Icon = ThemeName(v.text(icon))
	p.Resolved = string(v[resolved]) == "true"
	p.Actions = buttons(v[actions])
	return p
}

// text is a member's text; "" if it is of another type.
func (v *values) text(i int) string { return textOf(v[i]) }

func (v *values) isText(i int) bool { return isText(v[i]) }

func isText(value []byte) bool { return len(value) > 0 && value[0] == '"' }

func textOf(value []byte) string {
	if !isText(value) {
		return ""
	}
	s, _ := rawjson.Unquote(value)
	return string(s)
}

// word is a member's text, or what it is in JSON: a number may be text.
func (v *values) word(i int) string {
	if v.isText(i) {
		return v.text(i)
	}
	return string(v[i])
}

// buttons reads a list of actions; what is none is left out.
func buttons(list json.RawMessage) (all []Action) {
	if len(list) == 0 || list[0] != '[' {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(list))
	_, err := dec.Token()
	for n := 0; err == nil && n < maxOffered && len(all) < maxActions && dec.More(); n++ {
		var action json.RawMessage
		if err = dec.Decode(&action); err != nil {
			break
		}
		label := strings.TrimSpace(plain.Line(strings.TrimSpace(member(action, "label")), maxLabel))
		if open := Link(member(action, "open")); label != "" && open != "" {
			all = append(all, Action{label, open})
		}
	}
	return all
}

// member is the text that a member of an object is; "" if it is another.
func member(object []byte, name string) string {
	var value []byte
	for o := rawjson.Members(object); o.Next(); {
		if strings.EqualFold(string(o.Key), name) {
			value = o.Value
		}
	}
	return textOf(value)
}

// Image returns the file of a picture that data, which is JSON text, has in its member
// image as base64, perhaps as a data: address; nil if it has none, or one of more than
// 256 KiB.
func Image(data []byte) []byte {
	encoded := member(data, "image")
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

// Urgency returns what a word or a number for how urgent something is means: "low",
// "normal" or "critical"; "" if it means nothing.
func Urgency(word string) string {
	word = strings.ToLower(strings.TrimSpace(word))
	if word != "" && word[0] <= '9' { // an error would cost more than all the rest
		if n, err := strconv.ParseFloat(word, 64); err == nil {
			word = strconv.FormatFloat(n, 'f', -1, 64)
		}
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

// Link returns an address without the blanks around it, if it is safe to open for
// somebody who clicks; "" for any other. It is http, https or mailto.
func Link(address string) string {
	address = strings.TrimSpace(address)
	if address == "" || len(address) > MaxLink || strings.ContainsAny(address, " \t\"<>\\`") || address != plain.Line(address, MaxLink) {
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
