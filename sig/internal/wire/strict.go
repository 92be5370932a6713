package wire

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// pysig writes these unquoted, as Python's json does; JSON has no such values.
var notNumbers = [][]byte{[]byte("-Infinity"), []byte("Infinity"), []byte("NaN")}

// Valid reports whether text is one JSON value in valid UTF-8. Python's NaN,
// Infinity and -Infinity count as values.
func Valid(text []byte) bool {
	return utf8.Valid(text) && json.Valid(Strict(text))
}

// Strict returns text with Python's NaN, Infinity and -Infinity made null, so
// that any JSON reader takes it. It returns text itself where it has none.
func Strict(text []byte) []byte {
	if !bytes.Contains(text, []byte("NaN")) && !bytes.Contains(text, []byte("Infinity")) {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		if text[i] == '"' {
			end := stringEnd(text, i)
			out = append(out, text[i:end]...)
			i = end
			continue
		}
		if n := notNumberAt(text[i:]); n > 0 {
			out = append(out, "null"...)
			i += n
			continue
		}
		out = append(out, text[i])
		i++
	}
	return out
}

func notNumberAt(text []byte) int {
	for _, w := range notNumbers {
		if bytes.HasPrefix(text, w) {
			return len(w)
		}
	}
	return 0
}

// stringEnd is the index behind the string that begins at text[i], or
// len(text) where it does not end.
func stringEnd(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
