package rule

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// duration makes text of a number of seconds, and a duration of text such as "1h30m".
func duration(m *meter, args []any) (any, error) {
	switch v := args[0].(type) {
	case string:
		if err := m.charge(20 * len(v)); err != nil {
			return nil, err
		}
		d, err := time.ParseDuration(v)
		if err != nil {
			return nil, errors.New(`the text is not a duration such as "1h30m"`)
		}
		return d, nil
	case time.Duration:
		return span(v), nil
	}
	seconds, ok := float(args[0])
	if !ok {
		return nil, mismatchf("duration takes a number of seconds, or text, not %s", kind(args[0]))
	}
	if math.Abs(seconds) > 1e9 {
		return nil, errLarge
	}
	return span(time.Duration(seconds * float64(time.Second))), nil
}

// layout is what a time is formatted by.
func layout(m *meter, a, _ any) (any, error) {
	text, ok := a.(string)
	switch {
	case !ok:
		return nil, mismatchf("Format takes text, not %s", kind(a))
	case len(text) > 1_000:
		return nil, errors.New("a format has at most 1,000 characters")
	}
	return text, m.charge(100 + 20*len(text))
}

// layouts are how times are written.
var layouts = []string{
	time.RFC3339, "2006-01-02T15:04:05", time.DateTime, "2006-01-02 15:04", time.DateOnly, time.TimeOnly,
	time.RFC1123, time.RFC1123Z, time.RFC850, time.RFC822, time.UnixDate, time.ANSIC,
}

// date makes a time of text, in the local zone if it has none of its own, or of the
// seconds since 1970.
func date(m *meter, args []any) (time.Time, error) {
	zone := m.now.Location()
	switch v := args[0].(type) {
	case time.Time:
		return v, nil
	case string:
		tried := layouts
		if len(args) == 2 {
			tried = []string{args[1].(string)}
		}
		for _, layout := range tried {
			if t, err := time.ParseInLocation(layout, v, zone); err == nil {
				return t.In(zone), nil
			}
		}
		return time.Time{}, fmt.Errorf("the text is not a time such as %q", tried[0])
	}
	seconds, ok := float(args[0])
	if !ok {
		return time.Time{}, mismatchf("a time can be made of text or a number of seconds, not of %s", kind(args[0]))
	}
	if math.Abs(seconds) > 1e11 {
		return time.Time{}, errors.New("the number is too large for a time: it must be seconds since 1970")
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).In(zone), nil
}
