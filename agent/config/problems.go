package config

import (
	"fmt"
	"slices"
	"strings"

	"sigalert/internal/plain"
	"sigalert/internal/redact"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	Path   string // of the file
	Line   int    // from 1
	Column int    // from 1, in characters; 0: it is not known
	Where  string // such as "subscriptions[2].title"; may be empty
	What   string
}

func (p Problem) Error() string {
	place := fmt.Sprintf("%s:%d", p.Path, p.Line)
	if p.Column > 0 {
		place += fmt.Sprintf(":%d", p.Column)
	}
	if p.Where != "" {
		place += ": " + p.Where
	}
	return place + ": " + p.What
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
	// maxWhat bounds a problem's text, in characters: it may quote the file.
	maxWhat = 300
)

func (p *parser) problem(line int, where, what string) { p.problemAt(line, 0, where, what) }

func (p *parser) problemAt(line, column int, where, what string) {
	if !p.full() {
		p.problems = append(p.problems, p.about(line, column, where, what))
	}
}

// warn notes what may not be meant, and does no harm otherwise.
func (p *parser) warn(line int, where, what string) {
	if len(p.warnings) < maxProblems {
		p.warnings = append(p.warnings, p.about(line, 0, where, "warning: "+what))
	}
}

func (p *parser) about(line, column int, where, what string) Problem {
	return Problem{p.path, max(1, line), column, where, plain.Line(redact.Text(what), maxWhat)}
}

// full reports whether there is no room for more problems.
func (p *parser) full() bool { return len(p.problems) >= maxProblems }

func byLine(a, b Problem) int { return a.Line - b.Line }

// sorted is every problem, in the order of lines.
func (p *parser) sorted() Problems {
	slices.SortStableFunc(p.problems, byLine)
	if p.full() {
		last := p.problems[len(p.problems)-1].Line
		p.problems = append(p.problems, Problem{p.path, last, 0, "", fmt.Sprintf("there may be more: these are the first %d problems", maxProblems)})
	}
	return p.problems
}
