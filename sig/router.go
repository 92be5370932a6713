package sig

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Router brings events from senders to listeners within this process. The
// zero Router is ready to use. All its methods may be called at any time, by
// any goroutine, listeners included.
type Router struct {
	mu sync.RWMutex // guards the fields below, and those of senders and signals

	// By key. A sender that is not connected is here while listeners wait
	// for it.
	senders map[Name]*Sender
	order   []*Sender // as they came

	// Listener slices are replaced, never changed, so that a trigger can walk
	// them without the lock.
	every    []*Listener          // every event of every sender
	channels map[Name][]*Listener // by the event's key: from any sender
}

// NewRouter returns a router without senders and listeners.
func NewRouter() *Router { return &Router{} }

// Sender triggers events. It is one that this process added, or, at a
// ServerRouter, one that a client added.
type Sender struct {
	router    *Router
	name      Name
	connected bool
	leaving   bool // its #disconnect is under way
	offered   []Name
	requests  []Name           // nil: it takes no requests
	signals   map[Name]*Signal // by key: offered, or waited for
	broadcast *Signal
}

// Signal is one event of one sender, ready to be triggered.
type Signal struct {
	sender    *Sender
	name      Name
	listeners []*Listener
}

// Listener is one registration of a callback.
type Listener struct {
	sender, event Name
	fn            func(Event)
	remote        bool // fn wants the data as text: it outlives the trigger
	removed       atomic.Bool
}

// AddSender connects a sender that offers these events, and triggers its
// #connect. The events #connect and #disconnect come by themselves. The error
// is ErrAlreadyConnected where the name is taken.
//
// Listeners that wait for an event which is not among these are dropped for
// good, as pysig drops them; those that wait for one that is offered are kept.
func (r *Router) AddSender(name Name, events ...Name) (*Sender, error) {
	return r.addSender(name, events, nil)
}

func (r *Router) addSender(name Name, events, requests []Name) (*Sender, error) {
	if name.IsEvery() {
		return nil, fmt.Errorf("a sender needs a name")
	}
	r.mu.Lock()
	s := r.obtain(name)
	if s.connected {
		r.mu.Unlock()
		return nil, fmt.Errorf("sender %s: %w", name, ErrAlreadyConnected)
	}
	s.connected, s.leaving, s.requests = true, false, requests
	s.offer(events)
	connect := s.signal(EventConnect)
	info := s.info()
	r.mu.Unlock()
	return s, connect.Trigger(info)
}

// offer makes the sender's signals those of events; the caller holds the lock.
func (s *Sender) offer(events []Name) {
	waiting := s.signals
	s.signals = make(map[Name]*Signal, len(events)+2)
	keep := func(event Name) (first bool) {
		if s.signals[event.key()] != nil {
			return false
		}
		sg := waiting[event.key()]
		if sg == nil {
			sg = &Signal{sender: s, name: event}
		}
		s.signals[event.key()] = sg
		delete(waiting, event.key())
		return true
	}
	keep(EventConnect)
	keep(EventDisconnect)
	s.offered = nil
	for _, e := range events {
		if !e.IsEvery() && keep(e) {
			s.offered = append(s.offered, e)
		}
	}
	for _, sg := range waiting {
		for _, l := range sg.listeners {
			l.removed.Store(true)
		}
	}
}

