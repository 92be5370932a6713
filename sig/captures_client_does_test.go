package sig_test

import (
	"context"
	"fmt"
	"slices"

	"sigalert/sig"
)

// do makes our client do what the recorded one did when it sent m.
func (r *clientReplay) do(m message) {
	r.Helper()
	params := m.object("params")
	w := &waiting{result: make(chan result, 1)}
	r.waiting[m.id()] = w
	method, _ := m.members["method"].(string)
	wanted := canonical(m.members["params"])
	inBackground := func(f func(context.Context) (any, error)) {
		go func() {
			value, err := f(r.Context())
			w.result <- result{value, err}
		}()
	}
	name := func(v any) sig.Name { return r.name(v) }
	switch method {
	case "get_version":
		r.client.Reconnect()
		w.result <- result{}
	case "list_senders":
		events, _ := params["list_events"].(bool)
		wanted = fmt.Sprintf(`{"list_events": %t}`, events)
		inBackground(func(ctx context.Context) (any, error) {
			all, err := r.client.Senders(ctx, events)
			return recordedSenders(all), err
		})
	case "add_listener":
		w.listener = r.listener(name(params["sender"]), name(params["event"]))
		w.result <- result{}
		if wanted = w.listener.key; r.subscriptions[wanted] != nil {
			return
		}
	case "remove_listener":
		i := slices.IndexFunc(r.listeners, func(l *replayListener) bool {
			return !l.removed && l.recorded == canonical(params["listener_id"])
		})
		l := r.listeners[i]
		r.client.RemoveRemoteListener(l.RemoteListener)
		l.removed = true
		w.result <- result{}
		if r.primary(l.key) != nil {
			return
		}
		wanted = `{"listener_id": ` + r.subscriptions[l.key].id + `}`
		delete(r.subscriptions, l.key)
		delete(r.registered, "add_listener"+l.key)
	case "add_sender":
		var events []sig.Name
		for _, e := range params["events"].([]any) {
			events = append(events, name(e))
		}
		w.sender = canonical(params["sender"])
		inBackground(r.addSender(name(params["sender"]), events, params["requests"]))
	case "remove_sender":
		s := r.senders[canonical(params["sender"])]
		inBackground(func(ctx context.Context) (any, error) { return nil, r.client.RemoveRemoteSender(ctx, s) })
	case "signal":
		info := m.object("params")["info"].(map[string]any)
		s, data := r.senders[canonical(info["sender"])], sig.JSONData([]byte(canonical(params["data"])))
		inBackground(func(ctx context.Context) (any, error) { return nil, s.Trigger(ctx, name(info["event"]), data) })
	case "request":
		inBackground(r.remoteRequest(name(params["sender"]), name(params["method"]), sig.JSONData([]byte(canonical(params["params"])))))
	default:
		r.Fatalf("our client has no way to send %s", m.text)
	}
	req := r.await(method, wanted)
	w.from, w.id = req.from, req.id()
}

func (r *clientReplay) name(v any) sig.Name {
	r.Helper()
	n, err := sig.ParseName([]byte(canonical(v)))
	if err != nil {
		r.Fatal(err)
	}
	return n
}

// listener adds a listener. After a reconnect it is already there.
func (r *clientReplay) listener(sender, event sig.Name) *replayListener {
	if r.isBack {
		for _, l := range r.listeners {
			if l.Sender.Equal(sender) && l.Event.Equal(event) {
				return l
			}
		}
	}
	return r.addListener(sender, event)
}

func (r *clientReplay) addListener(sender, event sig.Name) *replayListener {
	l := new(replayListener)
	l.RemoteListener = r.client.AddRemoteListener(sender, event, func(ev sig.Event) {
		text := "not JSON"
		if data, err := ev.Data.JSON(); err == nil {
			m, _ := parse(fmt.Appendf(nil, `{"sender": %s, "event": %s, "data": %s}`, ev.Sender.JSON(), ev.Event.JSON(), data))
			text = m.String()
		}
		l.mu.Lock()
		l.heard = append(l.heard, text)
		l.mu.Unlock()
		if r.row.callback != nil {
			r.row.callback(r)
		}
	})
	if sender.IsEvery() && !event.IsChannel() {
		event = "" // pysig's server never fires this: our client picks it out itself
	}
	m, _ := parse(fmt.Appendf(nil, `{"sender": %s, "event": %s}`, sender.JSON(), event.JSON()))
	l.key = m.String()
	r.listeners = append(r.listeners, l)
	return l
}

// primary is the first of the listeners that share a subscription.
func (r *clientReplay) primary(key string) *replayListener {
	for _, l := range r.listeners {
		if l.key == key && !l.removed {
			return l
		}
	}
	return nil
}

// addSender adds a sender to our client, with the requests that the recorded
// one answered.
func (r *clientReplay) addSender(name sig.Name, events []sig.Name, requests any) func(context.Context) (any, error) {
	o := sig.SenderOptions{Events: events}
	if methods, ok := requests.([]any); ok {
		o.Requests = make(map[sig.Name]sig.RequestFunc)
		for _, m := range methods {
			o.Requests[r.name(m)] = handlers[r.name(m)]
		}
	}
	return func(ctx context.Context) (any, error) { return r.client.AddRemoteSenderWith(ctx, name, o) }
}

func (r *clientReplay) remoteRequest(sender, method sig.Name, params sig.Data) func(context.Context) (any, error) {
	return func(ctx context.Context) (any, error) {
		data, err := r.client.RemoteRequest(ctx, sender, method, params)
		if err != nil {
			return nil, err
		}
		return data.JSON()
	}
}

// recordedSenders spells senders as the recordings have them.
func recordedSenders(all []sig.SenderStatus) (list []map[string]any) {
	for _, st := range all {
		sender := map[string]any{"connected": st.Connected, "sender": st.Sender}
		if st.Events != nil {
			events := []any{}
			for _, e := range st.Events {
				events = append(events, map[string]any{"event": e})
			}
			sender["events"] = events
		}
		list = append(list, sender)
	}
	return list
}
