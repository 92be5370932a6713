package topic

import (
	"encoding/json"
	"strings"

	"sigalert/internal/plain"
	"sigalert/sig"
)

const maxName = 200 // characters of a name that are shown

// Name is a name as one line, cut if it is very long. A text that spells a number,
// begins with a quotation mark, or has what nobody sees is in quotes: 5 is the number,
// "5" the text, and "a\u200b" is not a.
func Name(n sig.Name) string {
	if text := n.String(); isText(n) && (strings.Contains(text, "\n") || plain.EscapeUnseen(text) != text) {
		return plain.Line(plain.EscapeUnseen(string(n.JSON())), maxName)
	}
	line := plain.Line(n.String(), maxName)
	bare := strings.TrimSpace(line)
	if _, number := number(bare); isText(n) && (number || bare == "" || bare[0] == '"') {
		if line == "" {
			return `""`
		}
		return string(sig.Name(line).JSON()) // which, unlike json.Marshal, leaves < and > as they are
	}
	return line
}

// Meanings are the names that a word may mean to somebody who listens or looks for
// it: the text and, if it spells a number, the number as well. A word in quotes, as
// Name shows it, is that text alone. An empty word is the zero Name: every one.
func Meanings(word string) []sig.Name {
	if text, ok := quoted(word); ok {
		return []sig.Name{text}
	}
	names := []sig.Name{Text(word)}
	if n, ok := number(word); ok {
		names = append(names, n)
	}
	return names
}

// Meant are the topics that a sender's and an event's word may mean.
func Meant(sender, event string) (topics []Topic) {
	for _, s := range Meanings(sender) {
		for _, e := range Meanings(event) {
			topics = append(topics, Topic{s, e})
		}
	}
	return topics
}

// Text is the name that is this text. A Name that begins with NUL would be the
// JSON after it.
func Text(word string) sig.Name {
	if !strings.HasPrefix(word, "\x00") {
		return sig.Name(word)
	}
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // as names are spelled
	_ = enc.Encode(word)
	return sig.Name("\x00" + strings.TrimSuffix(text.String(), "\n"))
}

// number is the number, true or false that a word spells as JSON does.
func number(word string) (n sig.Name, ok bool) {
	switch word {
	case "true", "false", "NaN", "Infinity":
	case "":
		return "", false
	default:
		if c := word[0]; c != '-' && (c < '0' || c > '9') {
			return "", false
		}
	}
	n, err := sig.ParseName([]byte(word))
	return n, err == nil && n == "\x00"+sig.Name(word) && !isText(n)
}

// quoted is the text that a word holds in quotes.
func quoted(word string) (text sig.Name, ok bool) {
	text, err := sig.ParseName([]byte(word))
	return text, err == nil && strings.HasPrefix(word, `"`)
}

// isText reports whether a name is text, not a number, true, false or every one.
func isText(n sig.Name) bool { return strings.HasPrefix(string(n.JSON()), `"`) }
