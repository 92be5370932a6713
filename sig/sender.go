package sig

import (
	"errors"
	"fmt"
	"slices"
)

// Sender triggers events. It was added by this process or, at a ServerRouter,
// by a client.
type Sender struct {
	router    *Router
	name      Name
	place     int    // in the router's order
	number    uint64 // of its coming
	connected bool
	leaving   bool // its #disconnect is under way
	offered   []Name
	requests  []Name               // nil: it takes no requests
	handlers  map[Name]RequestFunc // by key; of a sender of this process
	remote    *RemoteSender        // it is registered with a client's server, too; nil: it is not
	session   *session             // the client it belongs to; nil: this process
	signals   map[Name]*Signal     // by key: offered, or waited for
	broadcast *Signal
}

// SenderOptions are what a sender offers.
type SenderOptions struct {
	// Events are the events that it may trigger. #connect and #disconnect are
	// always among them. Default: none.
	Events []Name
	// Requests are the requests that it answers, by method; the zero Name is
	// for all other methods. Default: it answers none.
	Requests map[Name]RequestFunc
}

func (o SenderOptions) methods() []Name {
	if o.Requests == nil {
		return nil
	}
	methods := make([]Name, 0, len(o.Requests))
	for m := range o.Requests {
		methods = append(methods, m)
	}
	slices.Sort(methods)
	return methods
}

// AddSender connects a sender that offers these events, and triggers its
// #connect. #connect and #disconnect are always among its events. The error is
// ErrAlreadyConnected if the name is taken.
//
// Listeners that wait for an event that is not among these are dropped for
// good, as pysig drops them; those that wait for one that is offered are kept.
func (r *Router) AddSender(name Name, events ...Name) (*Sender, error) {
	return r.AddSenderWith(name, SenderOptions{Events: events})
}

// AddSenderWith is [Router.AddSender] for a sender that also answers requests.
func (r *Router) AddSenderWith(name Name, o SenderOptions) (*Sender, error) {
	return r.addSender(name, o.Events, o.methods(), owner{handlers: handlersByKey(o.Requests)})
}

func handlersByKey(requests map[Name]RequestFunc) map[Name]RequestFunc {
	handlers := make(map[Name]RequestFunc, len(requests))
	for method, h := range requests {
		handlers[method.key()] = h
	}
	return handlers
}

// owner is what a sender belongs to: this process, which has the handlers, or a
// client.
type owner struct {
	handlers map[Name]RequestFunc // by key
	remote   *RemoteSender        // of this process, and registered with a server
	session  *session             // nil: this process
}

func (r *Router) addSender(name Name, events, requests []Name, o owner) (*Sender, error) {
	if name.IsEvery() {
		return nil, errors.New("a sender needs a name")
	}
	for _, n := range append([]Name{name}, events...) {
		if err := n.check(); err != nil {
			return nil, err
		}
	}
	r.mu.Lock()
	s := r.obtain(name)
	if s.connected && (o.session == nil || s.session != o.session) { // a client may add one that it inherited
		r.mu.Unlock()
		return nil, fmt.Errorf("sender %s: %w", name, ErrAlreadyConnected)
	}
	if !s.connected {
		r.present++
	}
	s.connected, s.leaving, s.requests = true, false, requests
	s.handlers, s.remote, s.session = o.handlers, o.remote, o.session
	s.offer(events)
	connect := s.signal(EventConnect)
	info := s.info()
	r.changed()
	r.mu.Unlock()
	if o.remote != nil { // its server has triggered one of its own
		_, _ = connect.hear(Data{value: info}, nil)
		return s, nil
	}
	return s, connect.Trigger(info)
}

// offer makes these events the ones that the sender offers; the caller holds
// the lock.
func (s *Sender) offer(events []Name) {
	for _, sg := range s.signals {
		sg.offered = isBuiltIn(sg.name)
	}
	s.offered = nil
	for _, e := range events {
		if sg := s.own(e); !e.IsEvery() && !sg.offered {
			sg.offered = true
			s.offered = append(s.offered, e)
		}
	}
	for _, sg := range s.signals {
		if sg.offered {
			continue
		}
		sg.listeners = slices.DeleteFunc(sg.listeners, func(l *Listener) bool {
			if !l.keeps() {
				s.router.drop(l)
			}
			return !l.keeps()
		})
		s.tidy(sg)
	}
}

// mayOffer reports whether there may be events of a signal, which may be nil; a
// sender that is not here, or is leaving, may come back with any.
func (s *Sender) mayOffer(sg *Signal) bool {
	return !s.connected || s.leaving || sg != nil && (sg.offered || sg == s.broadcast)
}

// tidy forgets a signal that is neither offered nor waited for.
func (s *Sender) tidy(sg *Signal) {
	if len(sg.listeners) == 0 && !sg.offered && sg != s.broadcast && !isBuiltIn(sg.name) {
		delete(s.signals, sg.name.key())
		sg.route.Store(nil)
	}
}

