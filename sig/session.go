package sig

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig/internal/wire"
)

const textListeners = "a client may have at most %d listeners"

const (
	maxCached      = 1000    // signals of a client that are remembered by their text
	maxCachedBytes = 1000    // the longest such text
	maxOffered     = 100_000 // events, of all senders of a client
	maxDropped     = 64      // listeners that were dropped, and whose ids are kept
	maxRequests    = 256     // of a client, under way at once
	maxOwed        = 4096    // answers that wait for the store; then nothing more is read
)

// session is one client's connection to a ServerRouter.
type session struct {
	server   *ServerRouter
	peer     *peer
	log      *slog.Logger
	out      outgoing
	guest    atomic.Bool    // it speaks another protocol
	speaks   atomic.Bool    // it speaks ours
	handling atomic.Bool    // the reading goroutine does what the client asks
	taken    atomic.Uint64  // events that came from it
	handed   atomic.Uint64  // events that went to it
	missed   atomic.Uint64  // events that should have
	gone     chan struct{}  // closed once it has left the router
	tasks    sync.WaitGroup // its requests that are under way
	ctx      context.Context
	asking   chan struct{} // a token for each of those
	owed     chan struct{} // a token for each answer that waits for the store

	// The reading goroutine's.
	spoke     bool          // it has sent a request
	shown     time.Duration // the server's age when it was last shown that the server lives, while it is slowed down
	faults    int           // events that were refused without an answer
	cut       int           // lists that were too long
	identity  string
	agreed    []Name               // features
	rights    Rights               // they do not change once there are listeners; nil: all of them
	endRights func()               // ends the wait for their end; nil: there is none
	offered   int                  // events, of all its senders
	senders   map[Name]*Sender     // by key
	signals   map[string]signalled // of its senders, by the text that names them

	overtaken int // how often events were forgotten before it got them; the delivering goroutine's

	inheriting sync.Mutex // held while a sender is added, or those inherited are removed

	// The server's guard guards the fields below.
	id        uint64
	place     *place
	account   *account  // the reading goroutine writes it, and may read it at any time
	left      bool      // it has left the router, or is about to
	heir      *session  // the one that came back under its identity
	inherited []*Sender // from the one before, not added again yet

	// The router's mutex guards the fields below.
	listeners map[uint64]*Listener
	dropped   int           // how many of these the router has dropped
	replayed  uint64        // events up to this number are replayed
	index     listenerIndex // of listeners, for catching up; nil: to be made
}

func newSession(ctx context.Context, s *ServerRouter, conn Conn, log *slog.Logger) *session {
	c := &session{
		server:    s,
		peer:      newPeer(conn),
		account:   new(account),
		log:       log,
		gone:      make(chan struct{}),
		ctx:       ctx,
		asking:    make(chan struct{}, maxRequests),
		owed:      make(chan struct{}, maxOwed),
		senders:   make(map[Name]*Sender),
		listeners: make(map[uint64]*Listener),
	}
	c.out = outgoing{limit: s.opts.Queue, server: s, ready: wait.NewToken(), room: wait.NewToken()}
	c.peer.handle = c.handle
	strays := 0
	c.peer.stray = func(text []byte) error {
		if strays++; rare(strays) {
			log.Warn("ignored input that is not a message", "text", wire.Excerpt(text), "count", strays)
		}
		return nil
	}
	return c
}

func (c *session) handle(r request) {
	c.out.wait(c.ctx)
	c.handling.Store(true)
	defer c.handling.Store(false)
	if c.server.accepting.Err() != nil {
		return // the connection is about to end
	}
	first := !c.spoke
	if first {
		c.spoke = true
		c.admit(r)
	}
	if string(r.method) == "signal" {
		if err := c.maySend(); err != nil {
			c.refused(r, err)
			return
		}
		sg, seq, err := c.signal(r.params)
		if err == nil && !c.peer.streaming.Load() && c.slowsDown(sg, r, seq) {
			return
		}
		if err != nil {
			c.refused(r, err)
			return
		}
		c.answerKept(r, seq, nil)
		return
	}
	if !missing(r.params) && r.params[0] != '{' && string(r.method) != "get_version" {
		r.reply(nil, notObject("params", r.params))
		return
	}
	switch string(r.method) {
	case "get_version":
		c.greet(r, first)
	case "subscribe":
		if !slices.Contains(c.agreed, featureReplay) {
			r.reply(nil, unknownMethod())
			return
		}
		c.subscribe(r)
	case "request":
		c.request(r)
	case "publish":
		c.publish(r)
	case "list_senders":
		response, err := c.listSenders(r)
		r.reply(response, err)
	default:
		response, err := c.dispatch(string(r.method), r.params)
		r.reply(response, wireError(err))
	}
}

