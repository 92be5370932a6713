package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/agent/rule"
	"sigalert/internal/outcome"
	"sigalert/internal/payload"
	"sigalert/internal/topic"
	"sigalert/internal/zone"
	"sigalert/sig"
)

// apply brings a good configuration into force.
func (a *Agent) apply(c *config.Config) {
	server, listen := c.Server, c.Router
	if a.opts.Server != "" {
		server, listen = a.opts.Server, ""
	}
	if a.receiver != nil && a.receiver.server != server {
		a.lost += a.receiver.client.Dropped()
		a.receiver.stop()
		a.router.end()
		a.receiver = nil
	}
	old := a.presence
	a.presence = newPresence(c.Subscriptions)
	if a.receiver == nil {
		a.connect(server)
	} else {
		a.presence.inherit(old)
	}
	a.router.use(listen)
	a.config = c
	a.matcher.use(c.Subscriptions)
	a.unseen.use(c.Subscriptions)
	a.receiver.listen(c.Subscriptions)
	a.subscribed, a.failing = time.Time{}, make(map[failure]bool)
	a.log.Info("configuration in force", "server", server, "subscriptions", len(c.Subscriptions))
	for _, w := range c.Warnings {
		a.log.Warn(w.Error())
	}
	a.opts.Configured(c)
}

// connect begins to receive from a server. That may be a router of our own.
func (a *Agent) connect(server string) {
	carrier := a.opts.Carrier(server)
	if a.opts.Router != nil {
		a.router = &ownRouter{ClientCarrier: carrier, bind: a.opts.Router, ctx: context.WithoutCancel(a.ctx), log: a.log}
		carrier = a.router
	}
	a.receiver = receive(a.ctx, server, carrier, a.log, sink{
		loop:  a.asked,
		event: a.event,
		presence: func(ev sig.Event) {
			a.unseen.saw(ev.Sender)
			a.presence.observe(time.Now(), ev.Sender, ev.Event.Equal(sig.EventConnect))
		},
		missed:  a.missed,
		changed: a.news.Raise,
	})
	now, first := time.Now(), a.link == nil
	a.link = newLinkWatch(server, now)
	if first {
		a.link.starting(now)
	}
	a.gap = false
	a.matcher.forget()
}

// event takes an event through the stages.
func (a *Agent) event(what topic.Topic, ev sig.Event) {
	a.unseen.saw(ev.Sender)
	matching := a.matcher.match(what, ev)
	if len(matching) == 0 {
		return
	}
	now := time.Now()
	here := now.In(zone.Local())
	ev.Time = ev.Time.In(here.Location())
	seen := rule.NewEvent(ev, here)
	sub, failed := choose(matching, seen)
	a.fail(failed)
	if sub == nil {
		return
	}
	a.counters.Received++
	text, _ := ev.Data.JSON() // what JSON cannot hold did not come from a network
	said, failed := settle(sub, seen, payload.Read(text))
	a.fail(failed)
	resolves := said.Resolved && said.Tag != ""
	if !resolves && !a.hold.paused && !a.limiter.admit(now, ev, urgency(said)) {
		a.counters.Limited++
		a.held(ev, whyFlood)
		return
	}
	n, failed := render(here, sub, ev, seen, said)
	a.fail(failed)
	switch {
	case resolves:
		n.Resolved = true
		a.delivery.push(n)
		a.held(ev, whyResolved)
		return
	case a.hold.keep(n):
		a.held(ev, whyPaused)
		return
	}
	a.delivery.pushAlert(n, ev)
}

// fail logs once for each key of a subscription that an expression failed.
func (a *Agent) fail(failed []failure) {
	for _, f := range failed {
		once := failure{sub: f.sub, key: f.key}
		if !a.failing[once] {
			a.failing[once] = true
			a.log.Warn("an expression failed: the alert is shown without it", "line", f.sub.Line, "key", f.key, "err", f.err)
		}
	}
}

// held reports that an event's alert was held back.
func (a *Agent) held(ev sig.Event, why string) {
	if a.opts.Alerted != nil {
		a.opts.Alerted(Alert{ev, outcome.Held, why})
	}
}

// missed counts events of ours that the server has forgotten; if n is below 0,
// nobody knows how many, if any.
func (a *Agent) missed(n int) {
	if n < 0 {
		a.gap = true
		return
	}
	a.lost += uint64(n)
}

// tell shows a notification, unless the agent is paused.
func (a *Agent) tell(n notify.Notification) {
	if !a.hold.keep(n) {
		a.delivery.push(n)
	}
}

// tellDue shows what the stages have to say now.
func (a *Agent) tellDue(now time.Time) {
	if a.receiver != nil {
		if n, ok := a.link.due(now); ok {
			a.tell(n)
		}
		if n, ok := a.presence.due(now); ok {
			a.tell(n)
		}
		if a.link.connected && a.unseen.due(now) {
			a.senders(func(connected []sig.Name, err error) {
				if err == nil {
					a.meet(connected)
				}
			})
		}
	}
	if n, ok := a.limiter.summary(now); ok {
		a.tell(n)
	}
	if a.hold.expired(now) {
		a.resume()
	}
}

// tellRest shows what would be lost at the end: who came or went, what was
// counted, and what a pause holds back.
func (a *Agent) tellRest() {
	if a.presence != nil {
		if n, ok := a.presence.news(); ok {
			a.tell(n)
		}
	}
	if n, ok := a.limiter.summary(a.limiter.next()); ok {
		a.tell(n)
	}
	if n, ok := a.hold.resume(); ok {
		a.delivery.push(n)
	}
}

