package wire

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// Object walks the members of a JSON object, in order. It allocates nothing,
// and its parts are slices of the text:
//
//	for o := wire.ObjectOf(text); o.Next(); {
//		switch string(o.Key) {
//		case "id": id = o.Value
//		}
//	}
type Object struct {
	Key   []byte // the member's name
	Value []byte // its JSON text

	text []byte
	i    int
}

// ObjectOf walks text, which must be [Valid]. If text is not an object, it has
// no members.
func ObjectOf(text []byte) Object {
	o := Object{text: text}
	if o.i = skipSpace(text, 0); !IsObject(text) {
		o.i = len(text)
	} else {
		o.i = skipSpace(text, o.i+1)
	}
	return o
}

// ParseObject validates text, an object, and calls f for each of its members.
// It returns false if text is not [Valid], or not an object: f may then have
// been called for the members before the fault.
func ParseObject(text []byte, f func(key, value []byte)) bool {
	i := skipSpace(text, 0)
	if i == len(text) || text[i] != '{' || !utf8.Valid(text) {
		return false
	}
	if i = skipSpace(text, i+1); i < len(text) && text[i] == '}' {
		return skipSpace(text, i+1) == len(text)
	}
	for i < len(text) && text[i] == '"' {
		end := validString(text, i)
		if end < 0 {
			return false
		}
		key := unquote(text[i:end])
		if i = skipSpace(text, end); i == len(text) || text[i] != ':' {
			return false
		}
		i = skipSpace(text, i+1)
		if end = validValue(text, i, MaxDepth+envelope-1); end < 0 {
			return false
		}
		f(key, text[i:end:end])
		if i = skipSpace(text, end); i == len(text) {
			return false
		}
		switch text[i] {
		case '}':
			return skipSpace(text, i+1) == len(text)
		case ',':
			i = skipSpace(text, i+1)
		default:
			return false
		}
	}
	return false
}

// IsObject reports whether text is an object. Text must be [Valid].
func IsObject(text []byte) bool {
	i := skipSpace(text, 0)
	return i < len(text) && text[i] == '{'
}

// Next moves on to the next member; false after the last.
func (o *Object) Next() bool {
	if o.i >= len(o.text) || o.text[o.i] != '"' {
		return false
	}
	end := skipPlain(o.text, o.i+1) + 1
	if o.text[end-1] == '"' {
		o.Key = o.text[o.i+1 : end-1]
	} else {
		end = stringEnd(o.text, o.i)
		o.Key = unquote(o.text[o.i:end])
	}
	begin := skipSpace(o.text, skipSpace(o.text, end)+1) // after the colon
	end = valueEnd(o.text, begin)
	o.Value = o.text[begin:end:end]
	o.i = skipSpace(o.text, skipSpace(o.text, end)+1) // after the comma
	return true
}

// Array walks the elements of a JSON array as [Object] walks members.
type Array struct {
	Value []byte

	text []byte
	i    int
}

// ArrayOf walks text, which must be [Valid]; ok is false if it is not an array.
func ArrayOf(text []byte) (a Array, ok bool) {
	i := skipSpace(text, 0)
	if i >= len(text) || text[i] != '[' {
		return a, false
	}
	return Array{text: text, i: skipSpace(text, i+1)}, true
}

// Next moves on to the next element; false after the last.
func (a *Array) Next() bool {
	if a.i >= len(a.text) || a.text[a.i] == ']' {
		return false
	}
	end := valueEnd(a.text, a.i)
	a.Value = a.text[a.i:end:end]
	a.i = skipSpace(a.text, skipSpace(a.text, end)+1)
	return true
}

func unquote(text []byte) []byte {
	inner := text[1 : len(text)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	var s string
	if json.Unmarshal(text, &s) != nil {
		return text
	}
	return []byte(s)
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
		i++
	}
	return i
}

// valueEnd returns the index just after the value that begins at text[i].
func valueEnd(text []byte, i int) int {
	if text[i] == '"' {
		return stringEnd(text, i)
	}
	for depth := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			i = stringEnd(text, i) - 1
		case c == '{' || c == '[':
			depth++
			continue
		case c == '}' || c == ']':
			if depth == 0 {
				return i // the end of what surrounds a bare scalar
			}
			depth--
		case depth == 0 && (c == ',' || c == ' ' || c == '\t' || c == '\n' || c == '\r'):
			return i
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(text)
}

// stringEnd returns the index just after the string that begins at text[i], or
// len(text) if it does not end.
func stringEnd(text []byte, i int) int {
	for i++; ; i++ {
		i = skipPlain(text, i)
		switch {
		case i >= len(text):
			return len(text)
		case text[i] == '"':
			return i + 1
		case text[i] == '\\':
			i++
		}
	}
}
