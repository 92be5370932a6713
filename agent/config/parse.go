package config

import (
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"sigalert/agent/rule"
	"sigalert/internal/address"
	"sigalert/internal/topic"
	"sigalert/internal/words"
	"sigalert/sig"
)

// parser walks a file's nodes and collects what it finds.
type parser struct {
	path     string
	lines    [][]rune // of the file, as an editor counts them
	config   Config
	problems Problems
	warnings Problems
	compiler rule.Compiler
	made     map[made]any              // what was made of nodes, so that an alias costs nothing
	first    map[string][]Subscription // by nameKey: what alerts before another, whatever the event
	globs    []Subscription            // as first, for those that have a glob
	named    bool                      // the file gives servers names
	names    []string                  // of servers
	taken    map[string]place          // addresses of servers
	resolves map[*rule.Expr]place      // where each is, until it was warned of
	noted    map[string]place          // by where they are: keys that may be odd, until they were warned of
	glued    *regexp.Regexp            // a known key whose colon no space follows
}

// place is a line, and the key there.
type place struct {
	line  int
	where string
}

// made is a node, and what it was taken for.
type made struct {
	node *yaml.Node
	as   string
}

func newParser(path string) *parser {
	return &parser{
		path:     path,
		config:   Config{Path: path, CatchUp: defaultCatchUp, History: defaultHistory()},
		made:     make(map[made]any),
		first:    make(map[string][]Subscription),
		resolves: make(map[*rule.Expr]place),
		taken:    make(map[string]place),
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
		p.problem(n.Line, where, "must be keys and values, not "+kind(n)+p.tight(n.Value))
		return
	}
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content) && !p.full(); i += 2 {
		line, key, value := n.Content[i].Line, resolve(n.Content[i]), n.Content[i+1]
		bad := func(what string) { p.problemAt(line, n.Content[i].Column, where, what) }
		name := key.Value
		switch {
		case key.Kind != yaml.ScalarNode:
			bad("must be a key, not " + kind(key))
			continue
		case key.ShortTag() == "!!merge":
			bad(`"<<" is not supported: put what all subscriptions share into "defaults"`)
			continue
		case key.Style&yaml.TaggedStyle != 0 && key.ShortTag() != "!!str":
			bad(fmt.Sprintf("the key %q is text: remove the tag %s", name, key.ShortTag()))
			continue
		case seen[name] > 0:
			bad(fmt.Sprintf("the key %q is already on line %d", name, seen[name]))
			continue
		}
		seen[name] = line
		set := keys[name]
		if set == nil {
			bad(p.unknownKey(name, slices.Sorted(maps.Keys(keys))))
			continue
		}
		if word := hidden(n.Content[i], value); where != "" && word != "" {
			p.problem(line, join(where, name), word+" is a comment here: text that begins with # needs quotes")
			continue
		}
		set(value, join(where, name))
	}
}

// synonyms are keys of other programs, and what they are here.
var synonyms = map[string][]string{
	"priority": {"urgency"}, "prio": {"urgency"}, "level": {"urgency"}, "severity": {"urgency"}, "importance": {"urgency"},
	"subject": {"title"}, "heading": {"title"}, "summary": {"title"},
	"message": {"body"}, "text": {"body", "label"}, "content": {"body"}, "description": {"body"},
	"if": {"when"}, "condition": {"when"}, "filter": {"when"},
	"from": {"sender"}, "source": {"sender"}, "channel": {"event"}, "topic": {"event"},
	"address": {"listen", "url"}, "bind": {"listen"}, "port": {"listen"}, "host": {"server", "url", "allowed_hosts"}, "uri": {"url", "server"},
	"alerts": {"subscriptions"}, "rules": {"subscriptions"},
	"image_path": {"icon"}, "picture": {"image"}, "photo": {"image"},
	"audio": {"sound"}, "ring": {"sound"}, "beep": {"sound"},
	"expire": {"timeout"}, "expiry": {"timeout"}, "duration": {"timeout", "snooze"}, "expire_time": {"timeout"},
	"url": {"open", "server"}, "link": {"url", "open"}, "click": {"url"}, "href": {"url", "open"}, "view": {"open"}, "open": {"url"},
	"group": {"tag"}, "id": {"tag"}, "key": {"tag"}, "replaces": {"tag"},
	"clear": {"resolve"}, "close": {"resolve"}, "until": {"resolve"},
	"on_change": {"only_changes"}, "dedupe": {"only_changes"}, "unique": {"only_changes"},
	"throttle": {"rate_limit"}, "limit": {"rate_limit"}, "max": {"rate_limit", "max_entries", "limit"},
	"buttons": {"actions"}, "action": {"actions", "method"},
	"exec": {"command"}, "run": {"command"}, "script": {"command"}, "cmd": {"command"}, "program": {"command"}, "hook": {"command"},
	"high": {"critical"}, "medium": {"normal"}, "min": {"low"},
	"sh": {"shell"}, "bash": {"shell"}, "line": {"shell"},
	"title": {"label"}, "name": {"label", "method"},
	"call": {"request", "method"}, "function": {"method"}, "args": {"params"}, "arguments": {"params"}, "data": {"params"}, "payload": {"params"}, "body": {"params"},
	"wait": {"for"}, "delay": {"for", "snooze"}, "after": {"for"}, "remind": {"repeat"}, "reminder": {"repeat"}, "interval": {"every", "repeat"},
	"heartbeat": {"expect_every"}, "expect": {"expect_every"}, "inhibit": {"unless"}, "inhibited_by": {"unless"}, "depends_on": {"unless"},
	"escalation": {"escalate"}, "times": {"at_most"}, "send": {"publish"},
	"sleep": {"snooze"}, "pause": {"snooze"}, "input": {"reply"}, "answer": {"reply"},
	"quiet": {"quiet_hours"}, "silence": {"quiet_hours"}, "dnd": {"do_not_disturb"}, "hours": {"times"},
	"count": {"max_entries", "limit"}, "keep": {"retention", "age"}, "max_age": {"retention", "age"},
	"certificate": {"cert"}, "ssl": {"tls"}, "https": {"tls"}, "ca": {"client_ca"}, "token": {"tokens"}, "auth": {"tokens"}, "legacy": {"allow_legacy"}, "folder": {"dir"}, "path": {"dir"}, "fsync": {"sync"},
}

