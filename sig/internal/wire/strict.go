package wire

import "bytes"

// pysig writes these unquoted, as Python's json does; JSON has no such values.
var notNumbers = [][]byte{[]byte("-Infinity"), []byte("Infinity"), []byte("NaN")}

// Strict returns text with null in place of Python's NaN, Infinity and
// -Infinity, so that any JSON reader takes it. It returns text itself if it has
// none.
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
