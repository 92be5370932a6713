package web

import (
	"fmt"
	"strings"
	"time"

	"sigalert/eventlog"
)

// The chart's measures, in the units of its viewBox.
const (
	chartSeries = 6  // senders that have a colour of their own
	barStep     = 10 // from one minute to the next
	barWidth    = 8
	chartHeight = 100
)

// chart is the bar chart of the last hour.
type chart struct {
	Series  []series
	Minutes []minute
	Label   string // what it shows, in words
	Top     string // what its full height stands for
}

type series struct {
	Class, Name, Filter string
	Total               string
	Path                string
}

// minute is a column of all bars, for what the pointer shows.
type minute struct {
	X     int
	Title string
}

func newChart(now time.Time, all []eventlog.Series) chart {
	var totals [eventlog.Hour]int
	total, top := 0, 0
	for _, s := range all {
		for i, n := range s.Counts {
			totals[i] += n
			total += n
			top = max(top, totals[i])
		}
	}
	c := chart{
		Label: fmt.Sprintf("%s in the last hour, at most %s in a minute", count(total, "event"), grouped(top)),
		Top:   grouped(top),
	}
	if total == 0 {
		c.Label = "No event in the last hour"
		return c
	}
	var below [eventlog.Hour]int
	for i, s := range all {
		one := series{Class: fmt.Sprintf("s%d", i), Name: nameText(s.Sender), Filter: s.Sender.String(), Total: grouped(s.Total)}
		if s.Others {
			one.Class, one.Name, one.Filter = "others", "all others", ""
		}
		one.Path = bars(s.Counts, &below, top)
		c.Series = append(c.Series, one)
	}
	for i, n := range totals {
		if n == 0 {
			continue
		}
		at := now.Add(time.Duration(i-eventlog.Hour+1) * time.Minute)
		var parts []string
		for k, s := range all {
			if s.Counts[i] > 0 {
				parts = append(parts, fmt.Sprintf("%s %s", c.Series[k].Name, grouped(s.Counts[i])))
			}
		}
		c.Minutes = append(c.Minutes, minute{i * barStep, fmt.Sprintf("%s: %s\n%s", at.Format("15:04"), count(n, "event"), strings.Join(parts, "\n"))})
	}
	return c
}

// bars is a path of one series' bars, on top of those below.
func bars(counts [eventlog.Hour]int, below *[eventlog.Hour]int, top int) string {
	var path strings.Builder
	height := func(n int) float64 { return float64(n) * chartHeight / float64(top) }
	for i, n := range counts {
		if n == 0 {
			continue
		}
		from := chartHeight - height(below[i])
		below[i] += n
		to := chartHeight - height(below[i])
		fmt.Fprintf(&path, "M%d %.1fV%.1fh%dV%.1fz", i*barStep, from, to, barWidth, from)
	}
	return path.String()
}
