package config

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"sigalert/agent/rule"
	"sigalert/internal/address"
	"sigalert/internal/topic"
	"sigalert/internal/words"
)

// parser walks a file's nodes and collects what it finds.
type parser struct {
	path       string
	lines      [][]rune // of the file, as an editor counts them
	config     Config
	problems   Problems
	warnings   Problems
	conditions map[*yaml.Node]*rule.Expr // by node, so that an alias's is compiled once
	texts      map[*yaml.Node]*rule.Text
	first      map[string][]Subscription // by nameKey: what alerts before another, whatever the event
}

func newParser(path string) *parser {
	return &parser{
		path:       path,
		config:     Config{Path: path},
		conditions: make(map[*yaml.Node]*rule.Expr),
		texts:      make(map[*yaml.Node]*rule.Text),
		first:      make(map[string][]Subscription),
	}
}

// resolve follows an alias.
func resolve(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// isNull reports whether a node says nothing; one that is merely tagged so does not.
func isNull(n *yaml.Node) bool {
	n = resolve(n)
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" && n.Decode(new(any)) == nil
}

// setter takes the value of a key; where names the key in problems.
type setter func(value *yaml.Node, where string)

// mapping calls the setter of each key. A node that is not a mapping, an unknown
// key and a key that comes twice are problems.
func (p *parser) mapping(n *yaml.Node, where string, keys map[string]setter) {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		p.problem(n.Line, where, "must be keys and values, not "+kind(n)+tight(n.Value))
		return
	}
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content) && !p.full(); i += 2 {
		line, key, value := n.Content[i].Line, resolve(n.Content[i]), n.Content[i+1]
		name := key.Value
		switch {
		case key.Kind != yaml.ScalarNode:
			p.problem(line, where, "must be a key, not "+kind(key))
			continue
		case key.ShortTag() == "!!merge":
			p.problem(line, where, `"<<" is not supported: put what all subscriptions share into "defaults"`)
			continue
		case key.Style&yaml.TaggedStyle != 0 && key.ShortTag() != "!!str":
			p.problem(line, where, fmt.Sprintf("the key %q is text: remove the tag %s", name, key.ShortTag()))
			continue
		case seen[name] > 0:
			p.problem(line, where, fmt.Sprintf("the key %q is already on line %d", name, seen[name]))
			continue
		}
		seen[name] = line
		set := keys[name]
		if set == nil {
			p.problem(line, where, unknownKey(name, slices.Sorted(maps.Keys(keys))))
			continue
		}
		if word := hidden(n.Content[i], value); where != "" && word != "" {
			p.problem(line, join(where, name), word+" is a comment here: text that begins with # needs quotes")
			continue
		}
		set(value, join(where, name))
	}
}

// synonyms are keys of other programs.
var synonyms = map[string]string{
	"priority": "urgency", "prio": "urgency", "level": "urgency", "severity": "urgency", "importance": "urgency",
	"subject": "title", "heading": "title", "summary": "title",
	"message": "body", "text": "body", "content": "body", "description": "body",
	"if": "when", "condition": "when", "filter": "when",
	"from": "sender", "source": "sender", "channel": "event", "topic": "event",
	"address": "listen", "bind": "listen", "port": "listen", "host": "server", "url": "server", "alerts": "subscriptions", "rules": "subscriptions",
}

func unknownKey(name string, known []string) string {
	what := fmt.Sprintf("unknown key %q", name)
	if advice := tight(name); advice != "" {
		return what + advice
	}
	near := words.Nearest(name, known)
	if other := synonyms[strings.ToLower(name)]; near == "" && slices.Contains(known, other) {
		near = other
	}
	if near != "" {
		what += fmt.Sprintf(" (did you mean %q?)", near)
	}
	return what + odd(name)
}

// hidden is a word that was meant as a value, as in "event: #notify", but which
// YAML takes for a comment; "" for what looks like a comment.
func hidden(key, value *yaml.Node) string {
	word, _, _ := strings.Cut(key.LineComment, " ")
	if value.Value != "" || !isNull(value) || len(strings.TrimLeft(word, "#")) == 0 {
		return ""
	}
	return word
}

func join(where, key string) string {
	if where == "" {
		return key
	}
	return where + "." + key
}

// kind says what a node is, for problems.
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
	if !isText(n) {
		return "a value with the tag " + n.ShortTag()
	}
	return fmt.Sprintf("the text %.40q", n.Value) + odd(n.Value)
}

// isText reports whether a scalar is text; a date is, unless it is tagged as one.
func isText(n *yaml.Node) bool {
	tag := n.ShortTag()
	return tag == "!!str" || tag == "!!timestamp" && n.Style&yaml.TaggedStyle == 0
}

