package config

import (
	"fmt"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"sigalert/agent/rule"
	"sigalert/internal/topic"
	"sigalert/sig"
)

const (
	minWait       = time.Second
	maxWait       = 30 * 24 * time.Hour
	defaultAtMost = 8
	maxAtMost     = 1000
)

// Repeat says how often an alert is shown again.
type Repeat struct {
	Every  time.Duration
	AtMost int // times, after the first
}

// Escalation is what is done about a critical alert that nobody clicks or closes. One
// of the fields after After is set.
type Escalation struct {
	After   time.Duration
	Command *Command
	Publish *Publication
}

// Publication is under which name the alert is published.
type Publication struct{ Sender, Event sig.Name }

// wait is a time that something takes, or none.
func (p *parser) wait(n *yaml.Node, where string) time.Duration {
	p.note(n, where)
	text, ok := p.textOrNumber(n, where)
	if !ok || text == "none" {
		return 0
	}
	d, err := parseSpan(text, minWait, maxWait)
	if err != nil {
		p.problemIn(resolve(n), 0, where, err.Error()+"; or none")
	}
	return d
}

// repeat is how often, or with how many times at most.
func (p *parser) repeat(n *yaml.Node, where string) (r Repeat) {
	p.note(n, where)
	r.AtMost = defaultAtMost
	if resolve(n).Kind != yaml.MappingNode {
		r.Every = p.wait(n, where)
	} else {
		before := len(p.problems)
		p.mapping(n, where, p.repeatKeys(&r))
		if len(p.problems) == before && r.Every == 0 {
			p.problem(n.Line, where, `there is no time: add how often it is shown again, such as "every: 15m"`)
		}
	}
	if r.Every == 0 {
		return Repeat{}
	}
	return r
}

func (p *parser) repeatKeys(r *Repeat) map[string]setter {
	return map[string]setter{
		"every":   func(n *yaml.Node, where string) { r.Every = p.wait(n, where) },
		"at_most": func(n *yaml.Node, where string) { r.AtMost = p.whole(n, where, maxAtMost, "1,000") },
	}
}

// whole is a whole number from 1.
func (p *parser) whole(n *yaml.Node, where string, most int, mostText string) (i int) {
	v := resolve(n)
	if v.Kind == yaml.ScalarNode && v.ShortTag() == "!!int" && v.Decode(&i) == nil && i >= 1 && i <= most {
		return i
	}
	what := kind(v)
	if what == "a number" {
		what = v.Value
	}
	p.problem(n.Line, where, fmt.Sprintf("must be a whole number from 1 to %s, not %s", mostText, what))
	return 0
}

// escalation is what is done, and when; or none.
func (p *parser) escalation(n *yaml.Node, where string) *Escalation {
	p.note(n, where)
	return once(p, "an escalation", n, func(v *yaml.Node) *Escalation {
		if v.Kind == yaml.ScalarNode && isText(v) && v.Value == "none" {
			return nil
		}
		if v.Kind != yaml.MappingNode {
			p.problem(n.Line, where, `must say when and what, such as {after: 5m, command: [notify-by-phone]}, or none, not `+kind(v))
			return nil
		}
		e := &Escalation{}
		before := len(p.problems)
		p.mapping(n, where, p.escalationKeys(e))
		switch {
		case len(p.problems) > before:
		case e.After == 0:
			p.problem(n.Line, where, `there is no time: add how long somebody has to click or close it, such as "after: 5m"`)
		case e.Command == nil && e.Publish == nil:
			p.problem(n.Line, where, `there is nothing to do: add "command" or "publish"`)
		case e.Command != nil && e.Publish != nil:
			p.problem(n.Line, where, `has "command" and "publish": an escalation does one thing`)
		}
		return e
	})
}

func (p *parser) escalationKeys(e *Escalation) map[string]setter {
	return map[string]setter{
		"after":   func(n *yaml.Node, where string) { e.After = p.wait(n, where) },
		"command": func(n *yaml.Node, where string) { e.Command = p.command(n, where) },
		"publish": func(n *yaml.Node, where string) { e.Publish = p.publication(n, where) },
	}
}

func (p *parser) publication(n *yaml.Node, where string) *Publication {
	to := &Publication{}
	before := len(p.problems)
	p.mapping(n, where, p.publicationKeys(to))
	switch {
	case len(p.problems) > before:
	case to.Sender.IsEvery():
		p.problem(n.Line, where, `there is no sender: add under which name it is published, such as "sender: oncall"`)
	case to.Event.IsEvery():
		p.problem(n.Line, where, `there is no event: add what it is published as, such as "event: unanswered"`)
	case topic.IsPresence(to.Event):
		p.problem(n.Line, where, fmt.Sprintf("%s cannot be published: the server says who comes and goes", to.Event))
	}
	return to
}

func (p *parser) publicationKeys(to *Publication) map[string]setter {
	return map[string]setter{
		"sender": func(n *yaml.Node, where string) { to.Sender = p.name(n, where) },
		"event":  func(n *yaml.Node, where string) { to.Event = p.name(n, where) },
	}
}

// note remembers where a key is, for what may be odd about it.
func (p *parser) note(n *yaml.Node, where string) {
	if p.noted == nil {
		p.noted = make(map[string]place)
	}
	p.noted[where] = place{n.Line, where}
}

// waits warns of waits that can hardly do what is meant, once for those of the defaults.
func (p *parser) waits(s Subscription, where string) {
	warn := func(key, what string) {
		for _, in := range []string{where, "defaults"} {
			if at, ok := p.noted[join(in, key)]; ok {
				delete(p.noted, join(in, key))
				p.warn(at.line, at.where, what)
				return
			}
		}
	}
	tag, hasTag := constant(s.Tag)
	if s.For > 0 {
		switch {
		case s.Resolve != nil && s.Resolve.Source() == "false":
			warn("for", "with resolve: false, nothing can resolve an alert before its time is over: it only comes later")
		case s.Tag == nil:
			warn("for", `only an event with the same tag in its data can resolve an alert before its time is over: add what both have in common, such as tag: "{{ sender }}"`)
		case hasTag && tag == "":
			warn("for", "without a tag, nothing can resolve an alert before its time is over: it only comes later")
		}
	}
	if s.Repeat.Every > 0 && (s.Timeout < 0 || s.Timeout >= s.Repeat.Every) {
		warn("repeat", "with that timeout, an alert is still on the screen when it is shown again")
	}
	if unless, ok := constant(s.Unless); ok && unless != "" && hasTag && unless == tag {
		warn("unless", "this is the subscription's own tag: of several senders, only the first is shown")
	}
	if u, ok := constant(s.Urgency); ok && u != "critical" && s.Escalate != nil {
		warn("escalate", "its alerts are never critical, and only critical ones are escalated")
	}
}

// constant is a text without expressions; false: it has some, or there is none.
func constant(t *rule.Text) (text string, ok bool) {
	if t == nil {
		return "", false
	}
	text, ok = t.Constant()
	return strings.TrimSpace(text), ok
}