// next is when something is due; zero: never.
func (a *Agent) next() time.Time {
	next := earlier(a.limiter.next(), a.hold.until)
	if a.receiver != nil {
		next = earlier(earlier(next, a.link.next()), a.presence.next())
		if a.link.connected {
			next = earlier(next, a.unseen.next())
		}
	}
	return next
}

// earlier is the earlier of two times; zero stands for never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// observeLink takes over the connection's state.
func (a *Agent) observeLink(now time.Time) {
	if a.receiver == nil {
		return
	}
	st, was := a.receiver.client.Link(), a.link.connected
	st.Err = a.router.explain(st.Err)
	if st.Err != nil && !st.Connected && (was || !sameText(st.Err, a.link.err)) {
		a.log.Warn("no connection, trying again", "server", a.receiver.server, "err", st.Err)
	}
	// A server that greets and then answers nothing does not count.
	connected := st.Connected && (was || a.receiver.answered())
	if n, ok := a.link.observe(now, connected, st.Err); ok {
		a.tell(n)
	}
	switch {
	case connected && !was:
		a.log.Info("connected", "server", a.receiver.server)
	case !connected && was:
		a.presence.offline()
		a.matcher.forget()
	}
}

// sameText reports whether two errors read the same. Each attempt has an error of
// its own, and only a new text is news.
func sameText(a, b error) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Error() == b.Error()
}

// observeSubscriptions logs once for each connection that the server has answered
// them all, and that nobody knows what was lost before; an attempt to connect that
// fails counts for nothing. What the server refused is logged once for each reason:
// a sender that comes and goes with each event is refused as often.
func (a *Agent) observeSubscriptions(st Status) {
	if st.Connected {
		link := a.receiver.client.Link() // before pending: a later connection has not answered yet
		settled := link.Connected && a.receiver.pending() == 0
		if settled && link.Since != a.subscribed {
			a.subscribed = link.Since
			a.log.Info("subscribed", "server", st.Server, "subscriptions", len(st.Subscriptions))
			a.askSenders()
		}
		if settled && a.gap && link.Since != a.told {
			a.told = link.Since
			a.log.Info("alerts may be missing: the server cannot tell what happened while there was no connection", "server", st.Server)
		}
		a.gap = a.gap && !settled
	}
	refused := make(map[topic.Topic]error)
	for _, sub := range st.Subscriptions {
		was := a.refused[sub.Topic]
		if sub.Status == sig.Refused && !sameText(sub.Err, was) {
			was = sub.Err
			a.log.Warn("subscription not in force, waiting for its sender to offer the event", "subscription", sub.Topic, "line", sub.Line, "err", sub.Err)
		}
		if was != nil {
			refused[sub.Topic] = was
		}
	}
	a.refused = refused
}

// askSenders asks who is connected. It is called once the server has our
// listeners: they report who comes or goes from then on.
func (a *Agent) askSenders() {
	p := a.presence
	watches := len(p.watched) > 0
	if !watches && len(a.unseen.waiting) == 0 {
		return
	}
	p.asked()
	a.senders(func(connected []sig.Name, err error) {
		switch {
		case p != a.presence:
			return
		case err == nil:
			p.sync(time.Now(), connected)
			a.meet(connected)
		case watches:
			a.log.Warn("cannot find out which senders are connected: those that left in the meantime are not reported", "err", err)
			p.unanswered()
		}
	})
}

// senders asks the server who is connected; the loop calls f with the answer, unless
// the connection has been lost by then.
func (a *Agent) senders(f func(connected []sig.Name, err error)) {
	r := a.receiver
	a.tasks.Go(func() {
		all, err := r.client.Senders(r.ctx, false)
		a.ask(func() {
			if r != a.receiver || !a.link.connected {
				return
			}
			var connected []sig.Name
			for _, s := range all {
				if s.Connected && !s.Sender.IsEvery() {
					connected = append(connected, s.Sender)
				}
			}
			f(connected, err)
		})
	})
}

// meet takes over who is connected, and logs once whom nobody has seen.
func (a *Agent) meet(connected []sig.Name) {
	if news := a.unseen.sync(time.Now(), connected); len(news) > 0 {
		a.log.Info("not seen yet, though subscribed to: a name may be mistyped", "senders", strings.Join(news, ", "))
	}
}

// woke is called after a suspend.
func (a *Agent) woke() {
	if a.receiver == nil {
		return
	}
	a.log.Info("woke from suspend")
	a.link.woke(time.Now())
	a.receiver.client.Reconnect()
}

// publish makes the stages' state readable by others.
func (a *Agent) publish() {
	st := Status{
		Paused:      a.hold.paused,
		PausedUntil: a.hold.until,
		Held:        a.hold.count,
		ConfigError: a.configErr,
		Counters:    a.counters,
	}
	var dropped uint64
	st.Counters.Shown, st.Counters.Logged, dropped, st.DeliveryError = a.delivery.counts()
	st.Counters.Dropped = dropped + a.lost
	if a.receiver != nil {
		st.Server, st.Router = a.receiver.server, a.router.runs()
		st.Connected, st.Since, st.LinkError = a.link.connected, a.link.since, a.link.err
		st.Lost = a.link.announced && !a.link.connected
		st.Subscriptions = a.receiver.status(a.config.Subscriptions)
		for _, sub := range st.Subscriptions {
			if errors.Is(sub.Err, sig.ErrNotOffered) {
				a.unseen.saw(sub.Sender) // by the server
			}
		}
		if st.Connected {
			st.Unseen = slices.Clone(a.unseen.named)
		}
		st.Counters.Dropped += a.receiver.client.Dropped()
	}
	a.observeSubscriptions(st)
	a.mu.Lock()
	a.status = st
	a.mu.Unlock()
	a.opts.Changed()
}
