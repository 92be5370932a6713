package agent

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/outcome"
	"sigalert/internal/topic"
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
		a.memory.note(a.receiver.server, a.cursor.state(), a.pipeline.catchup.heard)
		a.router.end()
		a.receiver = nil
	}
	old, first := a.presence, a.receiver == nil
	a.presence = newPresence(c.Subscriptions)
	if first {
		a.connect(server)
	} else {
		a.presence.inherit(old)
	}
	a.router.use(listen)
	a.config, a.pipeline.catchup.maxAge = c, c.CatchUp
	a.matcher.use(c.Subscriptions)
	a.pipeline.quiet.follow(c.Quiet)
	for _, n := range a.pipeline.use(c.Subscriptions) {
		a.tell(n)
	}
	a.followDesktop(c.Quiet.Desktop)
	a.ended(a.pipeline.waits.use(c.Subscriptions))
	a.expects.use(a.now(), c.Subscriptions)
	a.recents.use(c.Subscriptions)
	a.unseen.use(c.Subscriptions)
	if a.receiver.listen(c.Subscriptions); first {
		a.receiver.run()
	}
	a.stale = true
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
	since := a.memory.since(server)
	a.cursor = newCursor(a.memory.servers[server])
	a.pipeline.catchup.heard, a.pipeline.catchup.apart = a.memory.servers[server].Heard, true
	a.receiver = receive(a.ctx, server, carrier, since, a.log, sink{
		loop:  a.asked,
		event: a.event,
		presence: func(ev sig.Event) {
			a.unseen.saw(ev.Sender)
			a.presence.observe(time.Now(), ev.Sender, ev.Event.Equal(sig.EventConnect))
			a.cursor.reach(ev.Position())
		},
		missed:  a.missed,
		passed:  a.passed,
		changed: a.news.Raise,
	})
	now, first := time.Now(), a.link == nil
	a.link = newLinkWatch(server, now)
	if first {
		a.link.starting(now)
	}
	a.gap = false
	a.expects.link(now, false)
	a.matcher.forget()
}

// event takes an event through the stages.
func (a *Agent) event(what topic.Topic, ev sig.Event) {
	a.pipeline.catchup.hear(time.Now())
	defer a.cursor.reach(ev.Position()) // once it is known what becomes of the event
	if a.cursor.known(ev.Position()) {
		return
	}
	a.unseen.saw(ev.Sender)
	matching := a.matcher.match(what, ev)
	if len(matching) == 0 {
		return
	}
	p := newPassage(a.now(), ev)
	p.matching = matching
	a.arrived(p)
	a.pipeline.judge(p)
	a.conclude(p)
}

// conclude does what the stages have decided.
func (a *Agent) conclude(p *passage) {
	p.alert.Click = a.config.History != nil // to open it there
	a.recents.put(p, a.config.Subscriptions)
	for _, v := range p.verdicts {
		a.logFailure(v)
	}
	a.ended(p.ends)
	v := p.decided()
	a.counters.count(v, p.waited != nil)
	if len(a.pipeline.quiet.muted) > 0 && (v.decision == Held || v.decision == Resolved) {
		a.stale = true // their status has how many are held back
	}
	switch v.decision {
	case Sent:
		a.delivery.pushAlert(p.alert, p.ev, p.picture(), a.settling(p))
		a.pipeline.repeats.begin(p)
		a.pipeline.escalations.begin(p)
		if n, failed := a.commands.run(p, p.sub.Command); failed {
			a.tell(n)
		}
	case Resolved:
		if p.closes {
			a.delivery.push(p.alert)
		}
		a.alerted(p.ev, outcome.Held, v.decision.String()+": "+v.reason)
	case Held:
		if p.waiting != nil {
			p.waiting.number = int(p.alert.Ref)
			return // it is not known yet what becomes of it
		}
		if p.counted != nil {
			*p.counted = p.alert.Ref
		}
		if v.stage == "catch_up" {
			a.pipeline.catchup.note(p.sub.ID(), p.alert.Ref)
		}
		a.alerted(p.ev, outcome.Held, v.reason)
	}
}

