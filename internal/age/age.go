// Package age reads and writes how long something is kept.
package age

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Most is the longest age: time.Duration holds 292 years.
const Most = 100 * 365 * day

const day = 24 * time.Hour

// Parse reads a duration as Go writes it, or a number of days such as 30d.
// 0 means for ever.
func Parse(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n float64
		if n, err = strconv.ParseFloat(days, 64); err == nil {
			d = time.Duration(min(max(n, -1), 1e6) * float64(day))
		}
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is no age: want one like 12h or 30d, or 0 for ever", text)
	case d < 0 || d > Most:
		return 0, fmt.Errorf("an age of %s: from 0, which is for ever, to %s is possible", text, Text(Most))
	case d > 0 && d < time.Second:
		return 0, fmt.Errorf("an age of %s: at least a second, or 0 for ever", text)
	}
	return d, nil
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
