package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"

	"sigalert/agent/rule"
	"sigalert/internal/topic"
	"sigalert/sig"
)

// maxName bounds a name, in bytes: a request for it must fit into one message.
const maxName = 1 << 10

// pattern is a name or a glob.
func (p *parser) pattern(n *yaml.Node, where string) (sig.Name, topic.Glob) {
	name := p.name(n, where)
	if v := resolve(n); !isText(v) || name.IsEvery() {
		return name, topic.Glob{}
	}
	v := resolve(n)
	if key(where) == "sender" && strings.HasPrefix(v.Value, "#") {
		p.warn(n.Line, where, fmt.Sprintf("%q is a channel's name, and channels are events: use event: %[1]q", v.Value))
	}
	name, glob, err := topic.ParseGlob(v.Value)
	if e, ok := errors.AsType[*topic.GlobError](err); ok {
		p.problemIn(v, e.At, where, e.What)
	}
	return name, glob
}

// name is any scalar: 5 is a number, "5" and 2020-01-01 are text, and nothing
// stands for every one. What YAML reads as a number, true or nothing, but JSON does
// not, is refused: it is nearly always meant as text.
func (p *parser) name(n *yaml.Node, where string) sig.Name {
	v := resolve(n)
	if v.Kind != yaml.ScalarNode {
		p.problem(n.Line, where, "must be a name, not "+kind(v))
		return ""
	}
	if len(v.Value) > maxName {
		p.problem(n.Line, where, "the name is longer than 1 KiB")
		return ""
	}
	text := ""
	switch v.ShortTag() {
	case "!!null":
		switch {
		case !isNull(v):
			p.problem(n.Line, where, fmt.Sprintf("%s is not a name: quote it if it is text", v.Value))
		case strings.EqualFold(v.Value, "null") && v.Value != "null":
			p.problem(n.Line, where, fmt.Sprintf("%s is read as nothing, which means every one: write %[1]q if it is text, or leave it out", v.Value))
		case v.Value != "": // written out
			p.warn(n.Line, where, fmt.Sprintf("%s is nothing, which means every one: quote it if it is text, or leave %q out", v.Value, key(where)))
		}
		return ""
	case "!!bool", "!!int", "!!float":
		if text = p.literally(n, where, "a name"); text == "" {
			return ""
		}
		p.warn(n.Line, where, fmt.Sprintf("this is %s, which is not the text %q: quote it if it is text", value(v), text))
	default:
		switch {
		case !isText(v):
			p.problem(n.Line, where, "must be a name, not "+kind(v))
			return ""
		case v.Value == "":
			return ""
		}
		p.lookalike(n, where)
		text = rule.JSON(v.Value)
	}
	name, err := sig.ParseName([]byte(text))
	if err != nil {
		p.problem(n.Line, where, err.Error())
	}
	return name
}

// literally is a number, true or false as JSON has it; what JSON spells otherwise is a
// problem, and "".
func (p *parser) literally(n *yaml.Node, where, what string) string {
	v := resolve(n)
	switch text := literal(v); text {
	case v.Value:
		return text
	case "":
		p.problem(n.Line, where, fmt.Sprintf("%s is not %s: quote it if it is text", v.Value, what))
	default:
		p.problem(n.Line, where, fmt.Sprintf("%s is read as %s: write %[1]q if it is text, or %[2]s", v.Value, text))
	}
	return ""
}

func key(where string) string { return where[strings.LastIndexByte(where, '.')+1:] }

// value is a number, true or false, for people.
func value(n *yaml.Node) string {
	if n.ShortTag() == "!!bool" {
		return "the value " + n.Value
	}
	return "the number " + n.Value
}

// literal is a boolean or a number in JSON, spelled as in the file if that is
// JSON; "" if JSON has no such number, or the tag is wrong.
func literal(n *yaml.Node) string {
	var b bool
	var i int64
	var u uint64
	var f float64
	switch n.ShortTag() {
	case "!!bool":
		if n.Decode(&b) == nil {
			return strconv.FormatBool(b)
		}
		return ""
	case "!!int":
		if n.Decode(&i) != nil && n.Decode(&u) != nil {
			return ""
		}
	case "!!float":
		if n.Decode(&f) != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return ""
		}
	}
	switch {
	case json.Valid([]byte(n.Value)):
		return n.Value
	case n.ShortTag() == "!!float":
		return string(sig.Number(f).JSON())
	case u > 0:
		return strconv.FormatUint(u, 10)
	}
	return strconv.FormatInt(i, 10)
}

// nameKey is the same for equal names, and nearly always different for others.
func nameKey(n sig.Name) string {
	text := string(n.JSON())
	switch text {
	case "true":
		return "1"
	case "false":
		return "0"
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		return strconv.FormatFloat(f+0, 'g', -1, 64) // +0: 0 and -0 are equal
	}
	return text
}
