package agent

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/copies"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

// Options are an agent's settings. ConfigPath or Config, and Notifier, must be
// given.
type Options struct {
	// ConfigPath is the file to read, and to follow as it changes.
	ConfigPath string
	// Server, a host:port, is used instead of the configuration's.
	Server string
	// Config is used instead of a file.
	Config *config.Config
	// Notifier shows the alerts, one at a time.
	Notifier Notifier
	// Fallback gets the alerts that Notifier did not show; calls may overlap.
	// Default: a line each in the log.
	Fallback func(notify.Notification)
	// Alerted is called once for each event that a subscription alerts for, as
	// soon as it is known what became of it, and not after Run. It must not wait,
	// and may be called by several goroutines at once. An event whose data is too
	// much to keep until the desktop answers comes without it, and Why says so.
	// Default: none.
	Alerted func(Alert)
	// Configured is called whenever a good configuration takes force, by the
	// goroutine of Run. It must not wait. Default: none.
	Configured func(*config.Config)
	// Changed is called after Status may have changed. It must not wait.
	// Default: none.
	Changed func()
	// Carrier makes the carrier to a server. Default: TCP.
	Carrier func(server string) sig.ClientCarrier
	// Logger hears what a user should know. Default: none.
	Logger *slog.Logger
}

// Agent is a running or runnable agent. Its methods may be called by any
// goroutine; those that ask something of it return once the request is queued,
// and do nothing once it has ended.
type Agent struct {
	opts     Options
	log      *slog.Logger
	delivery *delivery

	asked chan func()   // what the loop is to do, in order
	news  chan struct{} // holds a token: the connection or the delivery changed
	done  chan struct{} // closed once the loop has ended

	mu     sync.Mutex // guards the field below
	status Status

	// The loop's own.
	ctx         context.Context // Run's
	tasks       sync.WaitGroup
	config      *config.Config // nil: none was good yet
	configError string
	receiver    *receiver
	matcher     matcher
	limiter     limiter
	hold        hold
	link        *linkWatch
	presence    *presence
	counters    Counters
	lost        uint64                        // dropped by receivers that ended, or by the server
	refused     map[string]bool               // subscriptions that were told to be
	failing     map[*config.Subscription]bool // whose templates were told to be
	subscribed  bool                          // the server has answered all subscriptions, and that was told
}

// New returns an agent that does nothing until Run.
func New(opts Options) *Agent {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Changed == nil {
		opts.Changed = func() {}
	}
	if opts.Configured == nil {
		opts.Configured = func(*config.Config) {}
	}
	if opts.Carrier == nil {
		opts.Carrier = func(server string) sig.ClientCarrier { return tcp.NewClient(server) }
	}
	log := opts.Logger
	if opts.Fallback == nil {
		opts.Fallback = func(n notify.Notification) { log.Info("alert", "text", n.Line()) }
	}
	a := &Agent{
		opts:  opts,
		log:   log,
		asked: make(chan func(), 64),
		news:  make(chan struct{}, 1),
		done:  make(chan struct{}),
	}
	a.delivery = newDelivery(opts, a.hasNews)
	return a
}

// Run alerts until ctx ends, and has ended all that it started when it
// returns. What is to be alerted then goes to Fallback: the desktop may be
// ending too. It may be called once.
func (a *Agent) Run(ctx context.Context) {
	a.ctx = ctx
	a.tasks.Go(func() { a.delivery.run(ctx) })
	a.tasks.Go(func() { watchWake(ctx, func() { a.ask(a.woke) }) })
	if a.opts.Config != nil {
		a.apply(a.opts.Config)
	} else {
		a.tasks.Go(func() {
			config.Watch(ctx, a.opts.ConfigPath, func() { a.ask(func() { a.reload(false) }) })
		})
	}
	a.loop(ctx)
	close(a.done)
	if a.receiver != nil {
		a.receiver.stop()
	}
	a.end()
	a.tasks.Wait()
	a.delivery.end()
}

// loop does what is asked and what is due, one after the other.
func (a *Agent) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-a.asked:
			f()
		case <-a.news:
			if ctx.Err() == nil { // our own end is no trouble of the link
				a.observeLink(time.Now())
			}
		case <-timer.C:
		}
		now := time.Now()
		a.tellDue(now)
		a.publish()
		if next := a.next(); !next.IsZero() {
			timer.Reset(max(0, next.Sub(now)))
		} else {
			timer.Stop()
		}
	}
}

// ask has the loop do something; false once the agent has ended.
func (a *Agent) ask(f func()) bool {
	select {
	case a.asked <- f:
		return true
	case <-a.done:
		return false
	}
}

func (a *Agent) hasNews() {
	select {
	case a.news <- struct{}{}:
	default:
	}
}

// next is when something is due; zero: never.
func (a *Agent) next() time.Time {
	next := earlier(a.limiter.next(), a.hold.until)
	if a.receiver != nil {
		next = earlier(earlier(next, a.link.next()), a.presence.next())
	}
	return next
}

// earlier is the earlier of two times, of which zero is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (a *Agent) tellDue(now time.Time) {
	if a.receiver != nil {
		if n, ok := a.link.due(now); ok {
			a.tell(n)
		}
		if n, ok := a.presence.due(now); ok {
			a.tell(n)
		}
	}
	if n, ok := a.limiter.summary(now); ok {
		a.tell(n)
	}
	if a.hold.expired(now) {
		a.resume()
	}
}

