package wire

import (
	"bytes"
	"encoding/json"
)

// Members calls f for each member of the object in text, in its order; value
// is a part of text. It reports false where text is no object. Text must be
// [Valid].
func Members(text []byte, f func(key string, value []byte)) bool {
	text = bytes.TrimSpace(text)
	if len(text) < 2 || text[0] != '{' {
		return false
	}
	for i := skipSpace(text, 1); i < len(text) && text[i] == '"'; {
		end := stringEnd(text, i)
		key := unquote(text[i:end])
		i = skipSpace(text, skipSpace(text, end)+1) // behind the colon
		end = valueEnd(text, i)
		f(key, text[i:end])
		i = skipSpace(text, skipSpace(text, end)+1) // behind the comma
	}
	return true
}

// Elements calls f for each element of the array in text, as [Members] does
// for objects.
func Elements(text []byte, f func(value []byte)) bool {
	text = bytes.TrimSpace(text)
	if len(text) < 2 || text[0] != '[' {
		return false
	}
	for i := skipSpace(text, 1); i < len(text) && text[i] != ']'; {
		end := valueEnd(text, i)
		f(text[i:end])
		i = skipSpace(text, skipSpace(text, end)+1)
	}
	return true
}

func unquote(text []byte) string {
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text[1 : len(text)-1])
	}
	var s string
	if json.Unmarshal(text, &s) != nil {
		return string(text)
	}
	return s
}

func skipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r') {
		i++
	}
	return i
}

// valueEnd is the index behind the value that begins at text[i].
func valueEnd(text []byte, i int) int {
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
