package wire

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Valid reports whether text is one JSON value in valid UTF-8. Python's NaN,
// Infinity and -Infinity count as values.
func Valid(text []byte) bool { return valid(text, MaxDepth+envelope) }

// ValidData is [Valid] for data that goes into a message: nested at most
// [MaxDepth] deep.
func ValidData(text []byte) bool { return valid(text, MaxDepth) }

func valid(text []byte, depth int) bool {
	i := skipSpace(text, 0)
	end := validValue(text, i, depth)
	return end > 0 && skipSpace(text, end) == len(text) && utf8.Valid(text)
}

// validValue returns the index just after the value that begins at text[i], or
// -1 if there is none that is nested at most depth deep.
func validValue(text []byte, i, depth int) int {
	if i >= len(text) {
		return -1
	}
	switch c := text[i]; {
	case c == '"':
		return validString(text, i)
	case c == '{':
		return validObject(text, i, depth)
	case c == '[':
		return validArray(text, i, depth)
	case c == '-' || '0' <= c && c <= '9':
		if n := notNumberAt(text[i:]); n > 0 {
			return i + n
		}
		return validNumber(text, i)
	}
	for _, word := range [...]string{"null", "true", "false", "NaN", "Infinity"} {
		if len(text)-i >= len(word) && string(text[i:i+len(word)]) == word {
			return i + len(word)
		}
	}
	return -1
}

func validObject(text []byte, i, depth int) int {
	if depth == 0 {
		return -1
	}
	i = skipSpace(text, i+1)
	if i < len(text) && text[i] == '}' {
		return i + 1
	}
	for i < len(text) && text[i] == '"' {
		if i = validString(text, i); i < 0 {
			return -1
		}
		if i = skipSpace(text, i); i == len(text) || text[i] != ':' {
			return -1
		}
		if i = validValue(text, skipSpace(text, i+1), depth-1); i < 0 {
			return -1
		}
		if i = skipSpace(text, i); i == len(text) {
			return -1
		}
		switch text[i] {
		case '}':
			return i + 1
		case ',':
			i = skipSpace(text, i+1)
		default:
			return -1
		}
	}
	return -1
}

func validArray(text []byte, i, depth int) int {
	if depth == 0 {
		return -1
	}
	i = skipSpace(text, i+1)
	if i < len(text) && text[i] == ']' {
		return i + 1
	}
	for {
		if i = validValue(text, i, depth-1); i < 0 {
			return -1
		}
		if i = skipSpace(text, i); i == len(text) {
			return -1
		}
		switch text[i] {
		case ']':
			return i + 1
		case ',':
			i = skipSpace(text, i+1)
		default:
			return -1
		}
	}
}

func validString(text []byte, i int) int {
	for i++; ; i++ {
		i = skipPlain(text, i)
		if i == len(text) {
			return -1
		}
		switch c := text[i]; {
		case c == '"':
			return i + 1
		case c < 0x20:
			return -1
		}
		if i++; i == len(text) { // after a backslash
			return -1
		}
		switch text[i] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		case 'u':
			for range 4 {
				if i++; i == len(text) || !isHex(text[i]) {
					return -1
				}
			}
		default:
			return -1
		}
	}
}

// skipPlain returns the index of the next quote, backslash or control character
// from i on, or len(text). It looks at eight bytes at a time.
func skipPlain(text []byte, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(text); i += 8 {
		w := binary.LittleEndian.Uint64(text[i:])
		quote, backslash := w^(ones*'"'), w^(ones*'\\')
		found := ((quote-ones)&^quote | (backslash-ones)&^backslash | (w-ones*0x20)&^w) & highs
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c == '"' || c == '\\' || c < 0x20 {
			return i
		}
	}
	return i
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func validNumber(text []byte, i int) int {
	if text[i] == '-' {
		i++
	}
	switch {
	case i < len(text) && text[i] == '0':
		i++
	default:
		if i = digits(text, i); i < 0 {
			return -1
		}
	}
	if i < len(text) && text[i] == '.' {
		if i = digits(text, i+1); i < 0 {
			return -1
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		if i++; i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		if i = digits(text, i); i < 0 {
			return -1
		}
	}
	return i
}

// digits returns the index after at least one digit, or -1.
func digits(text []byte, i int) int {
	first := i
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	if i == first {
		return -1
	}
	return i
}
