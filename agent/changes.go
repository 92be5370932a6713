package agent

import (
	"crypto/sha256"

	"sigalert/internal/plain"
	"sigalert/sig"
)

// maxValues is how many values are remembered: at least these, and at most twice as
// many.
const maxValues = 10_000

// changes keeps back events of a subscription with only_changes, while what that reads
// stays as it was for the last event of the same sender.
type changes struct {
	values fading[valueOf, [sha256.Size]byte]
}

// valueOf names a value.
type valueOf struct {
	sub    string // the subscription's identity
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
	key, value := valueOf{p.sub.ID(), p.ev.Sender}, sha256.Sum256([]byte(text))
	was, known := c.values.get(key)
	c.values.put(key, value, maxValues)
	if known && was == value {
		v.decision, v.reason, v.expr = Filtered, "only_changes "+p.sub.OnlyChanges.Source()+" is still "+plain.Line(text, maxReason), nil
		return v
	}
	v.reason = " has changed"
	return v
}
