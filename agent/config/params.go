package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"

	"sigalert/agent/rule"
)

const (
	maxParams     = 1000    // values
	maxParamsDeep = 20      // lists and objects in one another
	maxParamsSize = 1 << 20 // bytes of what they become
)

// Value is what the params are for an event: something that encoding/json encodes. The
// error is the *rule.Error of the first expression that fails, or says that it is too
// much.
func (p *Params) Value(ev *rule.Event) (any, error) {
	room := maxParamsSize
	return p.value(ev, &room)
}

func (p *Params) value(ev *rule.Event, room *int) (any, error) {
	switch {
	case p.Text != nil:
		v, err := p.Text.Value(ev)
		if err != nil {
			return nil, err
		}
		text := rule.JSON(v)
		if *room -= len(text); *room < 0 {
			return nil, errors.New("the params are larger than 1 MiB")
		}
		return json.RawMessage(text), nil
	case p.List != nil:
		list := make([]any, len(p.List))
		for i, element := range p.List {
			v, err := element.value(ev, room)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	case p.Object != nil:
		object := make(map[string]any, len(p.Object))
		for key, member := range p.Object {
			v, err := member.value(ev, room)
			if err != nil {
				return nil, err
			}
			object[key] = v
		}
		return object, nil
	}
	return p.JSON, nil
}

func (p *parser) params(n *yaml.Node, where string) *Params {
	return once(p, "params", n, func(*yaml.Node) *Params {
		left := maxParams
		params := p.param(n, where, &left, maxParamsDeep)
		if left < 0 {
			p.problem(n.Line, where, fmt.Sprintf("has more than 1,000 values, or more than %d lists and objects in one another", maxParamsDeep))
		}
		return params
	})
}

// param is any value. What is left of the values is below 0 once there are too many.
func (p *parser) param(n *yaml.Node, where string, left *int, deep int) *Params {
	v := resolve(n)
	if *left--; *left < 0 || p.full() {
		return nil
	}
	container := v.Kind == yaml.SequenceNode || v.Kind == yaml.MappingNode && !isBraces(v)
	if container && deep == 0 {
		*left = -1
		return nil
	}
	switch {
	case container && v.Kind == yaml.SequenceNode:
		list := []*Params{}
		for i, n := range v.Content {
			list = append(list, p.param(n, fmt.Sprintf("%s[%d]", where, i), left, deep-1))
		}
		return &Params{List: list}
	case container:
		return &Params{Object: p.object(v, where, left, deep)}
	case isNull(v):
		return &Params{JSON: json.RawMessage("null")}
	case v.Kind == yaml.ScalarNode && (v.ShortTag() == "!!bool" || kind(v) == "a number"):
		return &Params{JSON: json.RawMessage(p.literally(n, where, "a value"))}
	}
	return &Params{Text: p.ruleText(n, where)}
}

func (p *parser) object(v *yaml.Node, where string, left *int, deep int) map[string]*Params {
	object := make(map[string]*Params)
	for i := 0; i+1 < len(v.Content) && *left >= 0; i += 2 {
		key := resolve(v.Content[i])
		bad := func(what string) { p.problemAt(v.Content[i].Line, v.Content[i].Column, where, what) }
		switch name := key.Value; {
		case key.Kind != yaml.ScalarNode:
			bad("must be a key, not " + kind(key))
		case key.ShortTag() == "!!merge":
			bad(`"<<" is not supported`)
		case object[name] != nil:
			bad(fmt.Sprintf("the key %q is already there", name))
		case strings.Contains(name, "{{"):
			bad("a key cannot have an expression in it")
		default:
			object[name] = p.param(v.Content[i+1], join(where, name), left, deep-1)
		}
	}
	return object
}
