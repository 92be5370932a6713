package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"sigalert/agent/notify"
	"sigalert/agent/rule"
	"sigalert/internal/words"
)

// condition is an expression. True and false are ones, too.
func (p *parser) condition(n *yaml.Node, where string) *rule.Expr {
	v := resolve(n)
	const without = ": it is written without {{ }}"
	switch {
	case v.Kind == yaml.MappingNode && v.Style&yaml.FlowStyle != 0: // when: {{ data.x }}
		p.problem(n.Line, where, "must be an expression, not keys and values"+without)
		return nil
	case v.Kind == yaml.ScalarNode && !strings.HasPrefix(v.ShortTag(), "!!"): // when: !data.x
		p.problem(n.Line, where, "must be an expression, not "+kind(v)+`: text that begins with "!" needs quotes`)
		return nil
	case v.Kind != yaml.ScalarNode, v.ShortTag() == "!!null", strings.HasPrefix(kind(v), "a value with the tag"):
		p.problem(n.Line, where, "must be an expression, not "+kind(v))
		return nil
	case strings.HasPrefix(strings.TrimSpace(v.Value), "{{"):
		p.problem(n.Line, where, fmt.Sprintf("must be an expression, not %s", kind(v))+without)
		return nil
	}
	return compiled(p, p.conditions, n, where, func(text string) (*rule.Expr, error) { return rule.Compile(text, rule.Condition) })
}

// ruleText is a text that may hold expressions.
func (p *parser) ruleText(n *yaml.Node, where string) *rule.Text {
	text, ok := p.text(n, where)
	if !ok {
		return nil
	}
	if first, _ := utf8.DecodeRuneInString(text); isPlain(resolve(n)) && isQuote(first) {
		p.warn(n.Line, where, fmt.Sprintf(`begins with %s, which will be shown: use "straight" ones if it is not meant`, describe(first)))
	}
	return compiled(p, p.texts, n, where, rule.CompileText)
}

// urgency is a text that holds expressions, or else is an urgency.
func (p *parser) urgency(n *yaml.Node, where string) *rule.Text {
	if v := resolve(n); v.Kind != yaml.ScalarNode || !isText(v) {
		p.problem(n.Line, where, "must be low, normal or critical, not "+kind(v))
		return nil
	}
	t := compiled(p, p.texts, n, where, rule.CompileText)
	if t == nil {
		return nil
	}
	if _, fixed := t.Constant(); fixed {
		if _, ok := parsed(p, n, where, parseUrgency); !ok {
			return nil
		}
	}
	return t
}

// urgencies are other programs' words for one.
var urgencies = map[string]string{
	"high": "critical", "urgent": "critical", "max": "critical", "emergency": "critical", "important": "critical", "error": "critical",
	"medium": "normal", "default": "normal", "info": "normal", "warning": "normal", "min": "low", "minor": "low", "debug": "low",
}

func parseUrgency(text string) (notify.Urgency, error) {
	u, err := notify.ParseUrgency(text)
	if err == nil {
		return u, nil
	}
	near := urgencies[strings.ToLower(text)]
	if near == "" {
		near = words.Nearest(text, []string{"low", "normal", "critical"})
	}
	if near != "" {
		err = fmt.Errorf("%w (did you mean %q?)", err, near)
	}
	return u, err
}

// compiled is what compile makes of a scalar, whose error is [rule.Faults]. For an
// alias that is made once, and its faults are reported once.
func compiled[T any](p *parser, known map[*yaml.Node]*T, n *yaml.Node, where string, compile func(string) (*T, error)) *T {
	v := resolve(n)
	if t, ok := known[v]; ok {
		return t
	}
	t, err := compile(v.Value)
	faults, _ := errors.AsType[rule.Faults](err)
	for _, f := range faults {
		line, column := p.locate(v, f)
		what := f.What
		if column == 0 {
			what += fmt.Sprintf(", near %q", f.Near)
		}
		p.problemAt(line, column, where, what)
	}
	known[v] = t
	return t
}

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
