package rule

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"reflect"
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
func JSON(v any) string { return cutJSON(v, maxJSON) }

const maxJSON = 2 << 20

// cutJSON is JSON that ends after so many bytes.
func cutJSON(v any, limit int) string {
	p := printer{limit: limit}
	p.print(v)
	return string(p.text[:min(len(p.text), limit)])
}

// printer writes JSON, and ends soon after limit bytes: lists can hold the same value
// many times, and so be far larger than they look.
type printer struct {
	text  []byte
	limit int
	meter *meter // of the objects that are sorted; nil: they are not counted
	err   error  // the meter's
}

func (p *printer) print(v any) {
	if p.full() {
		return
	}
	switch v := v.(type) {
	case nil:
		p.text = append(p.text, "null"...)
	case bool:
		p.text = strconv.AppendBool(p.text, v)
	case int:
		p.text = strconv.AppendInt(p.text, int64(v), 10)
	case Number:
		p.text = append(p.text, v.spelling...)
	case float64:
		p.text = appendFloat(p.text, v)
	case time.Time:
		p.text = appendText(p.text, v.Format(time.RFC3339))
	case time.Duration:
		p.text = appendText(p.text, span(v))
	case string:
		p.text = appendText(p.text, v)
	case []any:
		p.text = append(p.text, '[')
		for i, element := range v {
			if i > 0 {
				p.text = append(p.text, ',')
			}
			if p.print(element); p.full() {
				return
			}
		}
		p.text = append(p.text, ']')
	case map[string]any:
		if p.meter != nil {
			if p.err = p.meter.charge(100 * len(v)); p.err != nil {
				return
			}
		}
		p.text = append(p.text, '{')
		first := len(p.text)
		for key, member := range members(v) {
			if len(p.text) > first {
				p.text = append(p.text, ',')
			}
			p.text = append(appendText(p.text, key), ':')
			if p.print(member); p.full() {
				return
			}
		}
		p.text = append(p.text, '}')
	default:
		if list, ok := elements(v); ok {
			p.print(list)
			return
		}
		p.text = appendText(p.text, fmt.Sprint(v))
	}
}

func (p *printer) full() bool { return p.err != nil || len(p.text) > p.limit }

// printed is what large data looks like in JSON: rules often have all of it in several
// texts.
type printed struct {
	value any
	text  string
}

// find is the text of a value, if it is the last one that was kept.
func (p *printed) find(v any) (text string, known bool) {
	return p.text, p.text != "" && same(p.value, v)
}

func (p *printed) keep(v any, text string) {
	if len(text) > maxShared {
		p.value, p.text = v, text
	}
}

// same reports whether two values are one and the same list or object.
func same(a, b any) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	if x.Kind() != y.Kind() || x.Kind() != reflect.Map && x.Kind() != reflect.Slice {
		return false
	}
	return x.UnsafePointer() == y.UnsafePointer() && x.Len() == y.Len()
}

// JSON is a value of the event's as [JSON] has it.
func (e *Event) JSON(v any) string {
	text, known := e.meter.printed.find(v)
	if !known {
		text = JSON(v)
		e.meter.printed.keep(v, text)
	}
	return text
}

// members are those of an object, by their keys. What is sorted is small, for there may
// be 100,000.
func members(object map[string]any) iter.Seq2[string, any] {
	type place struct {
		begin uint64 // of the key, as a number whose order is that of the keys
		at    int
	}
	keys, order := make([]string, 0, len(object)), make([]place, 0, len(object))
	values := make([]any, 0, len(object))
	for key, v := range object {
		var begin [8]byte
		copy(begin[:], key)
		order = append(order, place{binary.BigEndian.Uint64(begin[:]), len(keys)})
		keys, values = append(keys, key), append(values, v)
	}
	slices.SortFunc(order, func(a, b place) int {
		if a.begin != b.begin {
			return cmp.Compare(a.begin, b.begin)
		}
		return strings.Compare(keys[a.at], keys[b.at])
	})
	return func(yield func(string, any) bool) {
		for _, p := range order {
			if !yield(keys[p.at], values[p.at]) {
				return
			}
		}
	}
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
		if c := s[i]; c < utf8.RuneSelf && c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
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
