// Package age reads and writes how long something is kept.
package age

import (
	"fmt"
	"math"
	"strings"
	"time"
)

const day = 24 * time.Hour

// Least is the shortest age: less is a slip of whoever wrote it, and would remove
// everything at once.
const Least = time.Minute

// Parse reads for how long something is kept: days, a Go duration, or both,
// such as 30d, 720h or 1d12h. 0 means no limit.
func Parse(text string) (time.Duration, error) {
	d, err := Span(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w: use days or hours, such as 30d or 720h, or 0 for no limit", err)
	case d < Least && (d != 0 || strings.ContainsAny(text, "123456789")): // what is less than a nanosecond is 0 too
		return 0, fmt.Errorf("%q is too short an age: use at least 1m, or 0 for no limit", text)
	}
	return d, nil
}

// Span reads how long something is, as Parse does, however short.
func Span(text string) (time.Duration, error) {
	days, rest, ok := strings.Cut(text, "d")
	switch {
	case !ok:
		days, rest = "0", text
	case rest == "":
		rest = "0"
	}
	whole, err := time.ParseDuration(days + "h") // and each hour is a day
	part, perr := time.ParseDuration(rest)
	switch {
	case err != nil, perr != nil,
		strings.Trim(days, "0123456789.") != "", strings.ContainsAny(rest, "+-"),
		whole > math.MaxInt64/24, part > math.MaxInt64-24*whole:
		return 0, fmt.Errorf("%q is not a valid age", text)
	}
	return 24*whole + part, nil
}

// Text is an age as Parse takes it.
func Text(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d%day == 0:
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