// refused answers for an event that was refused, or logs it if there is no answer.
func (c *session) refused(r request, err error) {
	if !r.wantsReply() {
		if c.faults++; rare(c.faults) {
			c.log.Warn("an event was refused", "err", err, "count", c.faults)
		}
	}
	r.reply(nil, wireError(err))
}

func (c *session) dispatch(method string, params []byte) ([]byte, error) {
	switch method {
	case "add_sender":
		return nil, c.addSender(params)
	case "remove_sender":
		return nil, c.removeSender(params)
	case "add_listener":
		return c.addListener(params)
	case "remove_listener":
		return nil, c.removeListener(params)
	case "ping":
		if c.peer.streaming.Load() {
			return fmt.Appendf(nil, `{"seq":%d}`, c.position()), nil
		}
	}
	return nil, unknownMethod()
}

// greet answers get_version. A client that asks for features with its first
// message gets them.
func (c *session) greet(r request, first bool) {
	features := member(r.params, "features")
	if features == nil {
		r.reply(wire.AppendString(nil, Version), nil)
		return
	}
	if n, ok := c.rights.(nobody); ok {
		r.reply(nil, n.why)
		return
	}
	if id, ok := nameOf(member(r.params, "client")); ok && first {
		c.supersede(c.ownIdentity(string(id)))
	}
	begins := first && hasName(features, featureStream)
	if begins {
		c.agreed = []Name{featureStream}
		for _, feature := range []Name{featureReplay, featurePublish} {
			if hasName(features, feature) {
				c.agreed = append(c.agreed, feature)
			}
		}
	}
	s := c.server
	s.mu.RLock()
	epoch, seq := s.journal.epoch, s.journal.last
	s.mu.RUnlock()
	b := wire.AppendString([]byte(`{"version": `), Version)
	b = wire.AppendASCII(append(b, `, "server": `...), s.opts.Name)
	b = appendNames(append(b, `, "features": `...), c.agreed)
	b = wire.AppendString(append(b, `, "epoch": `...), epoch)
	b = strconv.AppendUint(append(b, `, "seq": `...), seq, 10)
	r.reply(append(b, '}'), nil)
	if begins {
		c.peer.stream(c.out.push)
	}
}

func (c *session) addSender(params []byte) error {
	name, offered, requests, err := parseSender(params)
	if err != nil {
		return err
	}
	if err := c.allow(ToConnect, name, ""); err != nil {
		return err
	}
	limits := c.server.limits.Load()
	switch {
	case c.mine(name) != nil:
		return errConnected(name)
	case len(c.senders) >= limits.Senders:
		return c.server.tooMany(overSenders, "a client may have at most %d senders", limits.Senders)
	case c.offered+len(offered) > maxOffered:
		return c.server.tooMany(overOffered, "a client may offer at most %d events", maxOffered)
	}
	if err := c.server.take(c.account, 2); err != nil { // its #connect, and in time its #disconnect
		return err
	}
	c.inheriting.Lock()
	defer c.inheriting.Unlock()
	c.claim(name)
	s, err := c.server.addSender(name, offered, requests, owner{session: c})
	if errors.Is(err, ErrAlreadyConnected) {
		return errConnected(name)
	}
	if s == nil {
		return err
	}
	if err != nil { // its #connect cannot be sent: nobody could learn of it
		_ = c.server.removeSender(s, c)
		return err
	}
	c.senders[name.key()] = s
	c.offered += s.offeredCount()
	c.signals = nil
	return nil
}

// parseSender parses the params of add_sender. Requests are nil if it takes none.
func parseSender(params []byte) (name Name, offered, requests []Name, err error) {
	var sender, events, methods []byte
	for o := wire.ObjectOf(params); o.Next(); {
		switch string(o.Key) {
		case "sender":
			sender = o.Value
		case "events":
			events = o.Value
		case "requests":
			methods = o.Value
		}
	}
	if missing(sender) || missing(events) {
		return "", nil, nil, errInvalid
	}
	if name, err = ParseName(sender); err != nil {
		return "", nil, nil, err
	}
	offered, err = parseNames(events)
	if err == nil && !missing(methods) {
		requests, err = parseNames(methods)
	}
	return name, withoutEvery(offered), requests, err
}

// parseNames reads a list of names; a lone name is a list of one.
func parseNames(text []byte) (names []Name, err error) {
	names = []Name{}
	a, isArray := wire.ArrayOf(text)
	if !isArray {
		n, err := ParseName(text)
		return append(names, n), err
	}
	for a.Next() {
		n, e := ParseName(a.Value)
		if e != nil {
			err = e
		}
		names = append(names, n)
	}
	return names, err
}

