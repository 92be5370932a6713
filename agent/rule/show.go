package rule

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sigalert/internal/words"
)

// Show is a value as a text shows it: text as it is, nothing for nil, numbers as JSON
// writes them, times as "2006-01-02 15:04", durations as "2 m 5 s", lists and objects
// as compact JSON, of which only the first 64 KiB.
func Show(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case Number:
		return v.spelling
	case time.Time:
		return v.Format("2006-01-02 15:04")
	case time.Duration:
		return span(v)
	}
	return cutJSON(v, maxText)
}

// JSON is a value as compact JSON, with < > & as they are: this is not HTML. A time is
// text as RFC 3339 has it. What is longer than 2 MiB is cut.
func JSON(v any) string { return cutJSON(v, 2<<20) }

// cutJSON is JSON that ends after so many bytes.
func cutJSON(v any, limit int) string {
	b := appendJSON(nil, v, limit)
	return string(b[:min(len(b), limit)])
}

// appendJSON appends a value as JSON, and ends soon after limit bytes: lists can hold
// the same value many times, and so be far larger than they look.
func appendJSON(b []byte, v any, limit int) []byte {
	if len(b) > limit {
		return b
	}
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case Number:
		return append(b, v.spelling...)
	case float64:
		return appendFloat(b, v)
	case time.Time:
		return appendText(b, v.Format(time.RFC3339))
	case time.Duration:
		return appendText(b, span(v))
	case string:
		return appendText(b, v)
	case []any:
		b = append(b, '[')
		for i, element := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b = appendJSON(b, element, limit); len(b) > limit {
				return b
			}
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		for i, key := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, key), ':')
			if b = appendJSON(b, v[key], limit); len(b) > limit {
				return b
			}
		}
		return append(b, '}')
	}
	if list, ok := elements(v); ok {
		return appendJSON(b, list, limit)
	}
	return appendText(b, fmt.Sprint(v))
}

// appendFloat writes a float as encoding/json does.
func appendFloat(b []byte, f float64) []byte {
	if size := math.Abs(f); size == 0 || size >= 1e-6 && size < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	text := strconv.FormatFloat(f, 'e', -1, 64)
	if n := len(text); n >= 4 && text[n-4] == 'e' && text[n-2] == '0' { // e-09
		text = text[:n-2] + text[n-1:]
	}
	return append(b, text...)
}

func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	plain := 0 // where what needs no escape begins
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r >= ' ' && r != '"' && r != '\\' && r != '\u2028' && r != '\u2029' && !(r == utf8.RuneError && size == 1) {
			i += size
			continue
		}
		b = append(b, s[plain:i]...)
		switch r {
		case '"', '\\':
			b = append(b, '\\', byte(r))
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
		i += size
		plain = i
	}
	return append(append(b, s[plain:]...), '"')
}

func span(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + span(max(-d, 0))
	case d < 10*time.Second && d%time.Second != 0, d >= time.Minute && d < time.Hour:
		return words.Took(d)
	}
	return words.Span(d)
}

// size is a number of bytes in the units that people use: "7.3 GB".
func size(n float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	i := 0
	// From 999,950 on, one decimal place would be 1000.0.
	for ; math.Abs(n) >= 999.95 && i < len(units)-1; i++ {
		n /= 1000
	}
	text := strconv.FormatFloat(n, 'f', 1, 64)
	return strings.TrimSuffix(text, ".0") + " " + units[i]
}

// kind is what a value is, for errors.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case bool:
		return "true or false"
	case int, float64, Number, time.Weekday, time.Month:
		return "a number"
	case string:
		return "text"
	case []any, []int:
		return "a list"
	case map[string]any:
		return "an object"
	case time.Time:
		return "a time"
	case time.Duration:
		return "a duration"
	}
	return "something else"
}
