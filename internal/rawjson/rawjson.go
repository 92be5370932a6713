// Package rawjson reads JSON text piece by piece, and decodes only what is asked for.
//
// The text must be valid JSON. Of any other it makes something or other, and does not
// panic.
package rawjson

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Object walks the members of a JSON object in order, and allocates nothing unless a
// name has escapes:
//
//	for o := rawjson.Members(text); o.Next(); {
//		use(o.Key, o.Value)
//	}
type Object struct {
	Key   []byte // the member's name
	Value []byte // its JSON text, a part of the object's

	text   []byte
	at     int // the next name
	object bool
}

// Members walks an object. If text is none, it has no members.
func Members(text []byte) Object {
	o := Object{text: text}
	o.skip()
	o.object = o.at < len(text) && text[o.at] == '{'
	o.at++
	o.skip()
	return o
}

// IsObject reports whether the text is an object.
func (o *Object) IsObject() bool { return o.object }

// More reports whether there is another member.
func (o *Object) More() bool {
	return o.object && o.at < len(o.text) && o.text[o.at] == '"'
}

// Next moves on to the next member; false after the last.
func (o *Object) Next() bool {
	if !o.More() {
		return false
	}
	end := StringEnd(o.text, o.at)
	o.Key, _ = Unquote(o.text[o.at:end])
	o.at = end
	o.skip()
	o.at++ // the colon
	o.skip()
	begin := min(o.at, len(o.text))
	o.at = valueEnd(o.text, begin)
	o.Value = o.text[begin:o.at:o.at]
	o.skip()
	o.at++ // the comma
	o.skip()
	return true
}

// skip moves on to what is not blank.
func (o *Object) skip() {
	for o.at < len(o.text) && o.text[o.at] <= ' ' {
		o.at++
	}
}

// valueEnd is just after the value that begins at text[i].
func valueEnd(text []byte, i int) int {
	for depth := 0; i < len(text); {
		switch c := text[i]; c {
		case '"':
			if i = StringEnd(text, i); depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 { // of what a number or a word is in
				return i
			}
			if depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return len(text)
}

// StringEnd is just after the string that begins at text[i].
func StringEnd(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return len(text)
}

// Unquote is what a string, in its quotes, stands for. If it has no escapes, that is a
// part of the text.
func Unquote(text []byte) (s []byte, part bool) {
	if len(text) < 2 {
		return nil, true
	}
	text = text[1 : len(text)-1]
	if bytes.IndexByte(text, '\\') < 0 && utf8.Valid(text) {
		return text, true
	}
	s = make([]byte, 0, len(text))
	for len(text) > 0 {
		if text[0] == '\\' && len(text) > 1 {
			var r rune
			r, text = escape(text)
			s = utf8.AppendRune(s, r)
			continue
		}
		r, size := utf8.DecodeRune(text)
		s, text = utf8.AppendRune(s, r), text[size:]
	}
	return s, false
}

// escape reads the escape that text begins with.
func escape(text []byte) (r rune, rest []byte) {
	if text[1] != 'u' {
		if i := strings.IndexByte("bfnrt", text[1]); i >= 0 {
			return rune("\b\f\n\r\t"[i]), text[2:]
		}
		return rune(text[1]), text[2:]
	}
	r = unit(text)
	rest = text[min(6, len(text)):]
	if utf16.IsSurrogate(r) {
		if r = utf16.DecodeRune(r, unit(rest)); r != utf8.RuneError {
			rest = rest[6:]
		}
	}
	return r, rest
}

// unit is what \u and four digits stand for; U+FFFD if text does not begin with that.
func unit(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return utf8.RuneError
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 32)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// Compact is the text without blanks.
func Compact(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		begin := i
		if i++; text[begin] == '"' {
			i = StringEnd(text, begin)
		} else if text[begin] <= ' ' {
			continue
		}
		out = append(out, text[begin:i]...)
	}
	return out
}
