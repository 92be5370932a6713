package agent

import (
	"crypto/sha256"

	"sigalert/agent/config"
	"sigalert/internal/plain"
	"sigalert/sig"
)

// maxValues is how many values are remembered: at least these, and at most twice as
// many.
const maxValues = 10_000

// changes keeps back events of a subscription with only_changes, while what that reads
// stays as it was for the last event of the same sender, whether that was shown or not.
type changes struct {
	values fading[valueOf, [sha256.Size]byte]
}

// valueOf names a value.
type valueOf struct {
	sub    string // the subscription's identity, and the server
	sender sig.Name
}

func (c *changes) judge(p *passage) verdict {
	v := verdict{stage: "only_changes", line: p.sub.Line}
	if p.sub.OnlyChanges == nil {
		return v
	}
	read, err := p.sub.OnlyChanges.Eval(p.seen)
	v.key, v.expr, v.err = "only_changes", p.sub.OnlyChanges, err
	if err != nil {
		return v
	}
	text := p.seen.JSON(read)
	if !c.note(p, p.sub, text) {
		v.decision, v.reason, v.expr = Filtered, "only_changes "+p.sub.OnlyChanges.Source()+" is still "+plain.Line(text, maxReason), nil
		return v
	}
	v.reason = " has changed"
	return v
}

// note remembers a value, and reports whether it is another than before.
func (c *changes) note(p *passage, s *config.Subscription, text string) bool {
	key, value := valueOf{p.idOf(s), p.ev.Sender}, sha256.Sum256([]byte(text))
	was, known := c.values.get(key)
	c.values.put(key, value, maxValues)
	return !known || was != value
}

// pass takes an event for the subscriptions that their conditions keep it from: a door
// that was closed in between is opened anew. An event without the value is about
// something else.
func (c *changes) pass(p *passage) {
	for _, s := range p.matching {
		if s == p.sub {
			return
		}
		if s.OnlyChanges == nil {
			continue
		}
		if read, err := s.OnlyChanges.Eval(p.seen); err == nil && read != nil {
			c.note(p, s, p.seen.JSON(read))
		}
	}
}

// forget is for an event that took an alert back: the next one is news.
func (c *changes) forget(p *passage) {
	if p.sub.OnlyChanges != nil {
		c.values.drop(valueOf{p.idOf(p.sub), p.ev.Sender})
	}
}
