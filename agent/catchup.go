package agent

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"sigalert/agent/memory"
	"sigalert/agent/notify"
	"sigalert/internal/plain"
	"sigalert/internal/words"
)

const (
	shortAbsence = 30 * time.Second // what happened in a shorter one of the server is shown as if it came now
	catchUpTime  = 3 * time.Second  // after the return, until what happened meanwhile is told
	catchUpMore  = time.Second      // until more of it is told
	catchUpAgain = 10 * time.Second // after a start, until what is left of an earlier agent's is told
	maxDigests   = 5                // that are shown at once
	maxKinds     = 20               // of a digest: a sender's event
	namedKinds   = 5
)

// catchup merges what happened during an absence, of the agent or of a server, into one
// digest for each subscription and server. Critical alerts are not held back, unless they are
// too old.
type catchup struct {
	maxAge   time.Duration       // below 0: none of it is alerted for
	absences map[string]*absence // by the server's name
	digests  map[string]*digest  // by passage.idOf
}

// absence is the last one of a server.
type absence struct {
	heard time.Time // when the server was heard last, by the wall clock; zero: never
	apart bool      // the agent has not been connected since, however short that was
	left  time.Time // when the absence began
	back  time.Time
	open  time.Time // until when what is replayed belongs to it
}

// digest is what happened for one subscription.
type digest struct {
	memory.Digest
	settled *atomic.Bool // set once it is known what became of it; nil: it is not with the desktop
	again   time.Time    // when it is to be told once more; zero: never
}

// away is a digest for the desktop.
type away struct {
	notify.Notification
	settled *atomic.Bool // to be set, by any goroutine, once it is known what became of it
}

func newCatchup() catchup {
	return catchup{absences: make(map[string]*absence), digests: make(map[string]*digest)}
}

// hear notes that the server is heard. One that is there is heard every 15 s, so that a
// longer silence was an absence: its own, or that of the agent, which may have slept.
func (c *absence) hear(now time.Time) {
	now = now.Round(0) // the monotonic clock sleeps too
	if !c.heard.IsZero() && (c.apart || now.Sub(c.heard) >= shortAbsence) {
		c.left, c.back, c.open = c.heard, now, now.Add(catchUpTime)
	}
	c.heard, c.apart = now, false
}

// late reports whether an event that is not replayed happened during the absence all the
// same: it was on its way when the agent or the machine stood still. The server's clock may
// be wrong, so this ends soon after the return.
func (c *absence) late(p *passage) bool {
	return p.ev.Seq > 0 && p.ev.Time.Before(c.back.Add(-catchUpTime)) && !p.now.After(c.back.Add(catchUpTime))
}

func (c *catchup) judge(p *passage) verdict {
	v := verdict{stage: "catch_up"}
	last := c.absences[p.server]
	if last == nil || !p.ev.Replayed && !last.late(p) {
		return v
	}
	d := c.digests[p.idOf(p.sub)]
	goesOn := d != nil && !d.Due.IsZero() // an earlier agent was killed amid it
	came := p.now
	if p.waited != nil { // when it ought to have been shown
		came = p.ev.Time.Add(p.sub.For)
	}
	if came.After(last.open) && !goesOn {
		return v
	}
	age := p.now.Sub(p.ev.Time)
	v.decision = Held
	switch {
	case c.maxAge < 0:
		v.reason = "it happened during an absence, and catch_up is false"
		return v
	case age > c.maxAge:
		v.reason = "it happened during an absence, and is older than " + span(c.maxAge)
	case urgency(p.said) == notify.Critical:
		return verdict{stage: "catch_up"}
	default:
		v.reason = "it happened during an absence, merged into one"
	}
	p.counted = &c.count(p, last).Ref
	return v
}

// count adds an event to its subscription's digest.
func (c *catchup) count(p *passage, last *absence) *digest {
	id := p.idOf(p.sub)
	d := c.digests[id]
	if d == nil || d.Due.IsZero() && !d.Back.Equal(last.back) {
		maps.DeleteFunc(c.digests, func(_ string, d *digest) bool { // of an absence before
			return d.Server == p.server && d.Due.IsZero() && !d.Back.Equal(last.back)
		})
		d = &digest{Digest: memory.Digest{Server: p.server, Left: last.left, Back: last.back}}
		c.digests[id] = d
	}
	if last.back.After(d.Back) { // the one before is not told yet
		d.Back = last.back
	}
	name := p.ev.Sender.String()
	if !p.ev.Event.IsEvery() {
		name += " " + p.ev.Event.String()
	}
	name = plain.Line(name, maxReason)
	key := p.key(p.said.Tag)
	i := slices.IndexFunc(d.Kinds, func(k memory.Kind) bool { return k.Name == name && k.Key == key })
	switch {
	case i >= 0:
		d.Kinds[i].Count++
	case len(d.Kinds) < maxKinds:
		d.Kinds = append(d.Kinds, memory.Kind{Name: name, Key: key, Count: 1})
	default:
		d.More++
	}
	if p.ev.Time.After(d.Last) {
		d.Last = p.ev.Time
	}
	switch due := p.now.Add(catchUpMore); {
	case d.settled != nil:
		d.again = due
	case d.Due.IsZero():
		d.Due = later(due, last.back.Add(catchUpTime))
	}
	last.open = later(last.open, p.now.Add(catchUpTime))
	return d
}

