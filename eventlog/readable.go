package eventlog

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Readable is JSON text whose strings are spelled as people read them: pysig
// writes "\u00e9" for "é". It is text itself if there is nothing to change.
func Readable(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\u`)) {
		return text
	}
	out := make([]byte, 0, len(text))
	for {
		start := bytes.IndexByte(text, '"')
		if start < 0 {
			return append(out, text...)
		}
		end, closed := endOfString(text, start)
		out = append(out, text[:start]...)
		if closed {
			out = appendReadable(out, text[start:end])
		} else {
			out = append(out, text[start:end]...)
		}
		text = text[end:]
	}
}

// endOfString is where the string that begins at start is over.
func endOfString(text []byte, start int) (end int, closed bool) {
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1, true
		}
	}
	return len(text), false
}

func appendReadable(out, text []byte) []byte {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return append(out, text...)
		}
		out, text = append(out, text[:i]...), text[i:]
		r, size := escaped(text)
		switch {
		case size == 0: // another escape, such as \n
			size = 2
			out = append(out, text[:size]...)
		case r == utf8.RuneError || r < ' ' || r == '"' || r == '\\' || r == '\u2028' || r == '\u2029': // stays escaped
			out = append(out, text[:size]...)
		default:
			out = utf8.AppendRune(out, r)
		}
		text = text[size:]
	}
}

// escaped is the character that text begins with as \u00e9 or as two of those,
// and their length; 0: it begins with something else. Half of a pair is
// utf8.RuneError.
func escaped(text []byte) (r rune, size int) {
	r, ok := unit(text)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, unitSize
	}
	if second, ok := unit(text[unitSize:]); ok {
		if both := utf16.DecodeRune(r, second); both != utf8.RuneError {
			return both, 2 * unitSize
		}
	}
	return utf8.RuneError, unitSize
}

const unitSize = len(`\u00e9`)

func unit(text []byte) (r rune, ok bool) {
	if len(text) < unitSize || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:unitSize]), 16, 16)
	return rune(n), err == nil
}
