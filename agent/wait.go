package agent

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/memory"
	"sigalert/internal/words"
	"sigalert/sig"
)

const (
	maxWaiting     = 1_000
	maxWaitingData = 8 << 20         // bytes of events' data
	replayedWait   = 5 * time.Second // within which what resolves a replayed event is replayed, too
)

// waits keep the alerts of subscriptions with "for" back until their time is over, for
// they may be resolved by then. Under a tag one alert waits, the newest, until the time
// of the first is over. What does not fit is shown at once, and counted.
type waits struct {
	tags    *tags
	list    []*waiting // the next that is due first
	size    int        // of their data, in bytes
	early   uint64     // alerts that were shown at once
	leaving []*waiting // given to the desktop, which may not have them yet
}

// waiting is an alert that waits.
type waiting struct {
	number int    // as in entry; 0: it is not known yet
	server string // as in passage
	ev     sig.Event
	size   int             // of its data
	data   json.RawMessage // as state has it; nil: nobody has asked yet
	sub    *config.Subscription
	key    string // "": it has no tag
	since  time.Time
	until  time.Time
	gone   atomic.Bool // it is known whether the desktop took it
}

// ended is an alert that waited and is not shown.
type ended struct {
	number int
	ev     sig.Event
	v      verdict
}

func (w *waits) judge(p *passage) verdict {
	v := verdict{stage: "for", line: p.sub.Line}
	if p.sub.For == 0 {
		if len(w.list) > 0 {
			w.replace(p, p.key(p.said.Tag))
		}
		return v
	}
	x := &waiting{server: p.server, ev: p.ev, sub: p.sub, key: p.key(p.said.Tag), since: p.now, until: p.now.Add(p.sub.For)}
	text, _ := p.seen.Text()
	x.size = len(text)
	if x.key != "" && w.tags.shown(x.key) {
		w.replace(p, x.key)
		v.reason = "what its tag shows is brought up to date at once"
		return v
	}
	if p.ev.Replayed {
		soon := p.now.Add(replayedWait)
		if by := p.ev.Time.Add(p.sub.For); by.After(soon) {
			soon = by
		}
		x.until = earlier(x.until, soon)
	}
	if old := w.remove(x.key); old != nil {
		x.since, x.until = old.since, earlier(old.until, x.until)
		p.ends = append(p.ends, old.ends("a newer one waits in its place"))
	}
	if len(w.list) == maxWaiting || len(w.list) > 0 && w.size+x.size > maxWaitingData {
		w.early++
		v.reason = fmt.Sprintf("shown at once: %s wait already", words.Count(len(w.list), "alert"))
		return v
	}
	w.add(x)
	p.waiting = x
	v.decision, v.reason = Held, "waits "+words.Span(x.until.Sub(p.now))+" in case it is resolved"
	return v
}

func (w *waits) add(x *waiting) {
	i, _ := slices.BinarySearchFunc(w.list, x.until, func(o *waiting, until time.Time) int {
		if o.until.After(until) {
			return 1
		}
		return -1
	})
	w.list = slices.Insert(w.list, i, x)
	w.size += x.size
}

// remove finds the alert that waits under a key, and takes it out; nil: none does.
func (w *waits) remove(key string) *waiting {
	if key == "" {
		return nil
	}
	i := slices.IndexFunc(w.list, func(x *waiting) bool { return x.key == key })
	if i < 0 {
		return nil
	}
	return w.take(i)
}

func (w *waits) take(i int) *waiting {
	x := w.list[i]
	w.list = slices.Delete(w.list, i, i+1)
	w.size -= x.size
	return x
}

// waits reports whether an alert waits under a key.
func (w *waits) waits(key string) bool {
	return key != "" && slices.ContainsFunc(w.list, func(x *waiting) bool { return x.key == key })
}

func (x *waiting) ends(why string) ended {
	return ended{x.number, x.ev, verdict{stage: "for", decision: Held, line: x.sub.Line, reason: why}}
}

// takeBack ends the wait under a key, because what was wrong is resolved.
func (w *waits) takeBack(p *passage, key string) {
	if x := w.remove(key); x != nil {
		p.ends = append(p.ends, x.ends("resolved within "+words.Span(x.until.Sub(x.since))))
	}
}

