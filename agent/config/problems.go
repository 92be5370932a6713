package config

import (
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	Path  string // of the file
	Line  int    // from 1
	Where string // such as "subscriptions[2].title"; may be empty
	What  string
}

func (p Problem) Error() string {
	if p.Where == "" {
		return fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.What)
	}
	return fmt.Sprintf("%s:%d: %s: %s", p.Path, p.Line, p.Where, p.What)
}

// Problems are all that is wrong with a file, in the order of its lines.
type Problems []Problem

// Error has a line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

const (
	// maxProblems ends the walk: with aliases, a small file can say a lot.
	maxProblems = 1000
	// maxWhat bounds a problem's text, in runes: it may quote the file.
	maxWhat = 300
)

func (p *parser) problem(line int, where, what string) {
	if p.full() {
		return
	}
	if r := []rune(strings.ReplaceAll(what, "\n", " ")); len(r) > maxWhat {
		what = string(r[:maxWhat]) + "…"
	} else {
		what = string(r)
	}
	p.problems = append(p.problems, Problem{p.path, max(1, line), where, what})
}

// full reports whether there is no room for more problems.
func (p *parser) full() bool { return len(p.problems) >= maxProblems }

// sorted is everything that was found, in the order of lines.
func (p *parser) sorted() Problems {
	slices.SortStableFunc(p.problems, func(a, b Problem) int { return a.Line - b.Line })
	if p.full() {
		last := p.problems[len(p.problems)-1].Line
		p.problems = append(p.problems, Problem{p.path, last, "", fmt.Sprintf("there may be more: these are the first %d problems", maxProblems)})
	}
	return p.problems
}

// nearest is the known word that was probably meant; "" if none is close.
func nearest(word string, known []string) string {
	if len(word) > 40 {
		return ""
	}
	best, distance := "", len(word)/3+2
	for _, k := range known {
		if d := editDistance(strings.ToLower(word), k); d < distance {
			best, distance = k, d
		}
	}
	return best
}

// editDistance counts the letters to insert, delete, replace or swap with their
// neighbour.
func editDistance(a, b string) int {
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := append(make([]int, 0, len(b)+1), i+1)
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			d := min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				d = min(d, before[j-1]+1)
			}
			row = append(row, d)
		}
		before, last = last, row
	}
	return last[len(b)]
}
