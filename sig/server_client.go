package sig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"

	"sigalert/sig/internal/wire"
)

// client is one client of a ServerRouter. The goroutine that reads from it
// owns senders and listeners.
type client struct {
	server *ServerRouter
	peer   *peer
	log    *slog.Logger
	queue  *queue[delivery]

	senders   map[Name]*Sender   // by key
	listeners map[Name]*Listener // by id
}

// delivery is one signal on its way to a client.
type delivery struct {
	listener *Listener
	id       uint64
	event    Event
}

func (d delivery) size() int { return d.event.size() }

func newClient(s *ServerRouter, conn Conn, log *slog.Logger) *client {
	c := &client{
		server:    s,
		peer:      newPeer(conn),
		log:       log,
		queue:     newQueue[delivery](s.queue),
		senders:   make(map[Name]*Sender),
		listeners: make(map[Name]*Listener),
	}
	c.peer.handle = c.handle
	strays := 0
	c.peer.stray = func(text []byte) error {
		if strays++; rare(strays) {
			log.Warn("ignored what is no message", "text", wire.Excerpt(text), "count", strays)
		}
		return nil
	}
	return c
}

// rare is true less and less often as n counts up, so that what a peer does a
// million times makes twenty lines.
func rare(n int) bool { return n&(n-1) == 0 }

// leave takes the client's listeners and senders off the router: in this
// order, so that it is not told of its own going.
func (c *client) leave() {
	for _, l := range c.listeners {
		_ = c.server.RemoveListener(l) // one that was dropped is gone already
	}
	for _, s := range c.senders {
		_ = c.server.RemoveSender(s)
	}
}

// deliver sends what is queued, one signal at a time, each after the answer
// to the one before.
func (c *client) deliver(ctx context.Context) {
	for {
		d, ok := c.queue.pop(ctx)
		if !ok {
			return
		}
		if d.listener.removed.Load() {
			continue
		}
		if err := c.send(ctx, d); err != nil && ctx.Err() == nil {
			if !errors.As(err, new(*RemoteError)) { // a refusal is an answer
				c.server.dropped.Add(1)
			}
			c.log.Warn("a signal was not delivered", "sender", d.event.Sender, "event", d.event.Event, "err", err)
		}
	}
}

func (c *client) send(ctx context.Context, d delivery) error {
	data := d.event.Data.text
	b := append(make([]byte, 0, 128+len(data)), `{"info": `...)
	b = appendInfo(b, d.event.Sender, d.event.Event)
	b = append(b, `, "listener_id": `...)
	b = strconv.AppendUint(b, d.id, 10)
	b = append(b, `, "data": `...)
	b = append(b, data...)
	_, err := c.peer.call(ctx, "signal", append(b, '}'))
	return err
}

func (c *client) handle(method string, params []byte) ([]byte, error) {
	response, err := c.dispatch(method, params)
	if err != nil {
		return nil, wireError(err)
	}
	return response, nil
}

func (c *client) dispatch(method string, params []byte) ([]byte, error) {
	if method == "get_version" {
		return wire.AppendString(nil, Version), nil
	}
	if !missing(params) && params[0] != '{' {
		return nil, notObject("params", params)
	}
	switch method {
	case "list_senders":
		return c.listSenders(params)
	case "add_sender":
		return nil, c.addSender(params)
	case "remove_sender":
		return nil, c.removeSender(params)
	case "add_listener":
		return c.addListener(params)
	case "remove_listener":
		return nil, c.removeListener(params)
	case "signal":
		return nil, c.signal(params)
	case "request":
		return nil, c.request(params)
	}
	return nil, unknownMethod()
}

func (c *client) addSender(params []byte) error {
	events := member(params, "events")
	if missing(member(params, "sender")) || missing(events) {
		return errInvalid
	}
	name, err := ParseName(member(params, "sender"))
	if err != nil {
		return err
	}
	offered, err := parseNames(events)
	if err != nil {
		return err
	}
	var requests []Name
	if text := member(params, "requests"); !missing(text) {
		if requests, err = parseNames(text); err != nil {
			return err
		}
	}
	s, err := c.server.addSender(name, offered, requests)
	if errors.Is(err, ErrAlreadyConnected) {
		return exception("%s", textConnected(name))
	}
	if s != nil {
		c.senders[name.key()] = s
	}
	return err
}

