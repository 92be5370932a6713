package web

import (
	"fmt"
	"hash/fnv"
	"strings"
	"sync"

	"sigalert/eventlog"
	"sigalert/internal/topic"
	"sigalert/internal/words"
	"sigalert/sig"
)

// The chart's measures, in the units of its viewBox.
const (
	chartSeries = 6  // senders with a colour of their own
	colourCount = 8  // colours that the style has, more than chartSeries
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
	Colour, Name string
	Filter       string // the address of the sender's events; "" for all others
	Total        string
	Path         string
}

// minute is a column of all bars, for what the pointer shows.
type minute struct {
	X     int
	Title string
}

func newChart(all []eventlog.Series, colours map[sig.Name]string) chart {
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
		Label: fmt.Sprintf("%s in the last hour, at most %s in a minute", words.Count(total, "event"), words.Number(top)),
		Top:   words.Number(top),
	}
	if total == 0 {
		c.Label = "No events in the last hour"
		return c
	}
	var below [eventlog.Hour]int
	for _, s := range all {
		one := series{
			Colour: colours[s.Sender], Name: topic.Name(s.Sender), Total: words.Number(s.Total),
			Filter: address(nil, "sender", word(s.Sender)),
		}
		if s.Others {
			one.Colour, one.Name, one.Filter = "others", "all others", ""
		}
		one.Path = bars(s.Counts, &below, top)
		c.Series = append(c.Series, one)
	}
	for i, n := range totals {
		if n == 0 {
			continue
		}
		when := "this minute"
		if before := eventlog.Hour - 1 - i; before > 0 {
			when = fmt.Sprintf("%d min ago", before)
		}
		var parts strings.Builder
		for k, s := range all {
			if s.Counts[i] > 0 {
				fmt.Fprintf(&parts, "\n%s %s", c.Series[k].Name, words.Number(s.Counts[i]))
			}
		}
		c.Minutes = append(c.Minutes, minute{i * barStep, fmt.Sprintf("%s: %s%s", when, words.Count(n, "event"), parts.String())})
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

// palette gives senders classes of the style. One that is in the chart keeps its
// colour; a new one gets that of its name, or the next that is free.
type palette struct {
	mu sync.Mutex // guards the field below
	of map[sig.Name]uint32
}

func (p *palette) colours(all []eventlog.Series) map[sig.Name]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := make(map[sig.Name]uint32, len(all))
	var taken [colourCount]bool
	for _, s := range all {
		if i, ok := p.of[s.Sender]; ok && !s.Others {
			of[s.Sender], taken[i] = i, true
		}
	}
	for _, s := range all {
		if _, ok := of[s.Sender]; ok || s.Others {
			continue
		}
		hash := fnv.New32a()
		hash.Write([]byte(s.Sender))
		i := hash.Sum32() % colourCount
		for taken[i] {
			i = (i + 1) % colourCount
		}
		of[s.Sender], taken[i] = i, true
	}
	p.of = of
	classes := make(map[sig.Name]string, len(of))
	for name, i := range of {
		classes[name] = fmt.Sprintf("c%d", i)
	}
	return classes
}
