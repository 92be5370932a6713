package agent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/internal/words"
)

const maxRepeating = 1_000

// repeats show the alerts of subscriptions with "repeat" again, until somebody clicks
// or closes them, or they are resolved.
type repeats struct {
	list     []*repeating
	soonest  time.Time // when the first is shown again; zero: there is none
	restored []memory.Repeating
	recalled time.Time // when these were
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
		r.list = append(r.list, &repeating{memory.Repeating{Sub: p.sub.ID(), Alert: p.alert.Cut(), Since: p.now, Due: p.now.Add(every)}, p.sub})
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

// due returns what is to be shown again now. What quiet says is held back now waits for
// the next time, which does not count.
func (r *repeats) due(now time.Time, q stage) (again []notify.Notification) {
	if r.soonest.IsZero() || now.Before(r.soonest) {
		return nil
	}
	for _, x := range r.list {
		if now.Before(x.Due) {
			continue
		}
		x.Due = now.Add(x.sub.Repeat.Every)
		if isHeld(q, now, x.sub, x.Alert) {
			continue
		}
		x.Shown++
		n := x.Alert
		n.Body = strings.TrimPrefix(n.Body+"\n", "\n") + fmt.Sprintf("Shown again (%d of %d), first at %s", x.Shown, x.sub.Repeat.AtMost, x.Since.In(now.Location()).Format("15:04"))
		again = append(again, n)
	}
	r.drop(func(x *repeating) bool { return x.Shown >= x.sub.Repeat.AtMost })
	return again
}

// isHeld reports whether a stage would hold an alert back that has been shown before.
func isHeld(q stage, now time.Time, s *config.Subscription, n notify.Notification) bool {
	p := &passage{now: now, sub: s, alert: n}
	p.said.Urgency = n.Urgency.String()
	return q.judge(p).decision == Held
}

// next is when due has something to show; zero: never.
func (r *repeats) next() time.Time { return r.soonest }

// use replaces the subscriptions. Alerts of those that stay, and still repeat, are shown
// again as those say now.
func (r *repeats) use(subs []config.Subscription) {
	if len(r.list)+len(r.restored) == 0 {
		return
	}
	by := byID(subs)
	for _, x := range r.restored {
		r.list = append(r.list, &repeating{Repeating: x})
	}
	r.restored = nil
	r.drop(func(x *repeating) bool {
		known := x.sub != nil
		if x.sub = by[x.Sub]; x.sub == nil || x.sub.Repeat.Every == 0 || x.Shown >= x.sub.Repeat.AtMost {
			return true
		}
		if !known { // the clock may have been set back since
			x.Due = earlier(x.Due, r.recalled.Add(x.sub.Repeat.Every))
		}
		return false
	})
}

// state is what is to be shown again, for a restart.
func (r *repeats) state() []memory.Repeating {
	all := slices.Clone(r.restored)
	for _, x := range r.list {
		all = append(all, x.Repeating)
	}
	return all
}

// restore takes over what was to be shown again before a restart, once use says for
// which subscriptions. What was due meanwhile is due now.
func (r *repeats) restore(all []memory.Repeating, now time.Time) {
	r.restored, r.recalled = slices.Clone(all[:min(len(all), maxRepeating)]), now
}
