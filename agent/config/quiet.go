package config

import (
	"fmt"

	"gopkg.in/yaml.v3"

	"sigalert/internal/hours"
)

// maxRanges is how many times the quiet hours may have.
const maxRanges = 100

// Quiet says when alerts are held back although nobody has paused them.
type Quiet struct {
	Hours   hours.Hours // nil: none
	HoldAll bool        // then, in a pause and while the desktop asks for silence, critical ones are held back, too
	Desktop bool        // while the desktop asks for silence
}

// quietKeys are the keys that say when alerts are held back.
func (p *parser) quietKeys() map[string]setter {
	return map[string]setter{
		"quiet_hours": func(n *yaml.Node, where string) {
			p.mapping(n, where, map[string]setter{
				"times": func(n *yaml.Node, where string) { p.config.Quiet.Hours = p.ranges(n, where) },
				"except": func(n *yaml.Node, where string) {
					p.config.Quiet.HoldAll = p.either(n, where, "critical", "none") == "none"
				},
			})
		},
		"do_not_disturb": func(n *yaml.Node, where string) {
			p.config.Quiet.Desktop = p.either(n, where, "pass", "hold") == "hold"
		},
	}
}

// ranges are one or several times of the week.
func (p *parser) ranges(n *yaml.Node, where string) (all hours.Hours) {
	list := resolve(n)
	nodes := list.Content
	if list.Kind != yaml.SequenceNode {
		nodes = []*yaml.Node{n}
	}
	if len(nodes) > maxRanges {
		p.problem(n.Line, where, fmt.Sprintf("has too many times: at most %d", maxRanges))
		return nil
	}
	for i, n := range nodes {
		at := where
		if list.Kind == yaml.SequenceNode {
			at = fmt.Sprintf("%s[%d]", where, i)
		}
		if r, ok := parsed(p, n, at, hours.Parse); ok {
			all = append(all, r)
		}
	}
	if all.Always() {
		p.problem(n.Line, where, "leaves no time at which alerts are shown")
	}
	return all
}

// either is one of two words.
func (p *parser) either(n *yaml.Node, where, one, other string) string {
	word, _ := parsed(p, n, where, func(text string) (string, error) {
		if text != one && text != other {
			return "", fmt.Errorf("must be %s or %s, not %.40q", one, other, text)
		}
		return text, nil
	})
	return word
}
