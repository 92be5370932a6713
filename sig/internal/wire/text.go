package wire

import (
	"bytes"
	"fmt"
	"regexp"
	"unicode/utf8"
)

const hex = "0123456789abcdef"

// AppendString appends s as a JSON string in raw UTF-8. Bytes that are not
// UTF-8 become U+FFFD.
func AppendString(b []byte, s string) []byte { return appendString(b, s, false) }

// AppendASCII is AppendString with everything except ASCII escaped: pysig
// closes the connection on other text in an exception.
func AppendASCII(b []byte, s string) []byte { return appendString(b, s, true) }

func appendString(b []byte, s string, ascii bool) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r < 0x20 || r == 0x7f:
			b = appendEscape(b, r)
		case r < utf8.RuneSelf || !ascii:
			b = utf8.AppendRune(b, r)
		case r > 0xffff:
			r -= 0x10000
			b = appendEscape(b, 0xd800+(r>>10))
			b = appendEscape(b, 0xdc00+(r&0x3ff))
		default:
			b = appendEscape(b, r)
		}
	}
	return append(b, '"')
}

// OneLine makes JSON text one line, in place: any newlines in it are white
// space.
func OneLine(text []byte) []byte {
	for rest := text; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			return text
		}
		rest[i] = ' '
		rest = rest[i+1:]
	}
}

// Plain returns what is between the quotes of an ASCII JSON string that has
// nothing escaped.
func Plain(text []byte) (inner []byte, ok bool) {
	end := len(text) - 1
	if end < 1 || text[0] != '"' || skipPlain(text, 1) != end || text[end] != '"' {
		return nil, false
	}
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return nil, false
		}
	}
	return text[1:end], true
}

func appendEscape(b []byte, r rune) []byte {
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// Excerpt quotes the beginning of what a peer sent, for an error's text, which may end
// up in a log. It ends before what may be a secret.
func Excerpt(text []byte) string {
	begins := Beginning(text, 24)
	if len(begins) < len(text) {
		return fmt.Sprintf("%q...", begins)
	}
	return fmt.Sprintf("%q", begins)
}

// Beginning is at most n bytes, and nothing that may be a secret.
func Beginning(text []byte, n int) []byte {
	text = text[:min(n, len(text))]
	if i := secret.FindIndex(text); i != nil {
		return text[:i[0]]
	}
	return text
}

// secret is what begins or names one.
var secret = regexp.MustCompile(`(?i)sigalert_|token|authorization|bearer`)
