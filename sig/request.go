package sig

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"sigalert/sig/internal/wire"
)

// A RequestFunc answers a request. It may block, and may run at the same time
// as others; ctx ends after 10 s, which is how long the requester waits, or
// when the connection ends. What it returns is encoded as JSON; of an error,
// the requester gets the text.
type RequestFunc func(ctx context.Context, method Name, params Data) (response any, err error)

// Request sends a request to a sender of this router (at a server, to a
// client's too) and waits at most 10 s for its answer. The error is
// ErrNotConnected if there is no such sender, ErrNoRequests if it takes none,
// ErrNoAnswer, ctx's, the handler's, or a *RemoteError with a client's refusal.
func (r *Router) Request(ctx context.Context, sender, method Name, params any) (Data, error) {
	p, err := r.provider(sender)
	switch {
	case errors.Is(err, ErrNoRequests):
		return Data{}, fmt.Errorf("sender %s: %w", sender, ErrNoRequests)
	case err != nil:
		return Data{}, fmt.Errorf("sender %s: %w", sender, ErrNotConnected)
	}
	if p.session == nil {
		ctx := newRequestContext(ctx)
		defer ctx.end()
		return answer(ctx, p.handlers, method, dataOf(params))
	}
	text, err := dataOf(params).wireText()
	if err != nil {
		return Data{}, err
	}
	response, err := p.session.peer.call(ctx, "request", appendAsked(sender, method, text))
	return received(response), err
}

// answer calls the handler for a method.
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

// replyWith answers a request with what a handler returned.
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

// asked parses the params of a "request".
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

// provider is what answers a sender's requests: this process or a client.
type provider struct {
	handlers map[Name]RequestFunc
	session  *session
}

// provider finds what answers a sender's requests; the error is one for a
// client.
func (r *Router) provider(sender Name) (provider, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	switch s := r.senders[sender.key()]; {
	case s == nil:
		return provider{}, errNotFound(sender)
	case !s.connected:
		return provider{}, coded(codeNone, "Sender %s is"+textNotConnected, sender)
	case s.requests == nil:
		return provider{}, coded(codeNoRequests, textNoRequests)
	default:
		return provider{s.handlers, s.session}, nil
	}
}

// request passes a client's request on to a sender, of this process or of
// another client.
func (c *session) request(r request) {
	sender, method, params, ok := asked(r.params)
	if !ok {
		r.reply(nil, exception(textNoRequestName))
		return
	}
	if err := c.allow(ToAsk, sender, ""); err != nil {
		r.reply(nil, err)
		return
	}
	p, err := c.server.provider(sender)
	if err != nil {
		r.reply(nil, err)
		return
	}
	select {
	case c.asking <- struct{}{}:
	default:
		r.reply(nil, c.server.tooMany(overRequests, "%d requests are already under way", maxRequests))
		return
	}
	r = r.keep()
	if p.session != nil && p.session.peer.streaming.Load() && c.peer.streaming.Load() {
		c.forward(p.session.peer, appendAsked(sender, method, params), r)
		return
	}
	data := received(bytes.Clone(params))
	c.tasks.Go(func() {
		defer func() { <-c.asking }()
		ctx := newRequestContext(c.ctx)
		defer ctx.end()
		if p.session == nil {
			r.replyWith(answer(ctx, p.handlers, method, data))
			return
		}
		response, err := p.session.peer.call(ctx, "request", appendAsked(sender, method, data.text))
		r.reply(response, forwarded(err))
	})
}

// forward passes a request on and its answer back, without a goroutine that
// waits.
func (c *session) forward(to *peer, params []byte, r request) {
	end := func(response []byte, err error) {
		<-c.asking
		r.reply(response, forwarded(err))
	}
	_, err := to.start(c.ctx, "request", params, end)
	if err != nil {
		end(nil, err)
	}
}

// forwarded explains to the requester why there is no answer.
func forwarded(err error) error {
	refusal := new(RemoteError)
	switch {
	case errors.As(err, &refusal): // its code would be the router's word
		return &RemoteError{Status: refusal.Status, Text: refusal.Text}
	case errors.Is(err, ErrNoAnswer):
		return coded(codeNoAnswer, "the sender did not answer within %s", answerTimeout)
	case errors.Is(err, ErrNotConnected):
		return coded(codeNone, "the sender's connection ended before it answered")
	case errors.Is(err, errBusy):
		return exception("the sender does not keep up with its requests")
	}
	return wireError(err)
}
