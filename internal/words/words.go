// Package words writes numbers, sizes and durations as people read them, and finds the
// words that they meant.
package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Count is "1 event", "3 events" or "100,000 events".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return Number(n) + " " + what + "s"
}

// Number is a number with its thousands grouped: 100,000.
func Number(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// Bytes is a number of bytes in the units that people use: "7.3 GB".
func Bytes(n float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	i := 0
	// From 999,950 on, one decimal place would be 1000.0.
	for ; math.Abs(n) >= 999.95 && i < len(units)-1; i++ {
		n /= 1000
	}
	text := strconv.FormatFloat(n, 'f', 1, 64)
	return strings.TrimSuffix(text, ".0") + " " + units[i]
}

// Span is "8 s", "3 m", "2 h 5 m" or "1 d 4 h".
func Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d m", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d m", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// Took is how long something took: "0.4 s", "12 s", "3 m 5 s" or, from an hour on, as
// Span.
func Took(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute, d >= time.Hour:
		return Span(d)
	}
	return fmt.Sprintf("%d m %d s", int(d.Minutes()), int(d.Seconds())%60)
}