// end tells what would be lost: what has come and was not looked at, counts
// that were to be shown soon, and what a pause holds back.
func (a *Agent) end() {
	for range len(a.asked) {
		(<-a.asked)()
	}
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

// tell shows a notification, unless the agent is paused.
func (a *Agent) tell(n notify.Notification) {
	if !a.hold.keep(n) {
		a.delivery.push(n)
	}
}

// event takes an event through the stages.
func (a *Agent) event(what copies.Topic, ev sig.Event) {
	sub := a.matcher.match(what, ev)
	if sub == nil {
		return
	}
	a.counters.Received++
	if !a.hold.paused && !a.limiter.admit(time.Now(), ev, sub.Urgency) {
		a.counters.Limited++
		a.held(ev, whyFlood)
		return
	}
	n, err := render(time.Now(), *sub, ev)
	if err != nil && !a.failing[sub] {
		a.failing[sub] = true
		a.log.Warn("a template failed, the alert has the default text", "line", sub.Line, "err", err)
	}
	if a.hold.keep(n) {
		a.held(ev, whyPaused)
		return
	}
	a.delivery.pushAlert(n, ev)
}

// held tells that an event's alert was held back.
func (a *Agent) held(ev sig.Event, why string) {
	if a.opts.Alerted != nil {
		a.opts.Alerted(Alert{ev, Held, why})
	}
}

// missed takes the word that the server has forgotten events of ours: below
// 0, nobody knows how many, if any.
func (a *Agent) missed(server string, n int) {
	if n < 0 {
		a.log.Info("alerts may be missing: the server cannot tell what happened while there was no connection", "server", server)
		return
	}
	a.lost += uint64(n)
}

// observeLink takes over the connection's state.
func (a *Agent) observeLink(now time.Time) {
	if a.receiver == nil {
		return
	}
	st := a.receiver.client.Link()
	was := a.link.connected
	reason := ""
	if st.Err != nil {
		reason = st.Err.Error()
	}
	if reason != "" && !st.Connected && (was || reason != a.link.reason) {
		a.log.Warn("no connection, trying again", "server", a.receiver.server, "err", reason)
	}
	// A server that greets and then answers nothing is none.
	connected := st.Connected && (was || a.receiver.answered())
	if n, ok := a.link.observe(now, connected, reason); ok {
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

// askSenders learns who is connected; the answer comes back to the loop. It is
// asked once the server has our listeners: who comes or goes from then on is
// heard.
func (a *Agent) askSenders() {
	if len(a.presence.watched) == 0 {
		return
	}
	r, p := a.receiver, a.presence
	p.asked()
	a.tasks.Go(func() {
		all, err := r.client.Senders(r.ctx, false)
		a.ask(func() {
			if p != a.presence || !a.link.connected {
				return
			}
			if err != nil {
				a.log.Warn("cannot learn which senders are connected: those that went meanwhile are not told of", "err", err)
				p.unanswered()
				return
			}
			var connected []sig.Name
			for _, s := range all {
				if s.Connected && !s.Sender.IsEvery() {
					connected = append(connected, s.Sender)
				}
			}
			p.sync(time.Now(), connected)
		})
	})
}

func (a *Agent) woke() {
	if a.receiver == nil {
		return
	}
	a.log.Info("woke from suspend")
	a.link.woke(time.Now())
	a.receiver.client.Reconnect()
}

// publish makes the state readable for others.
func (a *Agent) publish() {
	st := Status{
		Paused:      a.hold.paused,
		PausedUntil: a.hold.until,
		Held:        a.hold.count,
		ConfigError: a.configError,
		Counters:    a.counters,
	}
	var dropped uint64
	st.Counters.Shown, st.Counters.Logged, dropped, st.DeliveryError = a.delivery.counts()
	st.Counters.Dropped = dropped + a.lost
	if a.receiver != nil {
		st.Server = a.receiver.server
		st.Connected, st.Since, st.LinkError = a.link.connected, a.link.since, a.link.reason
		st.Lost = a.link.announced && !a.link.connected
		st.Subscriptions = a.receiver.status(a.config.Subscriptions)
		st.Counters.Dropped += a.receiver.client.Dropped()
	}
	a.observeSubscriptions(st)
	a.mu.Lock()
	a.status = st
	a.mu.Unlock()
	a.opts.Changed()
}

// observeSubscriptions says once when the server has answered them all, and
// what it refused.
func (a *Agent) observeSubscriptions(st Status) {
	settled := st.Connected && a.receiver.settled()
	if settled && !a.subscribed {
		a.log.Info("subscribed", "server", st.Server, "subscriptions", len(st.Subscriptions))
		a.askSenders()
	}
	a.subscribed = settled
	refused := make(map[string]bool)
	for _, sub := range st.Subscriptions {
		if sub.Status != sig.Refused {
			continue
		}
		refused[sub.Name] = true
		if !a.refused[sub.Name] {
			a.log.Warn("subscription not in force, waiting for its sender to offer the event", "subscription", sub.Name, "line", sub.Line, "err", sub.Err)
		}
	}
	a.refused = refused
}

// Status is the agent's present state.
func (a *Agent) Status() Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.status
}