// file is the top level; root is nil for an empty file.
func (p *parser) file(root *yaml.Node) {
	if root == nil {
		root = &yaml.Node{Kind: yaml.MappingNode, Line: 1}
	}
	var list, defaults *yaml.Node
	keys := p.placeKeys()
	keys["history"] = p.history
	keys["subscriptions"] = func(n *yaml.Node, _ string) { list = n }
	keys["defaults"] = func(n *yaml.Node, _ string) { defaults = n }
	p.mapping(root, "", keys)
	if p.config.Server == "" {
		p.config.Server, _ = address.ParseServer("")
	}
	var base Subscription
	if defaults != nil && !isNull(defaults) {
		p.mapping(defaults, "defaults", p.alertKeys(&base))
	}
	switch {
	case list != nil:
		p.subscriptions(list, base)
	case root.Kind == yaml.MappingNode:
		p.problem(root.Line, "", `there are no subscriptions: say what to alert for, such as "subscriptions: [{sender: timer, event: tick}]"`)
	}
}

// portAlone refuses a number for an address.
func (p *parser) portAlone(n *yaml.Node, where string) bool {
	v := resolve(n)
	if kind(v) != "a number" {
		return false
	}
	p.problem(n.Line, where, fmt.Sprintf("must be text, not a number: use %q", net.JoinHostPort(address.Loopback, v.Value)))
	return true
}

func (p *parser) subscriptions(n *yaml.Node, base Subscription) {
	const where = "subscriptions"
	list := resolve(n)
	switch {
	case isNull(list), list.Kind == yaml.SequenceNode && len(list.Content) == 0:
		p.problem(n.Line, where, `the list is empty: say what to alert for, such as "- {sender: timer, event: tick}"`)
		return
	case list.Kind != yaml.SequenceNode:
		p.problem(n.Line, where, "must be a list, not "+kind(list))
		return
	}
	for i, n := range list.Content {
		if p.full() {
			return
		}
		p.subscription(n, fmt.Sprintf("%s[%d]", where, i), base)
	}
}

func (p *parser) subscription(n *yaml.Node, where string, s Subscription) {
	s.Line = n.Line
	keys := p.alertKeys(&s)
	keys["sender"] = func(n *yaml.Node, where string) { s.Sender = p.name(n, where) }
	keys["event"] = func(n *yaml.Node, where string) { s.Event = p.name(n, where) }
	before := len(p.problems)
	p.mapping(n, where, keys)
	if len(p.problems) > before {
		return
	}
	if o := p.before(s); o != nil {
		p.problem(s.Line, where, fmt.Sprintf("never alerts: line %d matches first", o.Line))
		return
	}
	if s.When == nil {
		key := nameKey(s.Sender) + " " + nameKey(s.Event)
		p.first[key] = append(p.first[key], s)
	}
	p.config.Subscriptions = append(p.config.Subscriptions, s)
}

// before finds a subscription that alerts for whatever s matches; nil if there is
// none, or if s still has presence to alert for.
func (p *parser) before(s Subscription) *Subscription {
	every := nameKey("")
	coming := topic.IsPresence(s.Event)
	for _, sender := range []string{nameKey(s.Sender), every} {
		for _, event := range []string{nameKey(s.Event), every} {
			for i, o := range p.first[sender+" "+event] {
				same := o.Sender.Equal(s.Sender) && o.Event.Equal(s.Event)
				covers := (o.Sender.IsEvery() || o.Sender.Equal(s.Sender)) &&
					(o.Event.Equal(s.Event) || o.Event.IsEvery() && !coming)
				if same || covers && !s.Presence {
					return &p.first[sender+" "+event][i]
				}
			}
		}
	}
	return nil
}

// alertKeys are the keys of a subscription that may have a default.
func (p *parser) alertKeys(s *Subscription) map[string]setter {
	return map[string]setter{
		"when":    func(n *yaml.Node, where string) { s.When = p.condition(n, where) },
		"title":   func(n *yaml.Node, where string) { s.Title = p.ruleText(n, where) },
		"body":    func(n *yaml.Node, where string) { s.Body = p.ruleText(n, where) },
		"urgency": func(n *yaml.Node, where string) { s.Urgency = p.urgency(n, where) },
		"tag":     func(n *yaml.Node, where string) { s.Tag = p.ruleText(n, where) },
		"presence": func(n *yaml.Node, where string) {
			v := resolve(n)
			if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!bool" || v.Decode(&s.Presence) != nil {
				p.problem(n.Line, where, "must be true or false, not "+kind(v))
			}
		},
	}
}

// text is a scalar that is text; 42 and true are text only in quotes.
func (p *parser) text(n *yaml.Node, where string) (string, bool) {
	v := resolve(n)
	switch {
	case v.Kind == yaml.MappingNode && v.Style&yaml.FlowStyle != 0: // title: {{ sender }}
		p.problem(n.Line, where, `must be text, not keys and values: text that begins with "{" needs quotes`)
	case kind(v) == "a number":
		p.problem(n.Line, where, "must be text, not a number: put it in quotes")
	case v.Kind != yaml.ScalarNode || !isText(v):
		p.problem(n.Line, where, "must be text, not "+kind(v))
	default:
		return v.Value, true
	}
	return "", false
}

// parsed is what parse makes of a text; its error becomes a problem.
func parsed[T any](p *parser, n *yaml.Node, where string, parse func(string) (T, error)) (v T, ok bool) {
	text, ok := p.text(n, where)
	if !ok {
		return v, false
	}
	if p.lookalike(n, where) {
		return v, false
	}
	v, err := parse(text)
	if err != nil {
		p.problem(n.Line, where, err.Error())
	}
	return v, err == nil
}
