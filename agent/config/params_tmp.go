package config

import "sigalert/agent/rule"

func (p *Params) Value(ev *rule.Event) (any, error) { return nil, nil }