// takeBack forgets the alerts with a key that are to be told.
func (c *catchup) takeBack(key string) {
	for _, d := range c.digests {
		d.Kinds = slices.DeleteFunc(d.Kinds, func(k memory.Kind) bool { return k.Key != "" && k.Key == key })
	}
}

// due returns what is to be told now.
func (c *catchup) due(now time.Time) (all []away) {
	var due []string
	for id, d := range c.digests {
		d.settle()
		if d.Due.IsZero() || d.settled != nil || now.Before(d.Due) {
			continue
		}
		if d.total() == 0 { // all was taken back
			delete(c.digests, id)
			continue
		}
		due = append(due, id)
	}
	slices.SortFunc(due, func(a, b string) int {
		return cmp.Or(cmp.Compare(c.digests[b].total(), c.digests[a].total()), cmp.Compare(a, b))
	})
	for i, id := range due {
		d := c.digests[id]
		d.settled = new(atomic.Bool)
		if i < maxDigests-1 || len(due) == maxDigests {
			all = append(all, away{d.notification(now, id), d.settled})
			continue
		}
		rest := &digest{Digest: d.Digest}
		rest.Kinds = slices.Clone(rest.Kinds)
		for _, id := range due[i+1:] {
			rest.add(c.digests[id])
			c.digests[id].settled = d.settled
		}
		return append(all, away{rest.notification(now, ""), d.settled})
	}
	return all
}

// settle notes whether the digest was shown since, or was lost. It stays, and is shown
// anew with what is still to come of the same absence.
func (d *digest) settle() {
	if d.settled != nil && d.settled.Load() {
		d.settled, d.Due, d.again = nil, d.again, time.Time{}
	}
}

// next is when due has something to say; zero: never.
func (c *catchup) next() (next time.Time) {
	for _, d := range c.digests {
		if d.settled == nil {
			next = earlier(next, d.Due)
		}
	}
	return next
}

// add takes another digest's events into this one.
func (d *digest) add(o *digest) {
	d.Kinds, d.More = append(d.Kinds, o.Kinds...), d.More+o.More
	d.Last, d.Back = later(d.Last, o.Last), later(d.Back, o.Back)
	d.Left = earlier(d.Left, o.Left)
	if o.Server != d.Server {
		d.Server = ""
	}
}

func (d *digest) total() int {
	n := d.More
	for _, k := range d.Kinds {
		n += k.Count
	}
	return n
}

// notification is the digest for people. The ID makes it replace the one before that is
// about the same absence.
func (d *digest) notification(now time.Time, id string) notify.Notification {
	count := make(map[string]int)
	var names []string
	for _, k := range d.Kinds {
		if count[k.Name] == 0 {
			names = append(names, k.Name)
		}
		count[k.Name] += k.Count
	}
	more := d.More
	for _, name := range names[min(len(names), namedKinds):] {
		more += count[name]
	}
	var parts []string
	for _, name := range names[:min(len(names), namedKinds)] {
		parts = append(parts, fmt.Sprintf("%s ×%s", name, words.Number(count[name])))
	}
	if more > 0 {
		parts = append(parts, words.Number(more)+" more")
	}
	last := d.Last.In(now.Location())
	format := "15:04"
	if last.Format(time.DateOnly) != now.Format(time.DateOnly) {
		format = time.DateOnly + " 15:04"
	}
	title := "While you were away"
	if away := d.Back.Sub(d.Left); away >= time.Second {
		title += ", " + span(away)
	}
	return notify.Notification{
		Title: says(d.Server, title),
		Body:  strings.Join(parts, ", ") + ", last at " + last.Format(format),
		Key:   notify.ShortKey(fmt.Sprintf("away %d %s", d.Back.UnixMilli(), id)),
		Ref:   d.Ref,
	}
}

// span is a time without "0 m" at its end.
func span(d time.Duration) string {
	return strings.TrimSuffix(strings.TrimSuffix(words.Span(d), " 0 m"), " 0 h")
}

func (c *catchup) clone() catchup {
	clone := catchup{c.maxAge, make(map[string]*absence), make(map[string]*digest)}
	for name, a := range c.absences {
		clone.absences[name] = new(*a)
	}
	for id, d := range c.digests {
		clone.digests[id] = new(*d)
		clone.digests[id].Kinds = slices.Clone(d.Kinds)
	}
	return clone
}

// state is what is not told yet, or not for sure.
func (c *catchup) state() map[string]memory.Digest {
	all := make(map[string]memory.Digest)
	for id, d := range c.digests {
		d.settle()
		if !d.Due.IsZero() {
			kept := d.Digest
			kept.Kinds = slices.Clone(d.Kinds)
			all[id] = kept
		}
	}
	return all
}

func (c *catchup) restore(all map[string]memory.Digest, now time.Time) {
	for id, d := range all {
		d.Due = now.Add(catchUpAgain) // the rest of it may still come
		c.digests[id] = &digest{Digest: d}
	}
}
