package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// Of the plot, in pixels.
const (
	plotWidth  = 840
	plotLeft   = 380 // labels end here, bars begin
	plotRight  = 770 // ratios are written after it
	plotRow    = 26
	plotHeader = 34
)

// plotStyle has the colours of a light page and of a dark one.
const plotStyle = `
text { font: 13px system-ui, sans-serif; fill: #24292f }
.small { font-size: 11px; fill: #57606a }
.title { font-weight: 600 }
.ahead { fill: #1a7f37 } .behind { fill: #bc4c00 }
.grid { stroke: #d0d7de } .one { stroke: #24292f; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9198a1 }
.ahead { fill: #3fb950 } .behind { fill: #f0883e }
.grid { stroke: #3d444d } .one { stroke: #e6edf3 }
}
`

// plot draws a bar for each measure's ratio, from 1.0 on, to a logarithmic
// scale: first where higher is better, then where lower is.
func plot(all []figure) string {
	most := 2.0 // the scale's ends are 1/2 and 2 at least
	var groups [2][]figure
	for _, f := range all {
		r := f.ratio()
		if r == nil || *r <= 0 {
			continue
		}
		most = max(most, *r, 1 / *r)
		if f.more {
			groups[0] = append(groups[0], f)
		} else {
			groups[1] = append(groups[1], f)
		}
	}
	most = math.Exp2(math.Ceil(math.Log2(most)))
	at := func(ratio float64) float64 {
		half := float64(plotRight-plotLeft) / 2
		return plotLeft + half + half*math.Log(ratio)/math.Log(most)
	}
	var b strings.Builder
	y := 10
	for i, title := range []string{"higher is better", "lower is better"} {
		if len(groups[i]) == 0 {
			continue
		}
		fmt.Fprintf(&b, "<text class=\"title\" x=\"12\" y=\"%d\">ours ÷ NATS, %s</text>\n", y+14, title)
		bottom := y + plotHeader + plotRow*len(groups[i])
		step := math.Exp2(math.Ceil(math.Log2(most) / 4)) // at most four lines to each side
		for r := 1 / most; r <= most; r *= 2 {
			if math.Mod(math.Log2(r), math.Log2(step)) != 0 {
				continue
			}
			class, label := "grid", fmt.Sprintf("%g", r)
			switch {
			case r == 1:
				class = "one"
			case r < 1:
				label = fmt.Sprintf("1/%g", 1/r)
			}
			fmt.Fprintf(&b, "<path class=\"%s\" d=\"M%.1f %dV%d\"/>\n", class, at(r), y+plotHeader-8, bottom)
			fmt.Fprintf(&b, "<text class=\"small\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">%s</text>\n", at(r), y+plotHeader-12, label)
		}
		y += plotHeader
		for _, f := range groups[i] {
			plotBar(&b, f, y, at)
			y += plotRow
		}
		y += 16
	}
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n<title>ours ÷ NATS</title>\n<style>%s</style>\n%s</svg>\n",
		plotWidth, y, plotWidth, y, plotStyle, b.String())
}

// plotBar draws one row.
func plotBar(b *strings.Builder, f figure, y int, at func(float64) float64) {
	r := *f.ratio()
	class := "behind"
	if f.more == (r >= 1) {
		class = "ahead"
	}
	left, right := min(at(r), at(1)), max(at(r), at(1))
	fmt.Fprintf(b, "<text text-anchor=\"end\" x=\"%d\" y=\"%d\">%s</text>\n", plotLeft-10, y+17, html.EscapeString(f.what))
	fmt.Fprintf(b, "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>\n", class, left, y+4, max(right-left, 2), plotRow-8)
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\">%s</text>\n", plotRight+10, y+17, text(&r))
}