// own returns the sender's signal of this name, and makes it if need be.
func (s *Sender) own(event Name) *Signal {
	sg := s.signal(event)
	if sg == nil {
		sg = &Signal{sender: s, name: event, offered: isBuiltIn(event)}
		s.signals[event.key()] = sg
	}
	return sg
}

func (s *Sender) signal(event Name) *Signal {
	if event.IsEvery() {
		return s.broadcast
	}
	return s.signals[event.key()]
}

// waitedFor reports whether any listener names this sender.
func (s *Sender) waitedFor() bool {
	if len(s.broadcast.listeners) > 0 {
		return true
	}
	for _, sg := range s.signals {
		if len(sg.listeners) > 0 {
			return true
		}
	}
	return false
}

// senderInfo is what a sender's #connect and #disconnect carry as data.
type senderInfo struct {
	Requests []Name `json:"requests"` // null: none; a null among them: any
	Events   []Name `json:"events"`   // #disconnect and #connect included
}

func (s *Sender) info() senderInfo {
	return senderInfo{
		Requests: s.requests,
		Events:   append(slices.Clone(s.offered), EventDisconnect, EventConnect),
	}
}

// RemoveSender triggers the sender's #disconnect and removes it from the
// router: anyone who hears of it finds the name free. Its listeners stay, in
// case it comes back.
func (r *Router) RemoveSender(s *Sender) error {
	r.mu.RLock()
	owner := s.session
	r.mu.RUnlock()
	return r.removeSender(s, owner)
}

// removeSender removes a sender if it still belongs to this client or, if owner
// is nil, to this process.
func (r *Router) removeSender(s *Sender, owner *session) error {
	r.mu.Lock()
	if !s.connected || s.leaving || s.session != owner {
		r.mu.Unlock()
		return fmt.Errorf("sender %s: %w", s.name, ErrNotConnected)
	}
	s.leaving = true
	disconnect, intercept := s.signal(EventDisconnect), r.intercept
	ev := Event{Sender: s.name, Event: EventDisconnect, Data: Data{value: s.info()}}
	r.mu.Unlock()
	pass := true
	if intercept != nil {
		ev, pass = intercept(ev)
	}
	data, err := ev.Data.eventText()
	r.mu.Lock()
	rt := new(route)
	if pass {
		ev, rt = r.publishText(disconnect, ev, data, err == nil)
	}
	r.takeOff(s)
	r.mu.Unlock()
	rt.call(ev)
	return err
}

// takeOff must be called with the lock held.
func (r *Router) takeOff(s *Sender) {
	for _, e := range s.offered {
		sg := s.signal(e)
		sg.offered = false
		s.tidy(sg)
	}
	r.present--
	s.connected, s.offered, s.requests, s.handlers, s.remote, s.session = false, nil, nil, nil, nil, nil
	r.changed()
	r.forget(s)
}

// offeredCount counts the events that the sender offers, except #connect and
// #disconnect.
func (s *Sender) offeredCount() int {
	s.router.mu.RLock()
	defer s.router.mu.RUnlock()
	return len(s.offered)
}

// IsConnected reports whether the sender is there: it has been added, and not
// removed.
func (s *Sender) IsConnected() bool {
	s.router.mu.RLock()
	defer s.router.mu.RUnlock()
	return s.connected
}

// Events returns the events that the sender offers, without #connect and
// #disconnect.
func (s *Sender) Events() []Name {
	s.router.mu.RLock()
	defer s.router.mu.RUnlock()
	return slices.Clone(s.offered)
}

// Name returns the name that the sender was added with.
func (s *Sender) Name() Name { return s.name }

// Signal returns the sender's event of this name; the zero Name is its
// broadcast, which reaches those who listen to every event of the sender. The
// error is ErrNotOffered, or ErrNotConnected if the sender was removed.
func (s *Sender) Signal(event Name) (*Signal, error) {
	s.router.mu.RLock()
	defer s.router.mu.RUnlock()
	if !s.connected {
		return nil, fmt.Errorf("sender %s: %w", s.name, ErrNotConnected)
	}
	if sg := s.signal(event); sg != nil && s.mayOffer(sg) {
		return sg, nil
	}
	return nil, fmt.Errorf("sender %s, event %s: %w", s.name, event, ErrNotOffered)
}

// Trigger is [Signal.Trigger] by the event's name.
func (s *Sender) Trigger(event Name, data any) error {
	sg, err := s.Signal(event)
	if err != nil {
		return err
	}
	return sg.Trigger(data)
}

// AddListener is [Router.AddListener] for this sender.
func (s *Sender) AddListener(event Name, fn func(Event)) (*Listener, error) {
	return s.router.AddListener(s.name, event, fn)
}
