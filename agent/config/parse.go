package config

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gopkg.in/yaml.v3"

	"sigalert/agent/notify"
	"sigalert/sig"
)

// parser walks a file's nodes and gathers what it finds.
type parser struct {
	path     string
	config   Config
	problems Problems
}

func (p *parser) problem(line int, where, what string) {
	p.problems = append(p.problems, Problem{p.path, max(1, line), where, what})
}

// resolve follows an alias.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// mapping calls the function of each key. What is no mapping, an unknown key
// and a key that comes twice are problems.
func (p *parser) mapping(n *yaml.Node, where string, keys map[string]func(value *yaml.Node, where string)) {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		p.problem(n.Line, where, "want keys and values, not "+kind(n))
		return
	}
	var known []string
	for k := range keys {
		known = append(known, k)
	}
	slices.Sort(known)
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := key.Value
		if line, twice := seen[name]; twice {
			p.problem(key.Line, where, fmt.Sprintf("the key %q is in line %d already", name, line))
			continue
		}
		seen[name] = key.Line
		f := keys[name]
		if f == nil {
			what := fmt.Sprintf("unknown key %q", name)
			if near := nearest(name, known); near != "" {
				what += fmt.Sprintf(" (did you mean %q?)", near)
			}
			p.problem(key.Line, where, what)
			continue
		}
		f(value, join(where, name))
	}
}

func join(where, key string) string {
	if where == "" {
		return key
	}
	return where + "." + key
}

// kind names what a node is, for problems.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	}
	return fmt.Sprintf("the text %.40q", n.Value)
}

// file is the top level; root is nil for an empty file.
func (p *parser) file(root *yaml.Node) {
	p.config.Server, _ = ParseServer("")
	if root == nil {
		root = &yaml.Node{Kind: yaml.MappingNode, Line: 1}
	}
	var list, defaults *yaml.Node
	line := root.Line
	p.mapping(root, "", map[string]func(*yaml.Node, string){
		"server":        p.server,
		"subscriptions": func(n *yaml.Node, _ string) { list = n },
		"defaults":      func(n *yaml.Node, _ string) { defaults = n },
	})
	var base Subscription
	if defaults != nil {
		p.mapping(defaults, "defaults", p.alertKeys(&base))
	}
	if list == nil {
		if resolve(root).Kind == yaml.MappingNode {
			p.problem(line, "", `there are no subscriptions: say what to alert for, such as "subscriptions: [{sender: timer, event: tick}]"`)
		}
		return
	}
	p.subscriptions(resolve(list), base)
}

func (p *parser) server(n *yaml.Node, where string) {
	text, ok := p.text(n, where)
	if !ok {
		return
	}
	addr, err := ParseServer(text)
	if err != nil {
		p.problem(n.Line, where, err.Error())
		return
	}
	p.config.Server = addr
}

func (p *parser) subscriptions(list *yaml.Node, base Subscription) {
	switch {
	case list.Kind != yaml.SequenceNode:
		p.problem(list.Line, "subscriptions", "want a list, not "+kind(list))
		return
	case len(list.Content) == 0:
		p.problem(list.Line, "subscriptions", "the list is empty: there is nothing to alert for")
	}
	for i, n := range list.Content {
		where := fmt.Sprintf("subscriptions[%d]", i)
		s := base
		s.Line = n.Line
		keys := p.alertKeys(&s)
		keys["sender"] = func(n *yaml.Node, where string) { s.Sender = p.name(n, where) }
		keys["event"] = func(n *yaml.Node, where string) { s.Event = p.name(n, where) }
		before := len(p.problems)
		p.mapping(n, where, keys)
		if len(p.problems) > before {
			continue
		}
		for _, o := range p.config.Subscriptions {
			if o.Sender.Equal(s.Sender) && o.Event.Equal(s.Event) {
				p.problem(s.Line, where, fmt.Sprintf("never alerts: line %d alerts for %s before it", o.Line, s))
				break
			}
		}
		p.config.Subscriptions = append(p.config.Subscriptions, s)
	}
}

// alertKeys are the keys of a subscription that may have a default.
func (p *parser) alertKeys(s *Subscription) map[string]func(*yaml.Node, string) {
	return map[string]func(*yaml.Node, string){
		"title": func(n *yaml.Node, where string) {
			if text, ok := p.text(n, where); ok {
				t, err := parseTemplate(text)
				p.check(n, where, err)
				s.Title = t
			}
		},
		"body": func(n *yaml.Node, where string) {
			if text, ok := p.text(n, where); ok {
				t, err := parseTemplate(text)
				p.check(n, where, err)
				s.Body = t
			}
		},
		"urgency": func(n *yaml.Node, where string) {
			if text, ok := p.text(n, where); ok {
				u, err := notify.ParseUrgency(text)
				p.check(n, where, err)
				s.Urgency = u
			}
		},
		"presence": func(n *yaml.Node, where string) {
			n = resolve(n)
			if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(&s.Presence) != nil {
				p.problem(n.Line, where, "want true or false, not "+kind(n))
			}
		},
	}
}

func (p *parser) check(n *yaml.Node, where string, err error) {
	if err != nil {
		p.problem(n.Line, where, err.Error())
	}
}

// text is a scalar that is text; numbers and the like must be quoted.
func (p *parser) text(n *yaml.Node, where string) (string, bool) {
	n = resolve(n)
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		p.problem(n.Line, where, "want text, not "+kind(n))
		return "", false
	}
	return n.Value, true
}

// name is any scalar: a number is a number's name, and nothing means every
// one.
func (p *parser) name(n *yaml.Node, where string) sig.Name {
	n = resolve(n)
	if n.Kind != yaml.ScalarNode {
		p.problem(n.Line, where, "want a name, not "+kind(n))
		return ""
	}
	switch n.ShortTag() {
	case "!!null":
		return ""
	case "!!bool":
		var b bool
		p.check(n, where, n.Decode(&b))
		return p.jsonName(n, where, strconv.FormatBool(b))
	case "!!int":
		var i int64
		if n.Decode(&i) != nil {
			return p.jsonName(n, where, n.Value) // longer than an int64
		}
		return p.jsonName(n, where, strconv.FormatInt(i, 10))
	case "!!float":
		var f float64
		if err := n.Decode(&f); err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			p.problem(n.Line, where, fmt.Sprintf("%s is no name: quote it if it is text", n.Value))
			return ""
		}
		return sig.Number(f)
	}
	if n.Value == "" {
		return ""
	}
	quoted, err := json.Marshal(n.Value)
	p.check(n, where, err)
	return p.jsonName(n, where, string(quoted))
}

func (p *parser) jsonName(n *yaml.Node, where, text string) sig.Name {
	name, err := sig.ParseName([]byte(text))
	p.check(n, where, err)
	return name
}
