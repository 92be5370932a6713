package config

import (
	"fmt"
	"slices"
	"strings"

	"sigalert/internal/plain"
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
	// maxWhat bounds a problem's text, in characters: it may quote the file.
	maxWhat = 300
)

func (p *parser) problem(line int, where, what string) {
	if !p.full() {
		p.problems = append(p.problems, p.about(line, where, what))
	}
}

// warn notes what may not be meant, and does no harm otherwise.
func (p *parser) warn(line int, where, what string) {
	if len(p.warnings) < maxProblems {
		p.warnings = append(p.warnings, p.about(line, where, "warning: "+what))
	}
}

func (p *parser) about(line int, where, what string) Problem {
	return Problem{p.path, max(1, line), where, plain.Line(what, maxWhat)}
}

// full reports whether there is no room for more problems.
func (p *parser) full() bool { return len(p.problems) >= maxProblems }

func byLine(a, b Problem) int { return a.Line - b.Line }

// sorted is every problem, in the order of lines.
func (p *parser) sorted() Problems {
	slices.SortStableFunc(p.problems, byLine)
	if p.full() {
		last := p.problems[len(p.problems)-1].Line
		p.problems = append(p.problems, Problem{p.path, last, "", fmt.Sprintf("there may be more: these are the first %d problems", maxProblems)})
	}
	return p.problems
}
