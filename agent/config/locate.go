package config

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"sigalert/agent/rule"
)

// locate finds the fault of a scalar in the file: what is not blank stands there in
// the same order, however the scalar is written. If it is written otherwise, as with
// escapes such as \u0041, the column is 0.
func (p *parser) locate(v *yaml.Node, f rule.Fault) (line, column int) {
	before := upTo(v.Value, f.Line, f.Column)
	var at cursor
	switch {
	case v.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		at = cursor{lines: p.lines, line: v.Line}
	default:
		at = cursor{lines: p.lines, line: v.Line - 1, column: v.Column - 1}
		for at.skip(); at.peek() == '&' || at.peek() == '!'; at.skip() { // an anchor, a tag
			for r := at.peek(); r != 0 && !unicode.IsSpace(r); r = at.peek() {
				at.column++
			}
		}
	}
	var quote rune
	if v.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		quote = at.next()
	}
	for _, r := range before {
		if unicode.IsSpace(r) {
			continue
		}
		at.skip()
		for quote == '"' && at.peek() == '\\' && r != '\\' && at.blankEscape() {
			at.skip()
		}
		got := at.next()
		if quote == '"' && got == '\\' || quote == '\'' && got == '\'' {
			got = at.next()
		}
		if got != r {
			return v.Line, 0
		}
	}
	at.skip()
	for quote == '"' && at.blankEscape() {
		at.skip()
	}
	return at.line + 1, at.column + 1
}

// problemIn is a problem of a scalar's text, so many characters into it.
func (p *parser) problemIn(v *yaml.Node, at int, where, what string) {
	line, column := p.locate(v, rule.Fault{Line: 1, Column: 1 + at})
	p.problemAt(line, column, where, what)
}

// upTo is what stands before a place in a text.
func upTo(text string, line, column int) string {
	at := 0
	for range line - 1 {
		at += strings.IndexByte(text[at:], '\n') + 1
	}
	for range column - 1 {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return text[:at]
}

// cursor is a place in a file; both numbers are from 0.
type cursor struct {
	lines        [][]rune
	line, column int
}

// peek is the character there; 0 at the end of the line.
func (c *cursor) peek() rune {
	if c.line >= len(c.lines) || c.column >= len(c.lines[c.line]) {
		return 0
	}
	return c.lines[c.line][c.column]
}

func (c *cursor) next() rune {
	r := c.peek()
	c.column++
	return r
}

// skip goes past blanks and the ends of lines, unless nothing follows.
func (c *cursor) skip() {
	was := *c
	for {
		switch r := c.peek(); {
		case r == 0 && c.line+1 < len(c.lines):
			c.line, c.column = c.line+1, 0
		case r == 0:
			*c = was
			return
		case unicode.IsSpace(r):
			c.column++
		default:
			return
		}
	}
}

// blankEscape goes past an escape that stands for a blank, if one is there.
func (c *cursor) blankEscape() bool {
	if c.peek() != '\\' {
		return false
	}
	after := cursor{c.lines, c.line, c.column + 1}
	switch after.peek() {
	case 0: // the text goes on in the next line
	case 'n', 't', 'r', ' ':
		after.column++
	default:
		return false
	}
	*c = after
	return true
}
