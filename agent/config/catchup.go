package config

import (
	"time"

	"gopkg.in/yaml.v3"
)

const defaultCatchUp = 24 * time.Hour

// catchUp is false, or how old what happened during an absence may be.
func (p *parser) catchUp(n *yaml.Node, where string) {
	v := resolve(n)
	switch kind(v) {
	case "true or false":
		if !p.truth(n, where) {
			p.config.CatchUp = -1
		}
	case "keys and values":
		p.mapping(n, where, map[string]setter{
			"max_age": func(n *yaml.Node, where string) { p.config.CatchUp = p.maxAge(n, where) },
		})
	default:
		p.problem(n.Line, where, `must be false or have keys, such as "catch_up: {max_age: 24h}", not `+kind(v))
	}
}

func (p *parser) maxAge(n *yaml.Node, where string) time.Duration {
	text, ok := p.textOrNumber(n, where)
	if !ok {
		return 0
	}
	d, err := parseSpan(text, time.Minute, 365*24*time.Hour)
	if err != nil {
		p.problem(n.Line, where, err.Error())
	}
	return d
}