func withoutEvery(names []Name) []Name {
	kept := names[:0]
	for _, n := range names {
		if !n.IsEvery() {
			kept = append(kept, n)
		}
	}
	return kept
}

func (c *session) removeSender(params []byte) error {
	name, ok := nameOf(member(params, "sender"))
	if !ok {
		return errInvalid
	}
	if err := c.allow(ToConnect, name, ""); err != nil {
		return err
	}
	s := c.mine(name)
	if s == nil {
		if c.server.Sender(name) != nil {
			return belongsToAnother(name)
		}
		return errNotFound(name)
	}
	delete(c.senders, name.key())
	c.offered -= s.offeredCount()
	c.signals = nil
	return c.server.removeSender(s, c)
}

func (c *session) addListener(params []byte) ([]byte, error) {
	sender, event, err := listenedTo(params)
	if err != nil {
		return nil, err
	}
	if err := c.allow(ToListen, sender, event); err != nil {
		return nil, err
	}
	if err := c.mayListen(1); err != nil {
		return nil, err
	}
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &Listener{sender: sender, event: event, client: &clientListener{after: s.journal.last, keeps: !c.may(ToSee, sender, "")}}
	if err := c.listen(l); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `{"listener_id": %d}`, l.client.id), nil
}

// listen adds a listener; the caller holds the router's lock.
func (c *session) listen(l *Listener) error {
	s := c.server
	if c.dropped > maxDropped {
		c.forgetDropped()
	}
	switch limits := s.limits.Load(); {
	case len(c.listeners)-c.dropped >= limits.Listeners:
		return s.tooMany(overListeners, textListeners, limits.Listeners)
	case c.account.listeners >= limits.TokenListeners:
		return s.tooMany(overTokenListeners, "the clients of a token may have at most %d listeners", limits.TokenListeners)
	}
	l.client.session, l.client.id = c, s.lastListener.Add(1)
	if err := s.addListener(l); err != nil {
		return err
	}
	c.listeners[l.client.id] = l
	c.index = nil
	return nil
}

// forgetDropped forgets the dropped listeners that no more events are on their
// way to.
func (c *session) forgetDropped() {
	pos := c.queued()
	c.dropped = 0
	maps.DeleteFunc(c.listeners, func(_ uint64, l *Listener) bool {
		if !l.removed.Load() {
			return false
		}
		if l.client.until > pos {
			c.dropped++
			return false
		}
		return true
	})
}

// listenedTo returns what an object names to listen to.
func listenedTo(object []byte) (sender, event Name, err error) {
	for o := wire.ObjectOf(object); o.Next() && err == nil; {
		switch string(o.Key) {
		case "sender":
			sender, err = everyOr(o.Value)
		case "event":
			event, err = everyOr(o.Value)
		}
	}
	return sender, event, err
}

func everyOr(text []byte) (Name, error) {
	if missing(text) {
		return "", nil
	}
	return ParseName(text)
}

func (c *session) removeListener(params []byte) error {
	text := member(params, "listener_id")
	if missing(text) {
		return errInvalid
	}
	id, _ := message{id: text}.replyID()
	s := c.server
	s.mu.Lock()
	defer s.mu.Unlock()
	l := c.listeners[id]
	if l == nil {
		return exception(textNoListener)
	}
	delete(c.listeners, id)
	c.index = nil
	if s.removeListener(l) != nil {
		c.dropped--
		return exception(textNotRemoved)
	}
	return nil
}

// listSenders answers with a page if the client asks for one, and otherwise with
// as much of the list as fits into a message.
func (c *session) listSenders(r request) ([]byte, error) {
	want, from := member(r.params, "list_events"), member(r.params, "from")
	withEvents := !missing(want) && string(want) != "false" && string(want) != "0"
	if number, ok := unsigned(from); ok {
		l, next := c.server.page(c, withEvents, number)
		return fmt.Appendf(nil, `{"senders": [%s], "next": %d}`, l.text, next), nil
	}
	const around = 64 // bytes of the answer besides the list and the id
	room := pysigReads - around - len(r.id)
	if c.peer.streaming.Load() {
		room = maxPage
	}
	l := c.server.list(c, withEvents, room)
	if l.leftOut > 0 {
		if c.cut++; rare(c.cut) {
			c.log.Warn("a list of senders was too long for the client", "left_out", l.leftOut, "count", c.cut)
		}
	}
	return fmt.Appendf(nil, "[%s]", l.text), nil
}
