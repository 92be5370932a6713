package agent

import (
	"context"
	"log/slog"

	"sigalert/agent/config"
	"sigalert/sig"
)

// receiver is the connection to one server, and what is listened to there.
type receiver struct {
	server string
	client *sig.ClientRouter
	cancel context.CancelFunc
	ctx    context.Context // ends with the receiver
	done   chan struct{}   // closed once the client has ended

	listeners []*sig.RemoteListener // one a subscription, in the file's order
	presence  []*sig.RemoteListener
}

// receive connects to a server until ctx or the receiver ends. changed must
// not wait.
func receive(ctx context.Context, server string, carrier sig.ClientCarrier, log *slog.Logger, changed func()) *receiver {
	ctx, cancel := context.WithCancel(ctx)
	r := &receiver{server: server, cancel: cancel, ctx: ctx, done: make(chan struct{})}
	r.client = sig.NewClientRouter(carrier, &sig.ClientOptions{Changed: changed, Logger: log})
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

// listen replaces what is listened to. What the old and the new have in
// common stays registered at the server, and misses nothing.
func (r *receiver) listen(subs []config.Subscription, event func(i int, ev sig.Event), presence func(sig.Event)) {
	old := append(r.listeners, r.presence...)
	r.listeners, r.presence = nil, nil
	for i, s := range subs {
		r.listeners = append(r.listeners, r.client.AddRemoteListener(s.Sender, s.Event, func(ev sig.Event) { event(i, ev) }))
		if !s.Presence {
			continue
		}
		for _, name := range []sig.Name{sig.EventConnect, sig.EventDisconnect} {
			r.presence = append(r.presence, r.client.AddRemoteListener(s.Sender, name, presence))
		}
	}
	for _, l := range old {
		r.client.RemoveRemoteListener(l)
	}
}

func (r *receiver) status(subs []config.Subscription) []SubscriptionStatus {
	all := make([]SubscriptionStatus, len(r.listeners))
	for i, l := range r.listeners {
		st, err := r.client.Status(l)
		all[i] = SubscriptionStatus{Name: subs[i].String(), Line: subs[i].Line, Status: st}
		if err != nil {
			all[i].Err = err.Error()
		}
	}
	return all
}
