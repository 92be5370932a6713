package agent

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/words"
	"sigalert/sig"
)

// The rates of new notifications, whatever their senders.
var (
	atOnce   = config.Rate{Count: 5, Within: 2 * time.Second}
	inAWhile = config.Rate{Count: 20, Within: time.Minute}
)

const (
	maxStorms  = 8           // senders that have a count of their own
	maxSudden  = 2           // counts that begin at once: of more, the largest stays, and the rest share one
	stormRate  = 6           // alerts of a sender within stormCalm that keep its storm alive
	stormCalm  = time.Minute // how long a sender is calm before its storm is over
	maxCounted = 1000        // senders that are told apart within a count
)

// floods holds alerts back when there are too many, whatever their subscriptions say.
// The sender of one that is held back is in a storm: until it has been calm for a
// minute, its alerts are only counted, in one notification that is replaced as they
// grow. Senders beyond the first few share one. Critical alerts are not held back.
type floods struct {
	tags      *tags
	few, many window   // notifications that replaced none
	storms    []*storm // those that go on, and those whose last word is still to be said
	updated   time.Time
	begun     int         // with the time, gives each storm a notification of its own
	ended     []sig.Event // for the history
}

// storm counts the alerts of one sender, or of the rest: of those that share a count.
type storm struct {
	rest    bool
	senders map[source]bool
	lately  map[source]int // how many alerts of each of the rest, since
	since   time.Time      // which is at most a minute ago
	why     string         // it began
	key     string         // of its notification

	count       int
	first, last time.Time
	server      string               // of the last one
	ev          sig.Event            // the last one
	ref         uint64               // of it
	times       [stormRate]time.Time // of the last ones, in a ring that begins at at
	at          int
	calm        time.Time // when it is over, if no more come
	over        bool
	news        bool      // there is something to say
	shown       time.Time // when that was last said; zero: never
}

func newFloods(t *tags) *floods {
	return &floods{tags: t, few: window{rate: atOnce}, many: window{rate: inAWhile}}
}

func (f *floods) judge(p *passage) verdict {
	v := verdict{stage: "limit"}
	if urgency(p.said) == notify.Critical {
		return v
	}
	f.settle(p.now)
	s := f.of(p.now, p.source())
	if s == nil {
		full := f.admit(p)
		if full == nil {
			return v
		}
		s = f.begin(p.now, full.why())
	}
	s.add(p)
	p.counted = &s.ref
	v.decision, v.reason = Held, s.why
	return v
}

// admit counts a new notification, or returns the window that has no room for it. One
// that takes the place of another is not new, but too many at once disturb all the same.
func (f *floods) admit(p *passage) (full *window) {
	replaces := f.tags.shown(p.key(p.said.Tag))
	switch {
	case !f.few.room(p.now):
		return &f.few
	case !replaces && !f.many.room(p.now):
		return &f.many
	}
	f.few.take(p.now)
	if !replaces {
		f.many.take(p.now)
	}
	return nil
}

// settle ends the storms that have calmed.
func (f *floods) settle(now time.Time) {
	for _, s := range f.storms {
		if s.over || now.Before(s.calm) {
			continue
		}
		f.end(s.calm, s)
	}
}

func (f *floods) end(at time.Time, s *storm) {
	s.over, s.news = true, true
	f.ended = append(f.ended, ownEvent(at, ownStorm, notify.Notification{
		Title: fmt.Sprintf("%s: %s %s", s.who(), words.Count(s.count, "alert"), s.span()),
		Body:  "Counted in one notification. Last: " + named(s.server, defaultTitle(s.ev)),
	}))
}

// of is the storm that a sender is in; nil: none. One of the rest that has become busy
// gets a count of its own, if there is room for another notification.
func (f *floods) of(now time.Time, sender source) *storm {
	var rest *storm
	own := 0
	for _, s := range f.storms {
		switch {
		case s.over:
		case s.rest:
			rest = s
		case s.senders[sender]:
			return s
		default:
			own++
		}
	}
	if rest != nil && own < maxStorms && rest.lately[sender] >= stormRate && !rest.shown.IsZero() && f.few.room(now) && f.many.room(now) {
		return f.begin(now, rest.why)
	}
	return rest
}

// begin begins a storm: of one sender or, if there are too many, of the rest.
func (f *floods) begin(now time.Time, why string) *storm {
	own := 0
	for _, s := range f.storms {
		if !s.over && !s.rest {
			own++
		}
	}
	f.begun++
	s := &storm{rest: own == maxStorms, senders: make(map[source]bool), why: why, key: fmt.Sprintf("flood-%d-%d", now.UnixMilli(), f.begun), first: now}
	s.calm = now.Add(stormCalm)
	f.storms = append(f.storms, s)
	return s
}

func (s *storm) add(p *passage) {
	now, sender, ev := p.now, p.source(), p.ev
	s.note(sender)
	if s.rest && now.Sub(s.since) >= stormCalm {
		s.lately, s.since = make(map[source]int), now
	}
	if s.rest && s.senders[sender] {
		s.lately[sender]++
	}
	s.times[s.at] = now
	s.at = (s.at + 1) % stormRate
	if oldest := s.times[s.at]; now.Sub(oldest) < stormCalm { // and the rate is as high until a minute after it
		s.calm = later(s.calm, oldest.Add(2*stormCalm))
	}
	s.count++
	s.last, s.news = now, true
	ev.Data = sig.Data{}
	s.server, s.ev = p.server, ev
}