// logFailure logs an expression's failure, once for each key of a subscription.
func (a *Agent) logFailure(v verdict) {
	if once := (failure{v.line, v.key}); v.err != nil && !a.failing[once] {
		a.failing[once] = true
		a.log.Warn("an expression failed: the alert is shown without it", "line", v.line, "key", v.key, "err", v.err)
	}
}

// failure is an expression that failed.
type failure struct {
	line int
	key  string
}

// alerted reports what became of an event's alert.
func (a *Agent) alerted(ev sig.Event, what outcome.Outcome, why string) {
	if a.opts.Alerted != nil {
		a.opts.Alerted(Alert{Event: ev, Outcome: what, Why: why})
	}
}

// alertedEnded reports the storms that are over: what each has counted.
func (a *Agent) alertedEnded() {
	for _, ev := range a.pipeline.floods.takeEnded() {
		a.alerted(ev, outcome.None, "")
	}
}

// now is the time in the zone in which this machine is now.
func (a *Agent) now() time.Time { return time.Now().In(a.zone()) }

// passed notes how far the server's events have come.
func (a *Agent) passed(p sig.Position) {
	a.pipeline.catchup.hear(time.Now())
	a.cursor.reach(p)
}

// missed counts events of ours that the server has forgotten; if n is below 0,
// nobody knows how many, if any.
func (a *Agent) missed(n int) {
	if n < 0 && a.router.runs() {
		return // it is as old as this connection: nobody could send it anything before
	}
	a.stale = true
	a.gone.add(time.Now(), n, later(a.pipeline.catchup.heard, a.receiver.client.Link().Heard), a.pipeline.catchup.apart)
	if n < 0 {
		a.gap = true
		return
	}
	a.lost += uint64(n)
}

// tell shows a notification, unless it is quiet.
func (a *Agent) tell(n notify.Notification) {
	if !a.pipeline.quiet.keep(a.now(), n) {
		a.pushDigest(n, nil)
	}
}

// tellDue shows what the stages have to say now.
func (a *Agent) tellDue(now time.Time) {
	if a.receiver != nil {
		if n, ok := a.link.due(now); ok {
			a.report(now, ownLink, n)
		}
		if n, ok := a.presence.due(now); ok {
			a.report(now, ownPresence, n)
		}
		if n, ok := a.gone.due(now, a.cursor.reached.Epoch); ok {
			a.report(now, ownGap, n)
		}
		if a.link.connected && a.unseen.due(now) {
			a.senders(func(connected []sig.Name, err error) {
				if err == nil {
					a.meet(connected)
				}
			})
		}
	}
	local := now.In(a.zone())
	a.concludeWaiting(local)
	a.tellUnasked(local)
	a.escalateDue(local)
	muted, paused := len(a.pipeline.quiet.muted), a.pipeline.quiet.pause.paused
	for _, n := range a.pipeline.due(local) {
		a.tell(n)
	}
	a.alertedEnded()
	a.tellAway(now)
	if paused && !a.pipeline.quiet.pause.paused {
		a.log.Info("resumed")
	}
	a.stale = a.stale || len(a.pipeline.quiet.muted) != muted
}

// tellAway shows what happened during an absence.
func (a *Agent) tellAway(now time.Time) {
	all, ids := a.pipeline.catchup.due(now)
	for i, n := range all {
		told := func() {
			a.pipeline.catchup.told(ids[i])
			a.memory.changed = true
		}
		if a.pipeline.quiet.keep(a.now(), n) {
			told()
			continue
		}
		a.pushDigest(n, func() { a.ask(told) })
	}
}

// pushDigest has the desktop show what may be about several alerts. A click opens the
// history at the last of them.
func (a *Agent) pushDigest(n notify.Notification, done func()) {
	n.Click = a.config != nil && a.config.History != nil
	a.delivery.pushDigest(n, done)
}

