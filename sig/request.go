package sig

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"sigalert/sig/internal/wire"
)

// A RequestFunc answers a request. It may wait, and run at the same time as
// others; ctx ends after 10 s, which is how long the requester waits, and when
// the connection ends. What it returns is made JSON; of an error the requester
// gets the text.
type RequestFunc func(ctx context.Context, method Name, params Data) (response any, err error)

// Request asks a sender of this router, at a server also a client's, and waits
// for its answer, at most 10 s. The error is ErrNotConnected where there is no
// such sender, ErrNoRequests where it takes none, ErrNoAnswer, ctx's, the
// handler's, or a *RemoteError with a client's refusal.
func (r *Router) Request(ctx context.Context, sender, method Name, params any) (Data, error) {
	r.mu.RLock()
	s := r.senders[sender.key()]
	if s == nil || !s.connected {
		r.mu.RUnlock()
		return Data{}, fmt.Errorf("sender %s: %w", sender, ErrNotConnected)
	}
	takes, handlers, client := s.requests != nil, s.handlers, s.client
	r.mu.RUnlock()
	if !takes {
		return Data{}, fmt.Errorf("sender %s: %w", sender, ErrNoRequests)
	}
	if client == nil {
		ctx, cancel := requestContext(ctx)
		defer cancel()
		return answer(ctx, handlers, method, dataOf(params))
	}
	text, err := dataOf(params).wireText()
	if err != nil {
		return Data{}, err
	}
	response, err := client.peer.call(ctx, "request", appendAsked(sender, method, text))
	return received(response), err
}

var errLate = fmt.Errorf("%w within %s", ErrNoAnswer, answerTimeout)

// requestContext ends when the requester waits no longer.
func requestContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, answerTimeout, errLate)
}

// answer has a sender's handler answer.
func answer(ctx context.Context, handlers map[Name]RequestFunc, method Name, params Data) (Data, error) {
	h := handlers[method.key()]
	if h == nil {
		h = handlers[""]
	}
	if h == nil {
		return Data{}, exception("method %s not found", method)
	}
	response, err := h(ctx, method, params)
	return dataOf(response), err
}

// reply answers a request with what a handler returned.
func (r request) replyWith(response Data, err error) {
	var text []byte
	if err == nil {
		text, err = response.wireText()
	}
	r.reply(text, wireError(err))
}

// appendAsked writes the params of a "request".
func appendAsked(sender, method Name, params []byte) []byte {
	b := make([]byte, 0, 64+len(sender)+len(method)+len(params))
	b = sender.appendJSON(append(b, `{"sender": `...))
	b = method.appendJSON(append(b, `, "method": `...))
	b = append(b, `, "params": `...)
	b = appendOrNull(b, params)
	return append(b, '}')
}

// asked is what a "request" asks for.
func asked(object []byte) (sender, method Name, params []byte, ok bool) {
	for o := wire.ObjectOf(object); o.Next(); {
		switch string(o.Key) {
		case "sender":
			sender, _ = nameOf(o.Value)
		case "method":
			method, _ = nameOf(o.Value)
		case "params":
			params = o.Value
		}
	}
	return sender, method, params, !sender.IsEvery() && !method.IsEvery()
}

// request asks a sender for a client: one of this process, or of another
// client.
func (c *client) request(r request) {
	sender, method, params, ok := asked(r.params)
	if !ok {
		r.reply(nil, exception(textNoRequestName))
		return
	}
	router := &c.server.Router
	router.mu.RLock()
	s := router.senders[sender.key()]
	known, connected := s != nil, s != nil && s.connected
	var provider *client
	var handlers map[Name]RequestFunc
	takes := false
	if connected {
		takes, handlers, provider = s.requests != nil, s.handlers, s.client
	}
	router.mu.RUnlock()
	switch {
	case !known:
		r.reply(nil, exception("sender %s not found", sender))
		return
	case !connected:
		r.reply(nil, exception("Sender %s is not connected", sender))
		return
	case !takes:
		r.reply(nil, exception(textNoRequests))
		return
	}
	select {
	case c.asking <- struct{}{}:
	default:
		r.reply(nil, exception("%d requests are under way already", mostRequests))
		return
	}
	r = r.keep()
	if provider == nil {
		data := received(bytes.Clone(params))
		c.tasks.Go(func() {
			defer func() { <-c.asking }()
			ctx, cancel := requestContext(c.ctx)
			defer cancel()
			r.replyWith(answer(ctx, handlers, method, data))
		})
		return
	}
	forward := appendAsked(sender, method, params)
	if provider.peer.streaming.Load() && c.peer.streaming.Load() {
		c.forward(provider.peer, forward, r)
		return
	}
	c.tasks.Go(func() {
		defer func() { <-c.asking }()
		response, err := provider.peer.call(c.ctx, "request", forward)
		r.reply(response, forwarded(err))
	})
}

// forward passes a request on and its answer back, without a goroutine that
// waits.
func (c *client) forward(provider *peer, params []byte, r request) {
	end := func(response []byte, err error) {
		<-c.asking
		r.reply(response, forwarded(err))
	}
	var id atomic.Uint64
	late := time.AfterFunc(answerTimeout, func() {
		if provider.forget(id.Load()) {
			end(nil, ErrNoAnswer)
		}
	})
	n, err := provider.start("request", params, func(response []byte, err error) {
		late.Stop()
		end(response, err)
	})
	id.Store(n)
	if err != nil {
		late.Stop()
		end(nil, err)
	}
}

// forwarded says for the requester why there is no answer.
func forwarded(err error) error {
	switch {
	case errors.Is(err, ErrNoAnswer):
		return exception("the sender did not answer within %s", answerTimeout)
	case errors.Is(err, ErrNotConnected):
		return exception("the sender's connection ended before it answered")
	}
	return wireError(err)
}