// replace ends the wait under a key, because a newer alert with it does not wait.
func (w *waits) replace(p *passage, key string) {
	if x := w.remove(key); x != nil {
		p.ends = append(p.ends, x.ends("a newer one took its place"))
	}
}

// ripe takes out an alert whose time is over, or any that waits; nil: there is none.
func (w *waits) ripe(now time.Time, any bool) *waiting {
	if len(w.list) == 0 || !any && now.Before(w.list[0].until) {
		return nil
	}
	return w.take(0)
}

// leaves notes that an alert that waited is given to the desktop; the function is for
// when it is known whether that took it.
func (w *waits) leaves(x *waiting) (settled func()) {
	w.leaving = slices.DeleteFunc(w.leaving, func(x *waiting) bool { return x.gone.Load() })
	w.leaving = append(w.leaving, x)
	return func() { x.gone.Store(true) }
}

// next is when the next alert's time is over; zero: none waits.
func (w *waits) next() time.Time {
	if len(w.list) == 0 {
		return time.Time{}
	}
	return w.list[0].until
}

// use replaces the subscriptions. An alert of one that stays waits on; those of others
// are returned.
func (w *waits) use(subs []config.Subscription) (gone []ended) {
	if len(w.list) == 0 {
		return nil
	}
	by := byID(subs)
	w.list = slices.DeleteFunc(w.list, func(x *waiting) bool {
		s := by[x.sub.ID()]
		if s == nil {
			w.size -= x.size
			gone = append(gone, x.ends(whyGone))
			return true
		}
		x.sub = s
		return false
	})
	return gone
}

const whyGone = "its subscription is no longer in the file"

// byID are subscriptions by their identity.
func byID(subs []config.Subscription) map[string]*config.Subscription {
	by := make(map[string]*config.Subscription, len(subs))
	for i := range subs {
		if id := subs[i].ID(); by[id] == nil {
			by[id] = &subs[i]
		}
	}
	return by
}

// state is what waits, for a restart.
func (w *waits) state() []memory.Waiting {
	var all []memory.Waiting
	w.leaving = slices.DeleteFunc(w.leaving, func(x *waiting) bool { return x.gone.Load() })
	for _, x := range slices.Concat(w.leaving, w.list) {
		if x.data == nil {
			x.data, _ = x.ev.Data.JSON() // what is no JSON did not come from a network
		}
		all = append(all, memory.Waiting{
			Number: x.number, Sub: x.sub.ID(), Server: x.server, Sender: x.ev.Sender, Event: x.ev.Event, Data: x.data,
			Seq: x.ev.Seq, Time: keepable(x.ev.Time), Key: x.key, Since: x.since, Until: x.until,
		})
	}
	return all
}

// keepable is a time that JSON can hold: a server's clock may be anything.
func keepable(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// restore takes over what waited before a restart. What was due meanwhile may have been
// resolved, which is then replayed. Alerts of subscriptions that are gone are returned.
func (w *waits) restore(all []memory.Waiting, subs []config.Subscription, now time.Time) (gone []ended) {
	by := byID(subs)
	for _, r := range all[:min(len(all), maxWaiting)] {
		x := &waiting{
			number: r.Number, server: r.Server, size: len(r.Data), sub: by[r.Sub], key: r.Key, since: r.Since,
			ev: sig.Event{Sender: r.Sender, Event: r.Event, Seq: r.Seq, Time: r.Time, Replayed: true},
		}
		x.until = earlier(r.Until, now.Add(max(0, r.Until.Sub(r.Since)))) // the clock may have been set back
		x.until = later(x.until, now.Add(replayedWait))
		if len(r.Data) > 0 {
			x.ev.Data = sig.JSONData(r.Data)
		}
		if x.sub == nil {
			gone = append(gone, ended{x.number, x.ev, verdict{stage: "for", decision: Held, reason: whyGone}})
			continue
		}
		w.add(x)
		w.tags.show(x.key, false)
	}
	return gone
}

func (w *waits) clone(t *tags) waits {
	c := *w
	c.tags, c.list = t, slices.Clone(w.list)
	return c
}
