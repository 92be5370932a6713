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
	return p.expression(n, where, rule.Condition)
}

// onlyChanges is an expression; false is none.
func (p *parser) onlyChanges(n *yaml.Node, where string) *rule.Expr {
	x := p.expression(n, where, rule.Value)
	switch {
	case x == nil, x.Source() == "false":
		return nil
	case !x.Reads("data") && !x.Reads("event") && !x.Reads("time"):
		p.warn(n.Line, where, "nothing in it changes from one event to the next, so only the first is shown: name what changes, such as data.state")
	}
	return x
}

func (p *parser) expression(n *yaml.Node, where string, want rule.Want) *rule.Expr {
	v := resolve(n)
	hint := ""
	switch scalar := v.Kind == yaml.ScalarNode; {
	case v.Kind == yaml.MappingNode && v.Style&yaml.FlowStyle != 0, scalar && strings.HasPrefix(strings.TrimSpace(v.Value), "{{"):
		hint = ": it is written without {{ }}"
	case scalar && !strings.HasPrefix(v.ShortTag(), "!!"): // when: !data.x
		hint = `: text that begins with "!" needs quotes`
	case scalar && (isText(v) || v.ShortTag() == "!!bool" || kind(v) == "a number"):
		as := map[rule.Want]string{rule.Condition: "a condition", rule.Value: "an expression"}[want]
		return compiled(p, as, n, where, func(text string) (*rule.Expr, error) { return p.compiler.Compile(text, want) })
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
	return p.compiledText(n, where)
}

// urgency is a text that holds expressions, or else is an urgency.
func (p *parser) urgency(n *yaml.Node, where string) *rule.Text {
	if v := resolve(n); v.Kind != yaml.ScalarNode || !isText(v) {
		p.problem(n.Line, where, "must be low, normal or critical, not "+kind(v))
		return nil
	}
	t := p.compiledText(n, where)
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

// compiledText is a scalar, whatever YAML takes it for, as a text with expressions.
func (p *parser) compiledText(n *yaml.Node, where string) *rule.Text {
	return compiled(p, "a text", n, where, p.compiler.CompileText)
}

// compiled is what compile makes of a scalar, whose error is [rule.Faults].
func compiled[T any](p *parser, as string, n *yaml.Node, where string, compile func(string) (*T, error)) *T {
	return once(p, as, n, func(v *yaml.Node) *T {
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
		return t
	})
}

// once is what made makes of a node. For an alias that is made once, and its problems
// are reported once. As says what it is taken for.
func once[T any](p *parser, as string, n *yaml.Node, make func(v *yaml.Node) T) T {
	v := resolve(n)
	if t, ok := p.made[made{v, as}]; ok {
		return t.(T)
	}
	p.made[made{v, as}] = *new(T) // of what holds itself
	t := make(v)
	p.made[made{v, as}] = t
	return t
}
