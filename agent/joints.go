package agent

import (
	"slices"
	"strings"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/outcome"
	"sigalert/sig"
)

// apply brings a good configuration into force. The error is why the router that runs here
// does not go by it; all else does.
func (a *Agent) apply(c *config.Config) error {
	servers := c.Servers
	if a.opts.Server != "" {
		servers = []config.Server{{Addresses: []string{a.opts.Server}}}
	}
	begun, err := a.useServers(servers)
	first := a.config == nil
	a.config, a.pipeline.catchup.maxAge = c, c.CatchUp
	a.pipeline.quiet.follow(c.Quiet)
	if first {
		a.recallStages(c.Subscriptions)
	}
	for _, n := range a.pipeline.use(c.Subscriptions) {
		a.tell(n)
	}
	a.followDesktop(c.Quiet.Desktop)
	a.ended(a.pipeline.waits.use(c.Subscriptions))
	now := a.now()
	a.expects.use(now, c.Subscriptions, a.reaches)
	a.expects.link(now, a.reaches)
	a.recents.use(c.Subscriptions)
	a.unseen.use(c.Subscriptions, servers)
	for _, s := range a.servers {
		s.use(c.Subscriptions)
	}
	for _, s := range begun {
		s.receiver.run()
	}
	a.stale = true
	a.failing = make(map[failure]bool)
	a.log.Info("configuration in force", "server", a.place(), "subscriptions", len(c.Subscriptions))
	for _, w := range c.Warnings {
		a.log.Warn(w.Error())
	}
	a.opts.Configured(c)
	return err
}

// server finds a server by its name; nil: it is not in the file any more.
func (a *Agent) server(name string) *server {
	if i := slices.IndexFunc(a.servers, func(s *server) bool { return s.name == name }); i >= 0 {
		return a.servers[i]
	}
	return nil
}

// reaches reports whether every server that a subscription is for is connected.
func (a *Agent) reaches(sub *config.Subscription) bool {
	return !slices.ContainsFunc(a.servers, func(s *server) bool { return sub.IsFor(s.name) && !s.link.connected })
}

// place is where the servers are, for people.
func (a *Agent) place() string {
	names := make([]string, len(a.servers))
	for i, s := range a.servers {
		names[i] = s.String()
	}
	return strings.Join(names, ", ")
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

// tell shows a notification, unless it is quiet.
func (a *Agent) tell(n notify.Notification) {
	if a.pipeline.quiet.keep(a.now(), n) == "" {
		a.pushDigest(n, nil)
	}
}

// tellDue shows what the stages have to say now, in the zone of this machine.
func (a *Agent) tellDue(now time.Time) {
	for _, s := range a.servers {
		s.tellDue(now)
	}
	a.concludeWaiting(now)
	a.tellUnasked(now)
	a.escalateDue(now)
	muted, paused := len(a.pipeline.quiet.muted), a.pipeline.quiet.pause.paused
	for _, n := range a.pipeline.due(now) {
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
	for _, n := range a.pipeline.catchup.due(now) {
		if a.pipeline.quiet.keep(now, n.Notification) != "" {
			n.settled.Store(true)
			a.memory.changed = true
			continue
		}
		a.pushDigest(n.Notification, func() { n.settled.Store(true) })
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
	for _, s := range a.servers {
		if n, ok := s.presence.news(); ok {
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
	for _, n := range a.pipeline.catchup.due(time.Now().Add(catchUpAgain)) {
		a.opts.Fallback(n.Notification)
	}
	for _, n := range a.pipeline.quiet.use(nil) {
		a.opts.Fallback(n)
	}
	if n, ok := a.pipeline.quiet.pause.resume(); ok {
		a.opts.Fallback(n)
	}
}

// next is when something is due; zero: never.
func (a *Agent) next() time.Time {
	next := earlier(earlier(a.pipeline.next(), a.nextUnasked()), a.memory.due())
	for _, s := range a.servers {
		next = earlier(next, s.next())
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

// observeLinks takes over the connections' state.
func (a *Agent) observeLinks(now time.Time) {
	for _, s := range a.servers {
		s.observe(now)
	}
	a.expects.link(now, a.reaches)
}

// woke is called after a suspend, perhaps more than once.
func (a *Agent) woke() {
	if len(a.servers) == 0 {
		return
	}
	now := time.Now()
	if !a.servers[0].link.isWaking(now) {
		a.log.Info("woke from suspend")
	}
	a.stoodStill(now, now)
}

// stoodStill is called when the agent has not run since a time, by a clock that may have
// stood still, too.
func (a *Agent) stoodStill(since, now time.Time) {
	a.expects.stoodStill(since, now)
	for _, s := range a.servers {
		s.stoodStill(now)
	}
}

// subscriptionStatus is how each subscription stands now: as on the server where it
// stands best.
func (a *Agent) subscriptionStatus() []SubscriptionStatus {
	all := make([]SubscriptionStatus, len(a.config.Subscriptions))
	for _, s := range a.servers {
		s.look()
		rest := s.statuses
		for i := range a.config.Subscriptions {
			if !a.config.Subscriptions[i].IsFor(s.name) {
				continue
			}
			if all[i].Line == 0 || betterThan(rest[0].Status, all[i].Status) {
				all[i] = rest[0]
			}
			rest = rest[1:]
		}
	}
	for i := range all {
		if h := a.pipeline.quiet.of(&a.config.Subscriptions[i]); h != nil {
			all[i].Muted, all[i].MutedUntil, all[i].Held = true, h.until, h.count
		}
	}
	return all
}

// betterThan reports whether a subscription stands better so than otherwise.
func betterThan(a, b sig.ListenerStatus) bool {
	return a != b && (a == sig.Active || b == sig.Refused)
}

// publish makes the stages' state readable by others.
func (a *Agent) publish(now time.Time) {
	silence := a.pipeline.quiet.silence(now)
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
	if len(a.servers) > 0 {
		if a.stale {
			a.subscriptions = a.subscriptionStatus()
		}
		st.Subscriptions, st.Unseen = a.subscriptions, a.unseen.named()
	}
	for _, s := range a.servers {
		st.Servers = append(st.Servers, s.status())
		st.Counters.Dropped += s.receiver.client.Dropped()
		if a.stale {
			s.observeSubscriptions()
		}
	}
	st.sum()
	a.stale = false
	a.mu.Lock()
	a.status = st
	a.mu.Unlock()
	a.opts.Changed()
}
