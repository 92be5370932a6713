// Package hours is about times of the week that recur, by the clock on the wall: nights,
// weekends. A change to or from daylight-saving time, or of the time zone, moves them
// with the clock.
package hours

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Range is a time on some days of the week. The zero value is never.
type Range struct {
	days     [7]bool // on which it begins, from Sunday
	from, to int     // minutes since midnight, from 0 to 1440; if to is not after from, it ends on the next day
}

var span = regexp.MustCompile(`^(\d\d?):(\d\d)-(\d\d?):(\d\d)$`)

// Parse reads a range such as "22:00-07:00", "mon-fri 22:00-07:00" or "sat,sun", whose
// days are those on which it begins.
func Parse(text string) (r Range, err error) {
	words := strings.Fields(tight.ReplaceAllString(strings.ToLower(text), "$1"))
	r.to = day
	times := 0
	for i, word := range words {
		m := span.FindStringSubmatch(word)
		switch {
		case m != nil && times == 0:
			times++
			if r.from, err = clock(m[1], m[2]); err != nil {
				return Range{}, err
			}
			if r.to, err = clock(m[3], m[4]); err != nil {
				return Range{}, err
			}
		case m != nil:
			return Range{}, fmt.Errorf("%q has more than one time: make it two entries of the list", text)
		case i > 0:
			return Range{}, misread(text, word)
		default:
			if r.days, err = days(word); err != nil {
				return Range{}, misread(text, word)
			}
		}
	}
	switch {
	case len(words) == 0:
		return Range{}, fmt.Errorf("%q is no time: write it as 22:00-07:00, mon-fri 22:00-07:00 or sat,sun", text)
	case r.from == r.to:
		return Range{}, fmt.Errorf("%q ends when it begins: for whole days write 00:00-24:00, or the days alone", text)
	case r.from == day:
		return Range{}, fmt.Errorf("%q begins at 24:00: write 00:00, which is on the next day", text)
	}
	if r.days == ([7]bool{}) {
		r.days = [7]bool{true, true, true, true, true, true, true}
	}
	return r, nil
}

// tight matches what a comma or a hyphen has around it.
var tight = regexp.MustCompile(`\s*([,-])\s*`)

func misread(text, word string) error {
	if m := regexp.MustCompile(`^(\d\d?)-(\d\d?)$`).FindStringSubmatch(word); m != nil {
		return fmt.Errorf("%q has no minutes: write %s:00-%s:00", word, m[1], m[2])
	}
	return fmt.Errorf("%q is neither days nor a time, in %q: write it as 22:00-07:00, mon-fri 22:00-07:00 or sat,sun", word, text)
}

const day = 24 * 60 // minutes

func clock(hour, minute string) (int, error) {
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi(minute)
	if h > 24 || m > 59 || h == 24 && m > 0 {
		return 0, fmt.Errorf("%s:%s is not a time of the day: it must be from 00:00 to 24:00", hour, minute)
	}
	return h*60 + m, nil
}

// days reads such as "mon", "mon,wed" or "fri-mon".
func days(text string) (all [7]bool, err error) {
	for part := range strings.SplitSeq(text, ",") {
		from, to, isSpan := strings.Cut(part, "-")
		first, ok := weekday(from)
		last := first
		if ok && isSpan {
			last, ok = weekday(to)
		}
		if !ok {
			return all, fmt.Errorf("%q is not a day", part)
		}
		for d := first; ; d = (d + 1) % 7 {
			all[d] = true
			if d == last {
				break
			}
		}
	}
	return all, nil
}

// weekday knows a day's English name, whole or by its first three letters.
func weekday(text string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		name := strings.ToLower(d.String())
		if text == name || text == name[:3] {
			return d, true
		}
	}
	return 0, false
}

// Hours are several ranges, which may overlap; nil is never.
type Hours []Range

// Always reports whether no time is outside.
func (h Hours) Always() bool {
	var covered [7 * day]bool
	for _, r := range h {
		for d, on := range r.days {
			for m := r.from; on && m < r.end(); m++ {
				covered[(d*day+m)%len(covered)] = true
			}
		}
	}
	for _, c := range covered {
		if !c {
			return false
		}
	}
	return true
}

// end is r.to, counted from the midnight before r.from.
func (r Range) end() int {
	if r.to <= r.from {
		return r.to + day
	}
	return r.to
}

// In reports whether t, in its time zone, is within one of the ranges, and until when
// that lasts, ranges that follow at once included. Outside, until is when the next one
// begins; zero: never.
func (h Hours) In(t time.Time) (within bool, until time.Time) {
	for until = t; until.Sub(t) < 8*24*time.Hour; within = true {
		end, ok := h.endAt(until)
		if !ok {
			break
		}
		until = end
	}
	if within {
		return true, until
	}
	until = time.Time{}
	h.around(t, func(start, _ time.Time) {
		if start.After(t) && (until.IsZero() || start.Before(until)) {
			until = start
		}
	})
	return false, until
}

// endAt is the latest end of the ranges that t is within.
func (h Hours) endAt(t time.Time) (end time.Time, ok bool) {
	h.around(t, func(from, to time.Time) {
		if !t.Before(from) && t.Before(to) && to.After(end) {
			end, ok = to, true
		}
	})
	return end, ok
}

// around visits each time that a range goes on, from two days before t to eight after.
func (h Hours) around(t time.Time, visit func(from, to time.Time)) {
	year, month, date := t.Date()
	for _, r := range h {
		for offset := -2; offset <= 8; offset++ {
			at := time.Date(year, month, date+offset, 0, 0, 0, 0, time.UTC)
			if !r.days[at.Weekday()] {
				continue
			}
			from, _ := moments(at.Add(time.Duration(r.from)*time.Minute), t.Location())
			_, to := moments(at.Add(time.Duration(r.end())*time.Minute), t.Location())
			visit(from, to)
		}
	}
}

// moments are the first and the last time at which the clocks of a place show what wall
// shows in UTC. That is twice where they are set back; where they are set forward over
// it, it is when that happens.
func moments(wall time.Time, loc *time.Location) (first, last time.Time) {
	_, before := wall.Add(-24 * time.Hour).In(loc).Zone()
	_, after := wall.Add(24 * time.Hour).In(loc).Zone()
	a := wall.Add(-time.Duration(before) * time.Second).In(loc)
	b := wall.Add(-time.Duration(after) * time.Second).In(loc)
	switch showsA, showsB := shows(a, wall), shows(b, wall); {
	case showsA && showsB && b.Before(a):
		return b, a
	case showsA && showsB:
		return a, b
	case showsA:
		return a, a
	case showsB:
		return b, b
	}
	change, _ := a.ZoneBounds()
	return change, change
}

func shows(t, wall time.Time) bool {
	_, offset := t.Zone()
	return t.Unix()+int64(offset) == wall.Unix()
}
