package agent

import (
	"context"
	"log/slog"

	"sigalert/agent/config"
	"sigalert/internal/copies"
	"sigalert/sig"
)

// receiver is the connection to one server, and what is listened to there.
type receiver struct {
	server string
	client *sig.ClientRouter
	cancel context.CancelFunc
	ctx    context.Context // ends with the receiver
	done   chan struct{}   // closed once the client has ended

	// Called off the loop, one at a time, by the client. They are set before
	// there are listeners.
	event, presence func(copies.Topic, sig.Event)
	missed          func(n int) // as sig.ClientOptions has it

	listeners map[asked]*sig.RemoteListener
}

// asked is what a listener asks the server for.
type asked struct {
	copies.Topic
	presence bool // it is for the comings and goings
}

// receive connects to a server until ctx or the receiver ends. changed must
// not wait.
func receive(ctx context.Context, server string, carrier sig.ClientCarrier, log *slog.Logger, changed func()) *receiver {
	ctx, cancel := context.WithCancel(ctx)
	r := &receiver{server: server, cancel: cancel, ctx: ctx, done: make(chan struct{})}
	r.client = sig.NewClientRouter(carrier, &sig.ClientOptions{
		Changed: changed,
		Missed:  func(n int) { r.missed(n) },
		Logger:  log,
	})
	go func() {
		defer close(r.done)
		r.client.Run(ctx)
	}()
	return r
}

// stop ends the connection and waits for it.
func (r *receiver) stop() {
	r.cancel()
	<-r.done
}

// listen makes what is listened to that of these subscriptions. What the old
// ones and the new have in common stays as it is, and misses nothing.
func (r *receiver) listen(subs []config.Subscription) {
	old := r.listeners
	r.listeners = make(map[asked]*sig.RemoteListener)
	keep := func(what asked, call func(copies.Topic, sig.Event)) {
		if r.listeners[what] != nil {
			return // two subscriptions may watch one sender
		}
		l := old[what]
		if l == nil {
			l = r.client.AddRemoteListener(what.Sender, what.Event, func(ev sig.Event) { call(what.Topic, ev) })
		}
		delete(old, what)
		r.listeners[what] = l
	}
	for _, s := range subs {
		keep(asked{topic(s), false}, r.event)
		if s.Presence {
			for _, event := range []sig.Name{sig.EventConnect, sig.EventDisconnect} {
				keep(asked{copies.Topic{Sender: s.Sender, Event: event}, true}, r.presence)
			}
		}
	}
	for _, l := range old {
		r.client.RemoveRemoteListener(l)
	}
}

// answered reports whether the server has answered anything that was asked of
// it; also if nothing was.
func (r *receiver) answered() bool {
	for _, l := range r.listeners {
		if st, _ := r.client.Status(l); st != sig.Pending {
			return true
		}
	}
	return len(r.listeners) == 0
}

// settled reports whether the server has answered all that was asked of it.
func (r *receiver) settled() bool {
	for _, l := range r.listeners {
		if st, _ := r.client.Status(l); st == sig.Pending {
			return false
		}
	}
	return true
}

func (r *receiver) status(subs []config.Subscription) []SubscriptionStatus {
	all := make([]SubscriptionStatus, len(subs))
	for i, s := range subs {
		st, err := r.client.Status(r.listeners[asked{topic(s), false}])
		all[i] = SubscriptionStatus{Name: s.String(), Sender: s.Sender, Event: s.Event, Line: s.Line, Status: st}
		if err != nil {
			all[i].Err = err.Error()
		}
	}
	return all
}