// renamed are keys as they were called, and as they are.
var renamed = map[string]string{"limit": "max_entries", "age": "retention", "hosts": "allowed_hosts"}

func (p *parser) unknownKey(name string, known []string) string {
	if now := renamed[name]; slices.Contains(known, now) {
		return fmt.Sprintf("the key %q is called %q now", name, now)
	}
	what := fmt.Sprintf("unknown key %q", name)
	if advice := p.tight(name); advice != "" {
		return what + advice
	}
	near := words.Nearest(name, known)
	for _, other := range synonyms[strings.ToLower(name)] {
		if near == "" && slices.Contains(known, other) {
			near = other
		}
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
	keys := p.fileKeys(&list, &defaults)
	p.mapping(root, "", keys)
	p.placed()
	var base Subscription
	if defaults != nil && !isNull(defaults) {
		base.Line = defaults.Line
		p.mapping(defaults, "defaults", p.alertKeys(&base))
	}
	switch {
	case list != nil:
		p.subscriptions(list, base)
	case root.Kind == yaml.MappingNode:
		p.problem(root.Line, "", `there are no subscriptions: say what to alert for, such as "subscriptions: [{sender: timer, event: tick}]"`)
	}
}

func (p *parser) fileKeys(list, defaults **yaml.Node) map[string]setter {
	keys := p.placeKeys()
	maps.Copy(keys, p.quietKeys())
	keys["history"] = p.history
	keys["catch_up"] = p.catchUp
	keys["subscriptions"] = func(n *yaml.Node, _ string) { *list = n }
	keys["defaults"] = func(n *yaml.Node, _ string) { *defaults = n }
	return keys
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
	before := len(p.problems)
	p.mapping(n, where, p.subscriptionKeys(&s))
	if len(p.problems) > before {
		return
	}
	p.resolvable(s)
	p.waits(s, where)
	if o := p.before(s); o != nil {
		p.problem(s.Line, where, fmt.Sprintf("never alerts: line %d matches first", o.Line))
		return
	}
	if s.When == nil {
		p.remember(s)
	}
	p.config.Subscriptions = append(p.config.Subscriptions, s)
}

func (p *parser) subscriptionKeys(s *Subscription) map[string]setter {
	keys := p.alertKeys(s)
	keys["sender"] = func(n *yaml.Node, where string) { s.Sender, s.SenderGlob = p.pattern(n, where) }
	keys["event"] = func(n *yaml.Node, where string) { s.Event, s.EventGlob = p.pattern(n, where) }
	keys["server"] = func(n *yaml.Node, where string) { s.Server, s.ServerGlob = p.onServer(n, where) }
	keys["expect_every"] = func(n *yaml.Node, where string) { s.ExpectEvery = p.wait(n, where) }
	return keys
}

// resolvable warns of a resolve that can hardly do what is meant, once for that of the
// defaults.
func (p *parser) resolvable(s Subscription) {
	at, first := p.resolves[s.Resolve]
	if s.Resolve == nil || !first {
		return
	}
	what := ""
	switch source := s.Resolve.Source(); {
	case source == "true":
		what = "holds for every event, so none is shown"
	case source != "false" && s.Tag == nil:
		what = `takes back only an alert whose event had the same tag in its data: add what both have in common, such as tag: "{{ sender }}"`
	default:
		return
	}
	p.warn(at.line, at.where, what)
	delete(p.resolves, s.Resolve)
}

// maxGlobs bounds the globs that are compared with what comes after them: in a file
// that is made to be slow there could be very many.
const maxGlobs = 250

// remember notes what alerts for whatever it matches.
func (p *parser) remember(s Subscription) {
	switch {
	case s.SenderGlob.IsZero() && s.EventGlob.IsZero() && s.ServerGlob.IsZero():
		key := nameKey(s.Sender) + " " + nameKey(s.Event)
		p.first[key] = append(p.first[key], s)
	case len(p.globs) < maxGlobs:
		p.globs = append(p.globs, s)
	}
}

// before finds a subscription that alerts for whatever s matches; nil if there is
// none, or if s still has presence to alert for.
func (p *parser) before(s Subscription) *Subscription {
	every := nameKey("")
	for _, sender := range []string{nameKey(s.Sender), every} {
		for _, event := range []string{nameKey(s.Event), every} {
			if o := covering(p.first[sender+" "+event], s); o != nil {
				return o
			}
		}
	}
	return covering(p.globs, s)
}

// covering finds the first that alerts for whatever s matches.
func covering(all []Subscription, s Subscription) *Subscription {
	coming := topic.IsPresence(s.Event)
	for i, o := range all {
		if !covers(o.Server, o.ServerGlob, s.Server, s.ServerGlob) {
			continue
		}
		same := o.Sender.Equal(s.Sender) && o.SenderGlob.Equal(s.SenderGlob) && o.Event.Equal(s.Event) && o.EventGlob.Equal(s.EventGlob)
		covers := covers(o.Sender, o.SenderGlob, s.Sender, s.SenderGlob) &&
			covers(o.Event, o.EventGlob, s.Event, s.EventGlob) && (!coming || o.Event.Equal(s.Event))
		if same || covers && !s.Presence {
			return &all[i]
		}
	}
	return nil
}

// covers reports whether a name, or else a glob, stands for all that another does. It
// may miss that one glob covers another.
func covers(name sig.Name, glob topic.Glob, other sig.Name, otherGlob topic.Glob) bool {
	switch {
	case !name.IsEvery():
		return name.Equal(other)
	case glob.IsZero():
		return true
	case other.IsEvery():
		return glob.Equal(otherGlob)
	}
	return glob.Matches(other)
}

// alertKeys are the keys of a subscription that may have a default.
func (p *parser) alertKeys(s *Subscription) map[string]setter {
	return map[string]setter{
		"when": func(n *yaml.Node, where string) { s.When = p.condition(n, where) },
		"resolve": func(n *yaml.Node, where string) {
			s.Resolve = p.condition(n, where)
			p.resolves[s.Resolve] = place{n.Line, where}
		},
		"only_changes": func(n *yaml.Node, where string) { s.OnlyChanges = p.onlyChanges(n, where) },
		"rate_limit":   func(n *yaml.Node, where string) { s.RateLimit = p.rate(n, where) },
		"for":          func(n *yaml.Node, where string) { s.For = p.wait(n, where) },
		"repeat":       func(n *yaml.Node, where string) { s.Repeat = p.repeat(n, where) },
		"unless":       func(n *yaml.Node, where string) { p.note(n, where); s.Unless = p.ruleText(n, where) },
		"escalate":     func(n *yaml.Node, where string) { s.Escalate = p.escalation(n, where) },
		"title":        func(n *yaml.Node, where string) { s.Title = p.ruleText(n, where) },
		"body":         func(n *yaml.Node, where string) { s.Body = p.ruleText(n, where) },
		"urgency":      func(n *yaml.Node, where string) { s.Urgency = p.urgency(n, where) },
		"icon":         func(n *yaml.Node, where string) { s.Icon = p.icon(n, where) },
		"sound":        func(n *yaml.Node, where string) { s.Sound = p.sound(n, where) },
		"timeout":      func(n *yaml.Node, where string) { s.Timeout = p.timeout(n, where) },
		"url":          func(n *yaml.Node, where string) { s.URL = p.address(n, where) },
		"tag":          func(n *yaml.Node, where string) { s.Tag = p.ruleText(n, where) },
		"image":        func(n *yaml.Node, where string) { s.Image = p.truth(n, where) },
		"actions":      func(n *yaml.Node, where string) { s.Actions = p.actions(n, where) },
		"command":      func(n *yaml.Node, where string) { s.Command = p.command(n, where) },
		"presence":     func(n *yaml.Node, where string) { s.Presence = p.truth(n, where) },
	}
}

// truth is true or false.
func (p *parser) truth(n *yaml.Node, where string) (b bool) {
	v := resolve(n)
	if v.Kind != yaml.ScalarNode || v.ShortTag() != "!!bool" || v.Decode(&b) != nil {
		p.problem(n.Line, where, "must be true or false, not "+kind(v))
	}
	return b
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
