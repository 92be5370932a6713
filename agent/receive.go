package agent

import (
	"context"
	"log/slog"

	"sigalert/agent/config"
	"sigalert/internal/topic"
	"sigalert/internal/wait"
	"sigalert/sig"
)

// receiver is the connection to one server, and what is listened to there.
type receiver struct {
	client *sig.ClientRouter
	sink   sink
	ctx    context.Context // ends with the receiver
	stop   func()          // ends the connection, and waits for it

	listeners map[asked]*sig.RemoteListener
}

// sink is where a receiver passes what it receives.
type sink struct {
	// loop takes calls of the functions below; while it is full, the client waits.
	loop     chan<- func()
	event    func(topic.Topic, sig.Event) // asked for by this topic
	presence func(sig.Event)              // a #connect or #disconnect
	missed   func(n int)                  // as in sig.ClientOptions
	passed   func(sig.Position)           // as in sig.ClientOptions

	// changed is called off the loop when the connection or a listener's status
	// has changed. It must not wait.
	changed func()
}

// asked is what a listener asks the server for.
type asked struct {
	topic.Topic
	presence bool // it is for the comings and goings
}

// receive returns a connection to a server that begins with run, and ends with ctx or
// stop. Its events begin after since or, if that is nil, with what happens next.
func receive(ctx context.Context, carrier sig.ClientCarrier, token func() (string, error), since *sig.Position, log *slog.Logger, to sink) *receiver {
	ctx, cancel := context.WithCancel(ctx)
	r := &receiver{sink: to, ctx: ctx}
	r.client = sig.NewClientRouter(carrier, &sig.ClientOptions{
		Since:   since,
		Token:   token,
		Changed: to.changed,
		Missed:  func(n int) { r.pass(func() { to.missed(n) }) },
		Passed:  func(p sig.Position) { r.pass(func() { to.passed(p) }) },
		Logger:  log,
	})
	r.stop = cancel
	return r
}

// run connects. What is listened to by then has what happened after since.
func (r *receiver) run() {
	cancel, ended := r.stop, wait.Start(r.ctx, r.client.Run)
	r.stop = func() {
		cancel()
		ended()
	}
}

// pass has the loop call f, unless the receiver ends first: after one event that is left
// out, none may follow, or the cursor would pass it over.
func (r *receiver) pass(f func()) {
	if r.ctx.Err() != nil {
		return
	}
	select {
	case r.sink.loop <- f:
	case <-r.ctx.Done():
	}
}

// listen listens to what these subscriptions ask for. What the old ones and the
// new have in common stays as it is, and misses nothing.
func (r *receiver) listen(subs []config.Subscription) {
	old := r.listeners
	r.listeners = make(map[asked]*sig.RemoteListener)
	keep := func(what asked, take func(sig.Event)) {
		if r.listeners[what] != nil {
			return // two subscriptions may watch one sender
		}
		l := old[what]
		if l == nil {
			listen := r.client.ResumeRemoteListener
			if what.presence { // who came and went before is of no interest
				listen = r.client.AddRemoteListener
			}
			l = listen(what.Sender, what.Event, func(ev sig.Event) { r.pass(func() { take(ev) }) })
		}
		delete(old, what)
		r.listeners[what] = l
	}
	for _, s := range subs {
		keep(asked{s.Topic(), false}, func(ev sig.Event) { r.sink.event(s.Topic(), ev) })
		if s.Presence {
			for _, event := range []sig.Name{sig.EventConnect, sig.EventDisconnect} {
				keep(asked{topic.Topic{Sender: s.Sender, Event: event}, true}, r.sink.presence)
			}
		}
	}
	for _, l := range old {
		r.client.RemoveRemoteListener(l)
	}
}

// answered reports whether the server has answered any of them, or there are
// none.
func (r *receiver) answered() bool {
	n := len(r.listeners)
	return n == 0 || r.pending() < n
}

// pending counts the listeners that the server has not answered yet.
func (r *receiver) pending() (n int) {
	for _, l := range r.listeners {
		if st, _ := r.client.Status(l); st == sig.Pending {
			n++
		}
	}
	return n
}

// status is how each subscription stands.
func (r *receiver) status(subs []config.Subscription) []SubscriptionStatus {
	all := make([]SubscriptionStatus, len(subs))
	for i, s := range subs {
		st, err := r.client.Status(r.listeners[asked{s.Topic(), false}])
		all[i] = SubscriptionStatus{Topic: s.Shown(), Server: s.OnServer(), Line: s.Line, Status: st, Err: err}
	}
	return all
}
