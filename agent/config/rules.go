package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"sigalert/agent/notify"
	"sigalert/agent/rule"
	"sigalert/internal/words"
)

// condition is an expression. True and false are ones, too.
func (p *parser) condition(n *yaml.Node, where string) *rule.Expr {
	v := resolve(n)
	hint := ""
	switch scalar := v.Kind == yaml.ScalarNode; {
	case v.Kind == yaml.MappingNode && v.Style&yaml.FlowStyle != 0, scalar && strings.HasPrefix(strings.TrimSpace(v.Value), "{{"):
		hint = ": it is written without {{ }}"
	case scalar && !strings.HasPrefix(v.ShortTag(), "!!"): // when: !data.x
		hint = `: text that begins with "!" needs quotes`
	case scalar && (isText(v) || v.ShortTag() == "!!bool" || kind(v) == "a number"):
		return compiled(p, p.conditions, n, where, func(text string) (*rule.Expr, error) { return rule.Compile(text, rule.Condition) })
	}
	p.problem(n.Line, where, "must be an expression, not "+kind(v)+hint)
	return nil
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