// own is the sender's signal of this name, made if need be.
func (s *Sender) own(event Name) *Signal {
	sg := s.signal(event)
	if sg == nil {
		sg = &Signal{sender: s, name: event}
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

// SenderInfo is what a sender's #connect and #disconnect carry as data.
type SenderInfo struct {
	Requests []Name `json:"requests"` // null: none
	Events   []Name `json:"events"`   // #disconnect and #connect included
}

func (s *Sender) info() SenderInfo {
	return SenderInfo{
		Requests: s.requests,
		Events:   append(slices.Clone(s.offered), EventDisconnect, EventConnect),
	}
}

// RemoveSender triggers the sender's #disconnect and takes it off the router.
// Its listeners stay, for when it comes back.
func (r *Router) RemoveSender(s *Sender) error {
	r.mu.Lock()
	disconnect, info, here := s.signal(EventDisconnect), s.info(), s.connected && !s.leaving
	s.leaving = true
	r.mu.Unlock()
	if !here {
		return fmt.Errorf("sender %s: %w", s.name, ErrNotConnected)
	}
	err := disconnect.deliver(info)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range s.offered {
		if len(s.signal(e).listeners) == 0 {
			delete(s.signals, e.key())
		}
	}
	s.connected, s.offered, s.requests = false, nil, nil
	r.forget(s)
	return err
}

// obtain is the sender of this name, connected or not; the caller holds the
// lock.
func (r *Router) obtain(name Name) *Sender {
	if s := r.senders[name.key()]; s != nil {
		return s
	}
	s := &Sender{router: r, name: name, signals: make(map[Name]*Signal)}
	s.broadcast = &Signal{sender: s}
	s.own(EventConnect)
	s.own(EventDisconnect)
	if r.senders == nil {
		r.senders = make(map[Name]*Sender)
	}
	r.senders[name.key()] = s
	r.order = append(r.order, s)
	return s
}

// forget drops the sender's record where nobody needs it any more.
func (r *Router) forget(s *Sender) {
	if s.connected || s.waitedFor() {
		return
	}
	delete(r.senders, s.name.key())
	r.order = slices.DeleteFunc(r.order, func(o *Sender) bool { return o == s })
}

// Sender finds a connected sender; nil if there is none of this name.
func (r *Router) Sender(name Name) *Sender {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if s := r.senders[name.key()]; s != nil && s.connected {
		return s
	}
	return nil
}

// Name is the name that the sender was added with.
func (s *Sender) Name() Name { return s.name }

// Signal is the sender's event of this name; the zero Name is its broadcast,
// which reaches those who listen to every event of the sender. The error is
// ErrNotOffered.
func (s *Sender) Signal(event Name) (*Signal, error) {
	s.router.mu.RLock()
	defer s.router.mu.RUnlock()
	if sg := s.signal(event); sg != nil {
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

// Trigger calls the listeners, one after the other, before it returns: first
// those of every event of every sender, then those of every event of this
// sender, then the channel's, then those of this very event; within each, in
// the order they were added. A listener that is added meanwhile misses the
// event, one that is removed meanwhile may.
//
// Data for remote listeners is made JSON before Trigger returns; it may be
// changed afterwards. The error is ErrNotConnected where the sender was
// removed, or [json.Marshal]'s for data that remote listeners cannot get; the
// others have had it then.
func (sg *Signal) Trigger(data any) error {
	r := sg.sender.router
	r.mu.RLock()
	connected := sg.sender.connected
	r.mu.RUnlock()
	if !connected {
		return fmt.Errorf("sender %s: %w", sg.sender.name, ErrNotConnected)
	}
	return sg.deliver(data)
}

func (sg *Signal) deliver(data any) (err error) {
	s, r := sg.sender, sg.sender.router
	ev := Event{Sender: s.name, Event: sg.name, Time: time.Now()}
	if d, ok := data.(Data); ok {
		ev.Data = d
	} else {
		ev.Data.value = data
	}
	r.mu.RLock()
	own := sg.listeners
	if sg == s.broadcast {
		own = nil // they are the sender's, once
	}
	targets := [4][]*Listener{r.every, s.broadcast.listeners, r.channels[sg.name.key()], own}
	r.mu.RUnlock()
	var remote Event // with the data as text; made once, when first needed
	for _, listeners := range targets {
		for _, l := range listeners {
			switch {
			case l.removed.Load():
			case !l.remote:
				l.fn(ev)
			case err == nil:
				if remote.Data.text == nil {
					remote = ev
					remote.Data.value = nil
					remote.Data.text, err = ev.Data.wireText()
				}
				if err == nil {
					l.fn(remote)
				}
			}
		}
	}
	return err
}

// AddListener registers fn for an event of a sender; the zero Name means
// every one, so that AddListener("", "", fn) listens to everything. Each
// registration gets its own call. fn runs within Trigger: it must return soon.
//
// Where several goroutines trigger, its calls may overlap.
//
// The sender need not be there yet. Where it is and does not offer the event,
// the error is ErrNotOffered.
func (r *Router) AddListener(sender, event Name, fn func(Event)) (*Listener, error) {
	l := &Listener{sender: sender, event: event, fn: fn}
	if err := r.addListener(l); err != nil {
		return nil, err
	}
	return l, nil
}

func (r *Router) addListener(l *Listener) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case l.sender.IsEvery() && l.event.IsEvery():
		r.every = appended(r.every, l)
	case l.sender.IsEvery():
		if r.channels == nil {
			r.channels = make(map[Name][]*Listener)
		}
		r.channels[l.event.key()] = appended(r.channels[l.event.key()], l)
	default:
		s := r.obtain(l.sender)
		sg := s.signal(l.event)
		if sg == nil && s.connected {
			return fmt.Errorf("sender %s, event %s: %w", l.sender, l.event, ErrNotOffered)
		}
		if sg == nil {
			sg = s.own(l.event)
		}
		sg.listeners = appended(sg.listeners, l)
	}
	return nil
}

// RemoveListener ends a registration. The error tells that it has ended
// before: it was removed, or dropped when its sender came without its event.
func (r *Router) RemoveListener(l *Listener) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.removed.Swap(true) {
		return errors.New("the listener is not registered")
	}
	switch {
	case l.sender.IsEvery() && l.event.IsEvery():
		r.every = without(r.every, l)
	case l.sender.IsEvery():
		key := l.event.key()
		if r.channels[key] = without(r.channels[key], l); len(r.channels[key]) == 0 {
			delete(r.channels, key)
		}
	default:
		s := r.obtain(l.sender)
		sg := s.own(l.event)
		sg.listeners = without(sg.listeners, l)
		builtIn := sg == s.broadcast || sg.name.Equal(EventConnect) || sg.name.Equal(EventDisconnect)
		if len(sg.listeners) == 0 && !s.connected && !builtIn {
			delete(s.signals, sg.name.key())
		}
		r.forget(s)
	}
	return nil
}

func appended(ls []*Listener, l *Listener) []*Listener {
	return append(slices.Clip(ls), l)
}

func without(ls []*Listener, l *Listener) []*Listener {
	return slices.DeleteFunc(slices.Clone(ls), func(o *Listener) bool { return o == l })
}
