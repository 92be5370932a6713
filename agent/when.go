package agent

import (
	"sigalert/agent/config"
	"sigalert/agent/rule"
)

// failure is an expression's, for an event.
type failure struct {
	sub *config.Subscription
	key string // whose expression it is
	err error
}

// choose finds the first of the subscriptions that match an event whose condition
// holds; nil if there is none. A condition that fails counts as if it held.
func choose(matching []*config.Subscription, ev *rule.Event) (*config.Subscription, []failure) {
	for _, s := range matching {
		if s.When == nil {
			return s, nil
		}
		holds, err := s.When.Holds(ev)
		if err != nil {
			return s, []failure{{s, "when", err}}
		}
		if holds {
			return s, nil
		}
	}
	return nil, nil
}
