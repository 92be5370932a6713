package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/internal/words"
)

const maxRepeating = 1_000

// repeats show the alerts of subscriptions with "repeat" again, until somebody clicks
// or closes them, or they are resolved.
type repeats struct {
	list    []*repeating
	soonest time.Time // when the first is shown again; zero: there is none
}

type repeating struct {
	memory.Repeating
	sub *config.Subscription
}

func (r *repeats) judge(p *passage) verdict {
	v := verdict{stage: "repeat", line: p.sub.Line}
	switch every := p.sub.Repeat; {
	case every.Every == 0:
	case len(r.list) >= maxRepeating:
		v.reason = fmt.Sprintf("not shown again: %s are already", words.Number(maxRepeating))
	default:
		v.reason = fmt.Sprintf("shown again after %s, at most %s", words.Span(every.Every), words.Count(every.AtMost, "time"))
	}
	return v
}

// begin is for an alert that is on its way to the desktop.
func (r *repeats) begin(p *passage) {
	if len(r.list) > 0 {
		r.resolve(p.alert.Key)
	}
	if every := p.sub.Repeat.Every; every > 0 && len(r.list) < maxRepeating {
		x := &repeating{memory.Repeating{Sub: p.sub.ID(), Alert: p.alert.Cut(), Since: p.now, Due: p.now.Add(every)}, p.sub}
		if p.sub.Unless != nil {
			if text, err := p.sub.Unless.Render(p.seen); err == nil {
				x.Unless = shownTag(text)
			}
		}
		r.list = append(r.list, x)
		r.settle()
	}
}

// answer is for somebody who has clicked or closed an alert.
func (r *repeats) answer(number int) {
	r.drop(func(x *repeating) bool { return x.Alert.Ref == uint64(number) })
}

// resolve is for an alert that is resolved, or replaced by a newer one.
func (r *repeats) resolve(key string) {
	if key != "" {
		r.drop(func(x *repeating) bool { return x.Alert.Key == key })
	}
}

func (r *repeats) drop(which func(*repeating) bool) {
	r.list = slices.DeleteFunc(r.list, which)
	r.settle()
}

// settle finds out what is due first.
func (r *repeats) settle() {
	r.soonest = time.Time{}
	for _, x := range r.list {
		r.soonest = earlier(r.soonest, x.Due)
	}
}

// due returns what is to be shown again now. What would be held back now waits for the
// next time, which does not count.
func (r *repeats) due(now time.Time, held func(*repeating) bool) (again []unasked) {
	if r.soonest.IsZero() || now.Before(r.soonest) {
		return nil
	}
	for _, x := range r.list {
		if now.Before(x.Due) {
			continue
		}
		x.Due = now.Add(x.sub.Repeat.Every)
		if held(x) {
			continue
		}
		x.Shown++
		n := unasked{Notification: x.Alert}
		n.Body = strings.TrimPrefix(n.Body+"\n", "\n") + fmt.Sprintf("Shown again (%d of %d), unanswered since %s", x.Shown, x.sub.Repeat.AtMost, ago(now, x.Since))
		n.again = verdict{stage: "repeat", line: x.sub.Line, reason: fmt.Sprintf("shown again %s, at most %d", words.Count(x.Shown, "time"), x.sub.Repeat.AtMost)}
		again = append(again, n)
	}
	r.drop(func(x *repeating) bool { return x.Shown >= x.sub.Repeat.AtMost })
	return again
}

// holds reports whether an alert that is to be shown again would be held back.
func (pl *pipeline) holds(now time.Time, x *repeating) bool {
	p := &passage{now: now, sub: x.sub, alert: x.Alert}
	p.said.Urgency = x.Alert.Urgency.String()
	return pl.quiet.judge(p).decision == Held || x.sub.Unless != nil && pl.inhibits.shown(x.Unless, x.Alert.Key) != nil
}

// next is when due has something to show; zero: never.
func (r *repeats) next() time.Time { return r.soonest }

// use replaces the subscriptions. Alerts of those that stay, and still repeat, are shown
// again as those say now.
func (r *repeats) use(subs []config.Subscription) {
	if len(r.list) == 0 {
		return
	}
	by := byID(subs)
	r.drop(func(x *repeating) bool {
		x.sub = by[x.Sub]
		return x.sub == nil || x.sub.Repeat.Every == 0 || x.Shown >= x.sub.Repeat.AtMost
	})
}

// state is what is to be shown again, for a restart.
func (r *repeats) state() []memory.Repeating {
	var all []memory.Repeating
	for _, x := range r.list {
		all = append(all, x.Repeating)
	}
	return all
}

// restore takes over what was to be shown again before a restart. What was due meanwhile
// is due now.
func (r *repeats) restore(all []memory.Repeating, subs []config.Subscription, now time.Time) {
	for _, x := range all[:min(len(all), maxRepeating)] {
		r.list = append(r.list, &repeating{Repeating: x})
	}
	r.use(subs)
	for _, x := range r.list { // the clock may have been set back
		x.Due = earlier(x.Due, now.Add(x.sub.Repeat.Every))
	}
	r.settle()
}
