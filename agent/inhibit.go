package agent

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/internal/plain"
	"sigalert/internal/words"
)

const (
	maxShownTags = 1_000
	maxHolding   = 50             // of them that hold something back at once
	maxTagKeys   = 32             // alerts of one tag, each of another sender
	inhibitsFor  = 24 * time.Hour // after the last alert with the tag: it may never be resolved
)

// inhibits hold the alerts of subscriptions with "unless" back while an alert with that
// tag is shown, whoever sent it; one that a pause or another alert holds back counts,
// too. Once it is resolved, one notification says what they were.
type inhibits struct {
	used  bool                  // a subscription has "unless"
	tags  map[string]*inhibitor // by tag
	first time.Time             // when the first of them is forgotten, or earlier; zero: there are none
	over  []*inhibitor          // of whose end nothing was said yet
}

// inhibitor is a tag that is shown, and what it holds back.
type inhibitor struct {
	tag   string
	keys  []string // of the alerts that show it
	until time.Time
	held  hold
}

func (in *inhibits) judge(p *passage) verdict {
	v := verdict{stage: "unless", line: p.sub.Line}
	if p.sub.Unless == nil {
		return v
	}
	text, err := p.sub.Unless.Render(p.seen)
	if err != nil {
		v.key, v.err = "unless", err
		return v
	}
	x := in.shown(shownTag(text), p.key(p.said.Tag))
	if x == nil {
		return v
	}
	if x.held.count == 0 && in.holding() >= maxHolding {
		v.reason = fmt.Sprintf("%q is shown, but %s hold alerts back already", plain.Line(x.tag, maxReason), words.Count(maxHolding, "other tag"))
		return v
	}
	p.hold, p.while = &x.held, fmt.Sprintf("while %q was shown", plain.Line(x.tag, maxReason))
	v.decision, v.reason = Held, fmt.Sprintf("%q is shown", plain.Line(x.tag, maxReason))
	return v
}

// shown is a tag that another alert than that with a key shows; nil: none does.
func (in *inhibits) shown(tag, own string) *inhibitor {
	x := in.tags[tag]
	if x == nil || !slices.ContainsFunc(x.keys, func(key string) bool { return key != own }) {
		return nil
	}
	return x
}

// holding counts the tags that hold something back.
func (in *inhibits) holding() (n int) {
	for _, x := range in.tags {
		if x.held.count > 0 {
			n++
		}
	}
	return n + len(in.over)
}

// shownTag is a tag, without more of it than is needed to know it by.
func shownTag(text string) string { return notify.ShortKey(strings.TrimSpace(text)) }

// show notes that an alert with a tag is shown.
func (in *inhibits) show(now time.Time, text, key string) {
	if !in.used || key == "" {
		return
	}
	tag := shownTag(text)
	x := in.tags[tag]
	if x == nil {
		if len(in.tags) >= maxShownTags {
			in.end(slices.MinFunc(slices.Collect(maps.Values(in.tags)), func(a, b *inhibitor) int { return a.until.Compare(b.until) }))
		}
		x = &inhibitor{tag: tag}
		if in.tags == nil {
			in.tags = make(map[string]*inhibitor)
		}
		in.tags[tag] = x
	}
	x.until = now.Add(inhibitsFor)
	in.first = earlier(in.first, x.until)
	if !slices.Contains(x.keys, key) {
		if x.keys = append(x.keys, key); len(x.keys) > maxTagKeys {
			x.keys = x.keys[1:]
		}
	}
}

// close notes that the alert with a key is resolved, and forgets it where it is held
// back itself.
func (in *inhibits) close(key string) {
	if key == "" {
		return
	}
	for _, x := range in.tags {
		x.held.takeBack(key)
		if i := slices.Index(x.keys, key); i >= 0 {
			if x.keys = slices.Delete(x.keys, i, i+1); len(x.keys) == 0 {
				in.end(x)
			}
		}
	}
}

// end lets go what a tag holds back.
func (in *inhibits) end(x *inhibitor) {
	delete(in.tags, x.tag)
	if x.held.count > 0 {
		in.over = append(in.over, x)
	}
}

// due returns what to show of what was held back until now.
func (in *inhibits) due(now time.Time) (told []unasked) {
	if !in.first.IsZero() && !now.Before(in.first) {
		in.first = time.Time{}
		for _, x := range in.tags {
			if now.Before(x.until) {
				in.first = earlier(in.first, x.until)
			} else {
				in.end(x)
			}
		}
	}
	for _, x := range in.over {
		if n, ok := x.held.resume(); ok {
			told = append(told, unasked{Notification: n})
		}
	}
	in.over = nil
	return told
}

// rest returns what would be lost at the end.
func (in *inhibits) rest() []unasked {
	for _, x := range in.tags {
		in.end(x)
	}
	return in.due(time.Time{})
}

// next is when due has something to do; zero: never.
func (in *inhibits) next() time.Time {
	if len(in.over) > 0 {
		return time.Unix(0, 0) // at once
	}
	return in.first
}

// use replaces the subscriptions.
func (in *inhibits) use(subs []config.Subscription) {
	in.used = slices.ContainsFunc(subs, func(s config.Subscription) bool { return s.Unless != nil })
	if !in.used {
		for _, x := range in.tags {
			in.end(x)
		}
	}
}

// state is what is shown and held back, for a restart.
func (in *inhibits) state() (all []memory.Inhibitor) {
	for _, x := range slices.Concat(slices.Collect(maps.Values(in.tags)), in.over) {
		all = append(all, memory.Inhibitor{Tag: x.tag, Keys: slices.Clone(x.keys), Until: x.until.Round(0), Held: x.held.state()})
	}
	slices.SortFunc(all, func(a, b memory.Inhibitor) int { return strings.Compare(a.Tag, b.Tag) })
	return all
}

// restore takes over what was shown and held back before a restart.
func (in *inhibits) restore(all []memory.Inhibitor, now time.Time) {
	in.tags, in.over = make(map[string]*inhibitor), nil
	for _, kept := range all[:min(len(all), maxShownTags)] {
		x := &inhibitor{kept.Tag, kept.Keys, earlier(kept.Until, now.Add(inhibitsFor)), restoreHold(kept.Held)}
		if len(x.keys) == 0 {
			in.over = append(in.over, x)
			continue
		}
		in.tags[x.tag] = x
		in.first = earlier(in.first, x.until)
	}
}

func (in *inhibits) clone() inhibits {
	c := *in
	c.tags, c.over = maps.Clone(in.tags), nil
	for tag, x := range in.tags {
		c.tags[tag] = &inhibitor{x.tag, slices.Clone(x.keys), x.until, x.held.clone()}
	}
	return c
}
