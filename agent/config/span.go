package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"sigalert/internal/age"
)

const (
	maxTimeout = 24 * time.Hour
	maxSnooze  = 7 * 24 * time.Hour
	maxWithin  = 7 * 24 * time.Hour
	maxCount   = 1000 // alerts of a rate: each is remembered
)

// timeout is how long an alert stays on the screen.
func (p *parser) timeout(n *yaml.Node, where string) time.Duration {
	text, ok := p.textOrNumber(n, where)
	switch {
	case !ok:
	case text == "never":
		return -1
	case text == "default":
	case strings.Trim(text, "0smhd") == "" && strings.Contains(text, "0"):
		p.problemIn(resolve(n), 0, where, "would not be seen: write never to keep it until it is closed, or default for as long as the desktop chooses")
	default:
		d, err := parseSpan(text, 100*time.Millisecond, maxTimeout)
		if err != nil {
			p.problemIn(resolve(n), 0, where, err.Error()+"; or never, or default")
		}
		return d
	}
	return 0
}

func (p *parser) snooze(n *yaml.Node, where string) time.Duration {
	text, ok := p.textOrNumber(n, where)
	if !ok {
		return 0
	}
	d, err := parseSpan(text, time.Second, maxSnooze)
	if err != nil {
		p.problemIn(resolve(n), 0, where, err.Error())
	}
	return d
}

// rate is how many alerts there are in how long, or none.
func (p *parser) rate(n *yaml.Node, where string) Rate {
	text, ok := p.textOrNumber(n, where)
	if !ok || text == "none" {
		return Rate{}
	}
	r, at, err := parseRate(text)
	if err != nil {
		p.problemIn(resolve(n), at, where, err.Error())
	}
	return r
}

// parseRate also returns where the fault is, in characters.
func parseRate(text string) (r Rate, at int, err error) {
	count, within, ok := strings.Cut(text, "/")
	if !ok {
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			return r, 0, fmt.Errorf("%s in how long? Write %[1]s/1m for %[1]s in a minute, or none for no limit", text)
		}
		return r, 0, fmt.Errorf("%q is not how many in how long: write it as 5/1m, or none for no limit", text)
	}
	n, err := strconv.Atoi(strings.TrimSpace(count))
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return r, 0, fmt.Errorf("%q is not a number of alerts: write it as 5/1m", count)
	case n < 1:
		return r, 0, fmt.Errorf("with %d, no alert would ever be shown: use 1 or more, or none for no limit", n)
	case err != nil, n > maxCount:
		return r, 0, fmt.Errorf("%s is too many: at most 1,000", count)
	}
	start := len([]rune(count)) + 1
	within = strings.TrimLeft(within, " ")
	if unit := unitOf(within); unit != "" {
		return r, start, fmt.Errorf("%q has no number: write 1%s", within, unit)
	}
	d, err := parseSpan(within, time.Second, maxWithin)
	if err != nil {
		return r, start, err
	}
	return Rate{n, d}, 0, nil
}

// textOrNumber is a scalar that is text or a number.
func (p *parser) textOrNumber(n *yaml.Node, where string) (string, bool) {
	if v := resolve(n); v.Kind == yaml.ScalarNode && kind(v) == "a number" {
		return v.Value, true
	}
	text, ok := p.text(n, where)
	if !ok || p.lookalike(n, where) {
		return "", false
	}
	return strings.TrimSpace(text), true
}

var numberAndUnit = regexp.MustCompile(`^([0-9.]+)\s*(\pL*)$`)

// unitOf is a unit of time as it is written here; "" if a word is none.
func unitOf(word string) string {
	switch strings.ToLower(word) {
	case "s", "sec", "secs", "second", "seconds":
		return "s"
	case "m", "min", "mins", "minute", "minutes":
		return "m"
	case "h", "hr", "hrs", "hour", "hours":
		return "h"
	case "d", "day", "days":
		return "d"
	}
	return ""
}

// parseSpan reads how long something is.
func parseSpan(text string, least, most time.Duration) (time.Duration, error) {
	d, err := age.Span(text)
	m := numberAndUnit.FindStringSubmatch(text)
	switch {
	case err == nil && d < 0, strings.HasPrefix(text, "-"):
		return 0, fmt.Errorf("%q is below 0", text)
	case err == nil && d == 0:
		return 0, fmt.Errorf("%q is no time at all: use at least %s", text, age.Text(least))
	case m != nil && m[2] == "":
		return 0, fmt.Errorf("%q has no unit: write %[1]ss for seconds, or %[1]sm for minutes", text)
	case err != nil && m != nil && unitOf(m[2]) != "":
		return 0, fmt.Errorf("%q is not how times are written: write %s%s", text, m[1], unitOf(m[2]))
	case err != nil:
		return 0, fmt.Errorf("%q is not a time: write it as 10s, 5m, 1h30m or 2d", text)
	case d < least:
		return 0, fmt.Errorf("%q is too short: use at least %s", text, age.Text(least))
	case d > most:
		return 0, fmt.Errorf("%q is too long: use at most %s", text, age.Text(most))
	}
	return d, nil
}
