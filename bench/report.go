package main

import (
	"fmt"
	"math"
	"strings"
)

// figure is one row: a measure of both systems.
type figure struct {
	letter, what, unit string
	peer               string   // with whom we compare
	ours, theirs       *float64 // nil: not measured
	pysig              int      // 0: not known
	more               bool     // higher is better
}

func value(f float64) *float64 { return &f }

// pysig's own figures are constants: they were measured elsewhere.
const (
	pysigTrigger    = 439 // ns, with one listener
	pysigDeliveries = 95  // in a second, whether to one listener or to ten
)

func (f figure) ratio() *float64 {
	if f.ours == nil || f.theirs == nil || *f.theirs == 0 {
		return nil
	}
	return value(*f.ours / *f.theirs)
}

func (f figure) better() string {
	if f.more {
		return "higher"
	}
	return "lower"
}

func table(all []figure) string {
	var b strings.Builder
	if nats := against(all, "NATS"); len(nats) > 0 {
		b.WriteString("| | measure | unit | ours | NATS | ours ÷ NATS | better | pysig |\n")
		b.WriteString("|---|---|---|--:|--:|--:|---|--:|\n")
		for _, f := range nats {
			pysig := "–"
			if f.pysig != 0 {
				pysig = whole(f.pysig)
			}
			fmt.Fprintf(&b, "%s %s |\n", f.row(), pysig)
		}
	}
	return b.String()
}

// webTable says what stands behind the figures.
func webTable(all []figure) string {
	var b strings.Builder
	if web := against(all, "gotify"); len(web) > 0 {
		b.WriteString("| | measure | unit | ours: in a file, then the answer | gotify: in SQLite on disk, then the answer | ours ÷ gotify | better |\n")
		b.WriteString("|---|---|---|--:|--:|--:|---|\n")
		for _, f := range web {
			b.WriteString(f.row() + "\n")
		}
	}
	return b.String()
}

func against(all []figure, peer string) (those []figure) {
	for _, f := range all {
		if f.peer == peer {
			those = append(those, f)
		}
	}
	return those
}

func (f figure) row() string {
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", f.letter, f.what, f.unit, text(f.ours), text(f.theirs), text(f.ratio()), f.better())
}

// text is a figure with three digits that count, and thousands set apart.
func text(f *float64) string {
	switch {
	case f == nil:
		return "–"
	case *f == 0:
		return "0"
	case math.Abs(*f) < 0.01:
		return fmt.Sprintf("%.1g", *f)
	case math.Abs(*f) < 10:
		return fmt.Sprintf("%.2f", *f)
	case math.Abs(*f) < 100:
		return fmt.Sprintf("%.1f", *f)
	}
	return whole(int(math.Round(*f)))
}

func whole(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return whole(n) + " " + what + "s"
}
