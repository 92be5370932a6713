package main

import (
	"fmt"
	"math"
	"strings"
)

// figure is one row: a measure of both systems.
type figure struct {
	letter, what, unit string
	ours, nats         *float64 // nil: not measured
	pysig              *float64
	more               bool // more is better
}

func value(f float64) *float64 { return &f }

// pysig's own figures are constants: they were measured with pysig 0.9.5 on
// Python 3.12, elsewhere.
const pysigDeliveries = 95.0

func pysigTrigger(listeners int) *float64 {
	if listeners == 1 {
		return value(439)
	}
	return nil
}

func (f figure) ratio() *float64 {
	if f.ours == nil || f.nats == nil || *f.nats == 0 {
		return nil
	}
	return value(*f.ours / *f.nats)
}

func (f figure) better() string {
	if f.more {
		return "more"
	}
	return "less"
}

func table(all []figure) string {
	var b strings.Builder
	b.WriteString("| | measure | unit | ours | NATS | ours ÷ NATS | better is | pysig |\n")
	b.WriteString("|---|---|---|--:|--:|--:|---|--:|\n")
	for _, f := range all {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n",
			f.letter, f.what, f.unit, text(f.ours), text(f.nats), text(f.ratio()), f.better(), text(f.pysig))
	}
	return b.String()
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
	digits := fmt.Sprintf("%.0f", *f)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%s %ss", text(value(float64(n))), what)
}