// tellRest shows what would be lost at the end: who came or went and, unless it is
// remembered, what was counted.
func (a *Agent) tellRest(remembered bool) {
	if a.presence != nil {
		if n, ok := a.presence.news(); ok {
			a.report(time.Now(), ownPresence, n)
		}
	}
	for _, n := range a.pipeline.rest() {
		if !remembered {
			a.tell(n)
		}
	}
	a.alertedEnded()
}

// tellHeld has what waits, or is held back, become lines of the log, unless it is
// remembered.
func (a *Agent) tellHeld() {
	a.tellWaiting(a.now())
	all, _ := a.pipeline.catchup.due(time.Now().Add(catchUpTime))
	all = append(all, a.pipeline.quiet.use(nil)...)
	for _, n := range all {
		a.opts.Fallback(n)
	}
	if n, ok := a.pipeline.quiet.pause.resume(); ok {
		a.opts.Fallback(n)
	}
}

// next is when something is due; zero: never.
func (a *Agent) next() time.Time {
	next := earlier(earlier(a.pipeline.next(), a.nextUnasked()), a.memory.due())
	if a.receiver != nil {
		next = earlier(earlier(next, a.link.next()), earlier(a.presence.next(), a.gone.when))
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
		a.report(now, ownLink, n)
	}
	a.expects.link(now, connected)
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

// woke is called after a suspend, perhaps more than once.
func (a *Agent) woke() {
	if a.receiver == nil {
		return
	}
	now := time.Now()
	if !a.link.isWaking(now) {
		a.log.Info("woke from suspend")
	}
	a.stoodStill(now, now)
}

// stoodStill is called when the agent has not run since a time, by a clock that may have
// stood still, too: whatever it has not heard of in the meantime may still be on its way.
func (a *Agent) stoodStill(since, now time.Time) {
	a.expects.stoodStill(since, now)
	a.link.woke(now)
	a.presence.woke(now)
	a.receiver.client.Reconnect()
}

// subscriptionStatus is how each subscription stands now.
func (a *Agent) subscriptionStatus() []SubscriptionStatus {
	all := a.receiver.status(a.config.Subscriptions)
	for i := range all {
		sub := &all[i]
		if errors.Is(sub.Err, sig.ErrNotOffered) {
			a.unseen.saw(sub.Sender) // by the server
		}
		if h := a.pipeline.quiet.of(&a.config.Subscriptions[i]); h != nil {
			sub.Muted, sub.MutedUntil, sub.Held = true, h.until, h.count
		}
	}
	return all
}

// publish makes the stages' state readable by others.
func (a *Agent) publish() {
	silence := a.pipeline.quiet.silence(a.now())
	st := Status{
		Paused:      a.pipeline.quiet.pause.paused,
		PausedUntil: a.pipeline.quiet.pause.until,
		Held:        a.pipeline.quiet.pause.count,
		Quiet:       silence.why,
		QuietUntil:  silence.until,
		Pending:     a.pipeline.pending(),
		Unread:      a.recents.unread(),
		ConfigError: a.configErr,
		Counters:    a.counters,
	}
	var dropped uint64
	st.Counters.Shown, st.Counters.Logged, dropped, st.DeliveryError = a.delivery.counts()
	st.Counters.Dropped = dropped + a.lost
	st.Counters.Unrun = a.commands.lost()
	st.Counters.Early = a.pipeline.waits.early
	if a.receiver != nil {
		st.Server, st.Router = a.receiver.server, a.router.runs()
		st.Connected, st.Since, st.LinkError = a.link.connected, a.link.since, a.link.err
		st.Lost = a.link.announced && !a.link.connected
		if a.stale {
			a.subscriptions = a.subscriptionStatus()
		}
		st.Subscriptions = a.subscriptions
		if st.Connected {
			st.Unseen = slices.Clone(a.unseen.named)
		}
		st.Counters.Dropped += a.receiver.client.Dropped()
	}
	if a.stale {
		a.observeSubscriptions(st)
		a.stale = false
	}
	a.mu.Lock()
	a.status = st
	a.mu.Unlock()
	a.opts.Changed()
}
