package agent

import (
	"maps"

	"sigalert/agent/config"
)

// chooser decides which of the subscriptions that match an event takes it: the first
// whose condition holds, or for which it is the end of what its tag shows. A condition
// that fails counts as if it held.
type chooser struct {
	tags  *tags
	waits *waits
}

func (c chooser) judge(p *passage) verdict {
	for _, s := range p.matching {
		if c.resolves(p, s) {
			v := verdict{stage: "resolve", decision: Resolved, line: s.Line, reason: "what its tag showed is closed"}
			if !c.tags.shown(p.alert.Key) {
				v.reason = "what was held back under its tag is forgotten"
			}
			return v
		}
		holds, v := when(p, s)
		if !holds {
			p.add(v)
			continue
		}
		p.sub = s
		if p.alert.Resolved {
			return verdict{stage: "resolve", decision: Resolved, line: s.Line, reason: "nothing is shown under its tag"}
		}
		return v
	}
	return verdict{stage: "when", decision: Filtered, reason: "no subscription takes it"}
}

// when judges a subscription's condition.
func when(p *passage, s *config.Subscription) (holds bool, v verdict) {
	v = verdict{stage: "when", line: s.Line}
	if s.When == nil {
		v.reason = "it has no condition"
		return true, v
	}
	holds, v.err = s.When.Holds(p.seen)
	v.key, v.expr = "when", s.When
	switch {
	case v.err != nil:
		return true, v
	case holds:
		v.reason = " is true"
	default:
		v.decision, v.reason = Skipped, " is false"
	}
	return holds, v
}

// resolves reports whether an event ends what is shown under its tag, whether the
// subscription's condition holds or not: a room that is cool again is no longer hot.
func (c chooser) resolves(p *passage, s *config.Subscription) bool {
	over := p.said.Resolved
	if s.Resolve != nil {
		var err error
		if over, err = s.Resolve.Holds(p.seen); err != nil {
			p.fail("resolve", s, "resolve", err)
		}
	}
	p.alert.Resolved = false
	if !over {
		return false
	}
	tag := tagOf(p, s)
	p.alert.Key = p.key(tag)
	p.alert.Resolved = tag != ""
	if !c.tags.open(p.alert.Key) && !c.waits.waits(p.alert.Key) {
		return false
	}
	p.sub = s
	return true
}

// maxTags is how many tags are remembered: at least these, and at most twice as many.
const maxTags = 1_000

// tags are those whose alert nobody has taken back, by their keys, and whether the
// desktop was sent one: there may be only such as a pause holds back.
type tags struct{ known fading[string, bool] }

func (t *tags) show(key string, sent bool) {
	if key != "" {
		t.known.put(key, sent || t.shown(key), maxTags)
	}
}

func (t *tags) open(key string) bool {
	_, ok := t.known.get(key)
	return ok
}

func (t *tags) shown(key string) bool {
	sent, _ := t.known.get(key)
	return sent
}

func (t *tags) state() map[string]bool {
	all := maps.Clone(t.known.old)
	if all == nil {
		all = make(map[string]bool)
	}
	maps.Copy(all, t.known.young)
	return all
}

func (t *tags) restore(all map[string]bool) {
	for key, sent := range all {
		t.known.put(key, sent, maxTags)
	}
}

func (t *tags) close(key string) { t.known.drop(key) }
