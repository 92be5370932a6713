package config

import (
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"sigalert/agent/rule"
)

const (
	maxActions = 8
	maxArgs    = 100
	maxShell   = 16 << 10 // bytes
)

// actions are buttons; an empty list is none, whatever the event says.
func (p *parser) actions(n *yaml.Node, where string) []Action {
	return once(p, "actions", n, func(list *yaml.Node) []Action {
		switch {
		case list.Kind != yaml.SequenceNode:
			p.problem(n.Line, where, `must be a list of buttons, such as [{label: Snooze, snooze: 1h}], not `+kind(list))
			return nil
		case len(list.Content) > maxActions:
			p.problem(list.Content[maxActions].Line, where, fmt.Sprintf("has more than %d buttons", maxActions))
			return nil
		}
		actions := []Action{}
		for i, n := range list.Content {
			actions = append(actions, p.action(n, fmt.Sprintf("%s[%d]", where, i)))
		}
		return actions
	})
}

func (p *parser) action(n *yaml.Node, where string) Action {
	return once(p, "an action", n, func(*yaml.Node) (a Action) {
		var does []string
		keys := p.actionKeys(&a)
		for _, key := range []string{"open", "request", "snooze", "reply"} {
			set := keys[key]
			keys[key] = func(n *yaml.Node, where string) {
				does = append(does, key)
				set(n, where)
			}
		}
		before := len(p.problems)
		p.mapping(n, where, keys)
		if len(p.problems) > before {
			return a
		}
		label, constant := "", false
		if a.Label != nil {
			label, constant = a.Label.Constant()
		}
		switch {
		case a.Label == nil:
			p.problem(n.Line, where, `there is no text for the button: add one, such as "label: Open"`)
		case constant && strings.TrimSpace(label) == "":
			p.problem(n.Line, join(where, "label"), "there is no text for the button")
		case len(does) == 0:
			p.problem(n.Line, where, `there is nothing for the button to do: add "open", "request", "snooze" or "reply"`)
		case len(does) > 1:
			p.problem(n.Line, where, fmt.Sprintf("has %q and %q: a button does one thing", does[0], does[1]))
		}
		return a
	})
}

func (p *parser) actionKeys(a *Action) map[string]setter {
	return map[string]setter{
		"label":   func(n *yaml.Node, where string) { a.Label = p.ruleText(n, where) },
		"open":    func(n *yaml.Node, where string) { a.Open = p.address(n, where) },
		"request": func(n *yaml.Node, where string) { a.Request = p.request(n, where, false) },
		"snooze":  func(n *yaml.Node, where string) { a.Snooze = p.snooze(n, where) },
		"reply":   func(n *yaml.Node, where string) { a.Request = p.request(n, where, true) },
	}
}

// request is what a button asks of a sender, perhaps with what is typed.
func (p *parser) request(n *yaml.Node, where string, reply bool) *Request {
	r := &Request{Reply: reply}
	keys := p.requestKeys(r)
	if reply {
		keys["params"] = func(n *yaml.Node, where string) {
			p.problem(n.Line, where, "what is typed takes the place of params: leave them out")
		}
	}
	before := len(p.problems)
	p.mapping(n, where, keys)
	if len(p.problems) == before && r.Method.IsEvery() {
		p.problem(n.Line, where, `there is no method: add what the sender is asked for, such as "method: open"`)
	}
	return r
}

func (p *parser) requestKeys(r *Request) map[string]setter {
	return map[string]setter{
		"sender": func(n *yaml.Node, where string) { r.Sender = p.name(n, where) },
		"method": func(n *yaml.Node, where string) { r.Method = p.name(n, where) },
		"params": func(n *yaml.Node, where string) { r.Params = p.params(n, where) },
	}
}

// command is a list of a program and its arguments, or a line for the shell. An empty
// list is none.
func (p *parser) command(n *yaml.Node, where string) *Command {
	return once(p, "a command", n, func(v *yaml.Node) *Command {
		c := &Command{}
		switch {
		case v.Kind == yaml.SequenceNode && len(v.Content) > maxArgs:
			p.problem(v.Content[maxArgs].Line, where, fmt.Sprintf("has more than %d arguments", maxArgs))
		case v.Kind == yaml.SequenceNode && len(v.Content) == 0:
			return nil
		case v.Kind == yaml.SequenceNode:
			c.Args = p.args(v.Content, where)
		case v.Kind == yaml.MappingNode && !isBraces(v):
			before := len(p.problems)
			p.mapping(n, where, p.shellKeys(c))
			if len(p.problems) == before && strings.TrimSpace(c.Shell) == "" {
				p.problem(n.Line, where, `there is no command: write {shell: "…"}, or a list of a program and its arguments`)
			}
		default:
			p.problem(n.Line, where, `must be a list of a program and its arguments, such as [logger, "{{ sender }}"], or {shell: "…"}, not `+kind(v))
		}
		return c
	})
}

// args are a program and its arguments, which may be numbers.
func (p *parser) args(list []*yaml.Node, where string) (args []*rule.Text) {
	for i, n := range list {
		where := fmt.Sprintf("%s[%d]", where, i)
		v := resolve(n)
		if v.Kind == yaml.ScalarNode && slices.Contains([]string{"a number", "true or false"}, kind(v)) {
			args = append(args, p.compiledText(n, where))
			continue
		}
		arg := p.ruleText(n, where)
		args = append(args, arg)
		if arg != nil && i == 0 {
			p.program(v, where, arg)
		}
	}
	return args
}

// program checks a command's program.
func (p *parser) program(v *yaml.Node, where string, arg *rule.Text) {
	text, constant := arg.Constant()
	switch {
	case !constant:
		p.problemIn(v, 0, where, "the program cannot have an expression in it: an event must not choose what runs")
	case strings.TrimSpace(text) == "":
		p.problemIn(v, 0, where, "there is no program")
	case strings.HasPrefix(text, "~"):
		p.problemIn(v, 0, where, `"~" is not known here: write the whole path`)
	case strings.ContainsAny(text, `/\`) && !isAbsolute(text):
		p.problemIn(v, 0, where, "a program needs its whole path, or a name alone if it is in $PATH")
	case strings.Contains(text, " ") && !isAbsolute(text):
		p.warn(v.Line, where, fmt.Sprintf("%q is the name of one program: write its arguments by themselves, such as [%s]", text, strings.Join(strings.Fields(text), ", ")))
	}
}

func (p *parser) shellKeys(c *Command) map[string]setter {
	return map[string]setter{"shell": func(n *yaml.Node, where string) {
		text, ok := p.text(n, where)
		before, _, expression := strings.Cut(text, "{{")
		switch {
		case !ok:
		case expression:
			p.problemIn(resolve(n), len([]rune(before)), where, "in a line for the shell, an event's text would be code: write \"$SIGALERT_TITLE\" and the like, or a list of a program and its arguments")
		case len(text) > maxShell:
			p.problem(n.Line, where, "is longer than 16 KiB")
		}
		c.Shell = text
	}}
}
