package agent

import (
	"slices"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/words"
	"sigalert/sig"
)

const (
	presenceGrace = 10 * time.Second
	presenceBatch = 2 * time.Second
	maxSenders    = 10_000 // that are remembered
)

// presence says when senders come and go. A sender that returns within the grace
// is not mentioned, and many changes within 2 s make one notification.
type presence struct {
	server  string                // its name; "": it has none
	watched []config.Subscription // whose senders are
	senders map[sig.Name]*senderState
	online  bool // the server was asked; otherwise nothing is known of them
	synced  bool // it has answered once
	// Those who came or went after the server was asked: its answer is older.
	heard map[sig.Name]bool

	changes []change
	batch   time.Time // when they are announced; zero: there are none
}

type senderState struct {
	connected bool
	since     time.Time
	announced bool // a notification said that it is gone
}

type change struct {
	sender sig.Name
	text   string
}

func (c change) String() string { return c.sender.String() + " " + c.text }

func newPresence(subs []config.Subscription) *presence {
	p := &presence{senders: make(map[sig.Name]*senderState)}
	for _, s := range subs {
		if s.Presence {
			p.watched = append(p.watched, s)
		}
	}
	return p
}

func (p *presence) watches(sender sig.Name) bool {
	return slices.ContainsFunc(p.watched, func(s config.Subscription) bool {
		return (s.Sender.IsEvery() || s.Sender.Equal(sender)) && s.SenderGlob.Matches(sender)
	})
}

// inherit takes over what an older presence knew of the senders that both watch:
// a change of the file makes no sender come or go.
func (p *presence) inherit(old *presence) {
	for name, st := range old.senders {
		if p.watches(name) {
			p.senders[name] = st
		}
	}
	p.online, p.synced = old.online, false
	p.changes, p.batch = old.changes, old.batch
}

// observe takes a #connect or #disconnect.
func (p *presence) observe(now time.Time, sender sig.Name, connected bool) {
	if !p.watches(sender) {
		return
	}
	if p.heard != nil {
		p.heard[sender] = true
	}
	p.learn(now, sender, connected)
}

func (p *presence) learn(now time.Time, sender sig.Name, connected bool) {
	st := p.senders[sender]
	if st == nil {
		if p.forgetSome(); len(p.senders) >= maxSenders {
			return
		}
		st = &senderState{connected: !connected}
		p.senders[sender] = st
	}
	if st.connected == connected {
		return
	}
	was := *st
	st.connected, st.since, st.announced = connected, now, false
	switch {
	case !connected: // announced when the grace is over
	case was.announced:
		p.tell(now, change{sender, "is back after " + words.Span(now.Sub(was.since))})
	case was.since.IsZero():
		p.tell(now, change{sender, "connected"})
	}
}

// sync takes the server's answer about its senders after a connection was made:
// those that are no longer there have gone, and those that are there have come
// back. Those that are there the first time are not news.
func (p *presence) sync(now time.Time, connected []sig.Name) {
	heard := p.heard
	p.unanswered()
	for sender, st := range p.senders {
		if st.connected && !heard[sender] && !slices.ContainsFunc(connected, sender.Equal) {
			p.learn(now, sender, false)
		}
	}
	for _, sender := range connected {
		if heard[sender] || !p.watches(sender) {
			continue
		}
		if p.senders[sender] == nil && !p.synced && len(p.senders) < maxSenders {
			p.senders[sender] = &senderState{connected: true, since: now}
		}
		p.learn(now, sender, true)
	}
	p.synced = true
}

// asked notes that the server is being asked for its senders.
func (p *presence) asked() { p.heard = make(map[sig.Name]bool) }

// unanswered notes that there was no answer: it is not known who was lost with the
// last connection, but from now on those who come or go are noticed.
func (p *presence) unanswered() { p.online, p.heard = true, nil }

// forgetSome makes room: senders that were announced as gone may be forgotten.
func (p *presence) forgetSome() {
	if len(p.senders) < maxSenders {
		return
	}
	for sender, st := range p.senders {
		if !st.connected && st.announced {
			delete(p.senders, sender)
		}
	}
}

// offline notes that there is no server: nothing is known about the senders.
func (p *presence) offline() { p.online = false }

// woke grants those that have gone more time: they may be back, unheard.
func (p *presence) woke(now time.Time) {
	for _, st := range p.senders {
		if p.gone(st) {
			st.since = now
		}
	}
}

func (p *presence) tell(now time.Time, c change) {
	p.changes = slices.DeleteFunc(p.changes, func(o change) bool { return o.sender == c.sender })
	p.changes = append(p.changes, c)
	if p.batch.IsZero() {
		p.batch = now.Add(presenceBatch)
	}
}

// due returns what is to be announced now.
func (p *presence) due(now time.Time) (n notify.Notification, ok bool) {
	for sender, st := range p.senders {
		if p.gone(st) && !now.Before(st.since.Add(presenceGrace)) {
			st.announced = true
			p.tell(now, change{sender, "disconnected"})
		}
	}
	if now.Before(p.batch) {
		return n, false
	}
	return p.news()
}

// news returns what has changed and has not been announced yet, due or not.
func (p *presence) news() (n notify.Notification, ok bool) {
	changes := p.changes
	p.changes, p.batch = nil, time.Time{}
	switch len(changes) {
	case 0:
		return n, false
	case 1:
		c := changes[0]
		return notify.Notification{Title: named(p.server, c.String()), Key: "presence " + source{p.server, c.sender}.String()}, true
	}
	slices.SortFunc(changes, func(a, b change) int { return strings.Compare(a.String(), b.String()) })
	lines := make([]string, len(changes))
	for i, c := range changes {
		lines[i] = c.String()
	}
	return notify.Notification{
		Title: named(p.server, words.Count(len(changes), "sender")+" came or went"),
		Body:  strings.Join(lines, "\n"),
	}, true
}

// gone reports whether it is to be announced, in time, that the sender is gone.
func (p *presence) gone(st *senderState) bool {
	return p.online && !st.connected && !st.announced && !st.since.IsZero()
}

// next is when due has something to say; zero: never.
func (p *presence) next() time.Time {
	next := p.batch
	for _, st := range p.senders {
		if due := st.since.Add(presenceGrace); p.gone(st) && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	return next
}
