package rule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"sigalert/internal/words"
)

// Show is a value as a text shows it: text as it is, nothing for nil, numbers as JSON
// writes them, times as "2006-01-02 15:04", durations as "2 m 5 s", lists and objects
// as compact JSON.
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
		return string(v)
	case time.Time:
		return v.Format("2006-01-02 15:04")
	case time.Duration:
		return span(v)
	}
	return JSON(v)
}

// JSON is a value as compact JSON, with < > & as they are: this is not HTML. A time is
// text as RFC 3339 has it.
func JSON(v any) string {
	if d, ok := v.(time.Duration); ok {
		v = span(d)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil { // an infinity
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
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