// parseNames reads a list of names; a lone name is a list of one.
func parseNames(text []byte) (names []Name, err error) {
	names = []Name{}
	add := func(text []byte) {
		n, e := ParseName(text)
		if e != nil {
			err = e
		} else if !n.IsEvery() {
			names = append(names, n)
		}
	}
	if !wire.Elements(text, add) {
		add(text)
	}
	return names, err
}

func (c *client) removeSender(params []byte) error {
	name, ok := nameOf(member(params, "sender"))
	if !ok {
		return errInvalid
	}
	s := c.senders[name.key()]
	if s == nil {
		if c.server.Sender(name) != nil {
			return belongsToAnother(name)
		}
		return exception("sender %s not found", name)
	}
	delete(c.senders, name.key())
	return c.server.RemoveSender(s)
}

func (c *client) addListener(params []byte) ([]byte, error) {
	sender, err := listenedTo(member(params, "sender"))
	if err != nil {
		return nil, err
	}
	event, err := listenedTo(member(params, "event"))
	if err != nil {
		return nil, err
	}
	id := c.server.lastListener.Add(1)
	l := &Listener{sender: sender, event: event, remote: true}
	l.fn = func(ev Event) {
		if n := c.queue.push(delivery{l, id, ev}); n > 0 {
			c.server.dropped.Add(uint64(n))
			if all := c.queue.drops(); rare(int(all)) {
				c.log.Warn("the client is slow: signals were dropped", "count", all)
			}
		}
	}
	if err := c.server.addListener(l); err != nil {
		return nil, err
	}
	idText := strconv.AppendUint(nil, id, 10)
	c.listeners[Name("\x00"+string(idText))] = l
	return append(append([]byte(`{"listener_id": `), idText...), '}'), nil
}

func listenedTo(text []byte) (Name, error) {
	if missing(text) {
		return "", nil
	}
	return ParseName(text)
}

func (c *client) removeListener(params []byte) error {
	text := member(params, "listener_id")
	if missing(text) {
		return errInvalid
	}
	id, _ := nameOf(text)
	l := c.listeners[id.key()]
	if l == nil {
		return exception(textNoListener)
	}
	delete(c.listeners, id.key())
	if c.server.RemoveListener(l) != nil {
		return exception(textNotRemoved)
	}
	return nil
}

func (c *client) signal(params []byte) error {
	info := member(params, "info")
	if missing(info) {
		return exception(textNoInfo)
	}
	if info[0] != '{' {
		return notObject("info", info)
	}
	sender := member(info, "sender")
	if missing(sender) {
		return exception(textNoSender)
	}
	name, err := ParseName(sender)
	if err != nil {
		return err
	}
	s, err := c.mySender(name)
	if err != nil {
		return err
	}
	event, err := listenedTo(member(info, "event"))
	if err != nil {
		return err
	}
	sg, err := s.Signal(event)
	if err != nil {
		return exception("sender %s does not offer %s", name, event)
	}
	var data Data
	if text := member(params, "data"); text != nil {
		data = JSONData(bytes.Clone(text)) // the router's listeners keep it
	}
	return sg.Trigger(data)
}

func (c *client) mySender(name Name) (*Sender, error) {
	if s := c.senders[name.key()]; s != nil {
		return s, nil
	}
	known, connected := c.server.knows(name)
	switch {
	case connected:
		return nil, belongsToAnother(name)
	case known:
		return nil, exception("sender %s not connected", name)
	}
	return nil, exception("sender %s not found", name)
}

// knows tells whether the router has heard of a sender, and whether it is
// connected: pysig's refusals differ.
func (r *Router) knows(name Name) (known, connected bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s := r.senders[name.key()]
	return s != nil, s != nil && s.connected
}

func (c *client) request(params []byte) error {
	sender, ok := nameOf(member(params, "sender"))
	if !ok || missing(member(params, "method")) {
		return exception(textNoRequestName)
	}
	switch known, connected := c.server.knows(sender); {
	case connected:
		return exception(textNoRequests)
	case known:
		return exception("Sender %s is not connected", sender)
	}
	return exception("sender %s not found", sender)
}

func (c *client) listSenders(params []byte) ([]byte, error) {
	want := member(params, "list_events")
	withEvents := !missing(want) && string(want) != "false" && string(want) != "0"
	return json.Marshal(c.server.list(withEvents))
}