// note tells a sender apart, if there is room for it.
func (s *storm) note(sender source) {
	if len(s.senders) < maxCounted {
		s.senders[sender] = true
	}
}

// join adds another storm's counts.
func (s *storm) join(o *storm) {
	for sender := range o.senders {
		s.note(sender)
	}
	if o.last.After(s.last) {
		s.last, s.server, s.ev, s.ref = o.last, o.server, o.ev, o.ref
	}
	if o.first.Before(s.first) {
		s.first = o.first
	}
	s.count += o.count
	s.calm, s.rest, s.news = later(s.calm, o.calm), true, true
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// due is the count that is to be shown now: of those that have grown, the one that was
// shown least recently.
func (f *floods) due(now time.Time) (n notify.Notification, ok bool) {
	f.settle(now)
	if at := f.soonest(); at.IsZero() || now.Before(at) {
		return n, false
	}
	f.gather()
	var s *storm
	for _, o := range f.storms {
		if o.news && (s == nil || o.shown.Before(s.shown) || o.shown.Equal(s.shown) && o.count > s.count) {
			s = o
		}
	}
	n = s.say()
	if s.shown.IsZero() {
		f.few.take(now)
		f.many.take(now)
	}
	f.updated, s.shown, s.news = now, now, false
	f.forget()
	return n, true
}

// gather has all but the largest of many storms that began at once share one count.
func (f *floods) gather() {
	var sudden []*storm
	var rest *storm
	for _, s := range f.storms {
		switch {
		case s.over:
		case s.rest:
			rest = s
		case s.shown.IsZero():
			sudden = append(sudden, s)
		}
	}
	if len(sudden) <= maxSudden {
		return
	}
	slices.SortStableFunc(sudden, func(a, b *storm) int { return cmp.Compare(b.count, a.count) })
	for _, s := range sudden[1:] {
		if rest == nil {
			rest, s.rest = s, true
			continue
		}
		rest.join(s)
		f.storms = slices.DeleteFunc(f.storms, func(o *storm) bool { return o == s })
	}
}

// forget drops the storms that have nothing more to say.
func (f *floods) forget() {
	f.storms = slices.DeleteFunc(f.storms, func(s *storm) bool { return s.over && !s.news })
}

// soonest is when a count is to be shown; zero: none is.
func (f *floods) soonest() (at time.Time) {
	for _, s := range f.storms {
		if s.news {
			at = earlier(at, s.first.Add(floodUpdate))
		}
	}
	if at.IsZero() || f.updated.IsZero() {
		return at
	}
	return later(at, f.updated.Add(floodUpdate))
}

// next is when due has something to do; zero: never.
func (f *floods) next() time.Time {
	next := f.soonest()
	for _, s := range f.storms {
		if !s.over {
			next = earlier(next, s.calm)
		}
	}
	return next
}

// rest ends all storms, and returns what there is to say of them.
func (f *floods) rest() (told []notify.Notification) {
	for _, s := range f.storms {
		if s.news {
			told = append(told, s.say())
		}
		if !s.over {
			f.end(s.last, s)
		}
	}
	f.storms = nil
	return told
}

// untold is what there is to say now, for a restart: the storms do not outlive that.
func (f *floods) untold() (all []notify.Notification) {
	for _, s := range f.storms {
		if s.news {
			all = append(all, s.say())
		}
	}
	return all
}

// takeEnded returns, once, what the history is to have of storms that are over.
func (f *floods) takeEnded() []sig.Event {
	ended := f.ended
	f.ended = nil
	return ended
}

// say is the notification that counts. Only the first one makes a sound.
func (s *storm) say() notify.Notification {
	n := notify.Notification{Title: s.title(), Body: "Last: " + named(s.server, defaultTitle(s.ev)), Key: s.key, Ref: s.ref}
	if s.over {
		n.Body = s.span() + "\n" + n.Body
	}
	if !s.shown.IsZero() {
		n.Sound = "none"
	}
	return n
}

func (s *storm) title() string { return words.Count(s.count, "more event") + " from " + s.who() }

func (s *storm) who() string {
	switch {
	case len(s.senders) == maxCounted:
		return "over " + words.Number(maxCounted) + " senders"
	case len(s.senders) > 1:
		return words.Count(len(s.senders), "other sender")
	}
	return source{s.server, s.ev.Sender}.String()
}

// span says from when to when it went on.
func (s *storm) span() string {
	from, to := s.first.Format("15:04"), s.last.In(s.first.Location()).Format("15:04")
	if s.last.Sub(s.first) < 24*time.Hour && from == to {
		return "at " + from
	}
	if s.last.Sub(s.first) >= 24*time.Hour {
		from = s.first.Format("2006-01-02 15:04")
	}
	return "from " + from + " to " + to
}

func (f *floods) clone(t *tags) *floods {
	c := *f
	c.tags, c.few, c.many, c.ended = t, f.few.clone(), f.many.clone(), slices.Clone(f.ended)
	c.storms = nil
	for _, s := range f.storms {
		s := *s
		s.senders, s.lately = maps.Clone(s.senders), maps.Clone(s.lately)
		c.storms = append(c.storms, &s)
	}
	return &c
}
