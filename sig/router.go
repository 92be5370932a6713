package sig

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Router delivers events from senders to listeners within this process. The
// zero Router is ready to use. All its methods may be called at any time, by
// any goroutine, including from listeners.
type Router struct {
	mu sync.RWMutex // guards the fields below, and those of senders and signals

	// By key. A sender that is not connected is here as long as listeners wait
	// for it.
	senders map[Name]*Sender
	order   []*Sender // as they came; nil: gone
	gone    int       // how many of them are nil
	came    uint64    // how many have come so far

	present  int                  // senders that are connected
	remote   int                  // listeners of clients
	every    []*Listener          // every event of every sender
	channels map[Name][]*Listener // by the event's key: from any sender

	locals atomic.Int64 // listeners of this process

	intercept func(Event) (Event, bool)
	journal   *journal // of a server; nil: events have no numbers
	recorded  uint64   // how many events have been numbered
	store     Store    // of the journal; nil: it has none

	// generation grows with each change to the above: a route made before it is
	// stale.
	generation atomic.Uint64
	published  answered               // by their ids
	known      atomic.Pointer[[]Name] // what knownChannels found; nil: nothing yet
}

// changed must be called, with the lock held, in each change to what the lock guards.
func (r *Router) changed() {
	r.generation.Add(1)
	r.known.Store(nil)
}

// Intercept lets f see each event before its listeners do, including those of
// clients, and after a server has read it. f may change the event's data,
// sender and event (its listeners have been chosen by then), or hold it back by
// returning false. It runs inside Trigger, in any number of goroutines at once.
// A nil f ends the interception. This takes the place of pysig's class_signal.
func (r *Router) Intercept(f func(Event) (Event, bool)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.intercept = f
	r.changed()
}

// Listener is one registration of a callback.
type Listener struct {
	sender, event Name
	fn            func(Event) // nil: a client's
	removed       atomic.Bool

	client *clientListener // the part that only a client's has; nil: this process's
}

// clientListener is the part of a Listener that only a client's has.
type clientListener struct {
	session *session
	id      uint64
	keeps   bool   // it stays even while its sender does not offer the event
	after   uint64 // it is for events after this number
	until   uint64 // if it was dropped, it is still for those up to this number
}

// wants reports whether the event with this number is for the listener.
func (l *Listener) wants(seq uint64) bool {
	return seq > l.client.after && (!l.removed.Load() || seq <= l.client.until)
}

// keeps reports whether the listener stays even while its sender does not offer
// the event.
func (l *Listener) keeps() bool { return l.client != nil && l.client.keeps }

// drop ends a registration that has become useless: what is already on its way
// to a client still gets there. The caller holds the router's lock.
func (r *Router) drop(l *Listener) {
	if c := l.client; c != nil {
		c.until = r.journal.last
		c.session.dropped++
	}
	l.removed.Store(true)
	r.count(l, -1)
}

// count keeps how many listeners there are; the caller holds the lock.
func (r *Router) count(l *Listener, n int64) {
	if l.client == nil {
		r.locals.Add(n)
		return
	}
	r.remote += int(n)
	l.client.session.account.listeners += int(n)
}

// AddListener registers fn for an event of a sender; the zero Name means every
// one, so AddListener("", "", fn) listens to everything. Each registration gets
// its own call. fn runs inside Trigger: it must return soon.
//
// If several goroutines trigger events, calls of fn may overlap.
//
// The sender need not be there yet. If it is and does not offer the event, the
// error is ErrNotOffered.
func (r *Router) AddListener(sender, event Name, fn func(Event)) (*Listener, error) {
	l := &Listener{sender: sender, event: event, fn: fn}
	r.mu.Lock()
	defer r.mu.Unlock()
	return l, r.addListener(l)
}

// addListener must be called with the lock held.
func (r *Router) addListener(l *Listener) error {
	switch {
	case l.sender.IsEvery() && l.event.IsEvery():
		r.every = append(r.every, l)
	case l.sender.IsEvery():
		if r.channels == nil {
			r.channels = make(map[Name][]*Listener)
		}
		r.channels[l.event.key()] = append(r.channels[l.event.key()], l)
	default:
		s := r.obtain(l.sender)
		sg := s.signal(l.event)
		if !s.mayOffer(sg) && !l.keeps() {
			return fmt.Errorf("sender %s, event %s: %w", l.sender, l.event, ErrNotOffered)
		}
		if sg == nil {
			sg = s.own(l.event)
		}
		sg.listeners = append(sg.listeners, l)
	}
	r.count(l, 1)
	r.changed()
	return nil
}

// RemoveListener ends a registration. A call that is under way may outlast it.
// An error means that the registration had already ended: it was removed, or
// dropped when its sender came without its event.
func (r *Router) RemoveListener(l *Listener) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.removeListener(l)
}

func (r *Router) removeListener(l *Listener) error {
	if l.removed.Swap(true) {
		return errors.New("the listener is not registered")
	}
	r.count(l, -1)
	r.changed()
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
		s.tidy(sg)
		r.forget(s)
	}
	return nil
}

func without(ls []*Listener, l *Listener) []*Listener {
	if i := slices.Index(ls, l); i >= 0 {
		return slices.Delete(ls, i, i+1)
	}
	return ls
}

// isOffered reports whether a listener's sender, if it is here, offers its
// event; the caller holds the lock.
func (r *Router) isOffered(l *Listener) bool {
	s := r.senders[l.sender.key()]
	return l.sender.IsEvery() || s == nil || s.mayOffer(s.signal(l.event))
}

// obtain returns the sender of this name, connected or not, and makes it if
// need be; the caller holds the lock.
func (r *Router) obtain(name Name) *Sender {
	if s := r.senders[name.key()]; s != nil {
		return s
	}
	r.came++
	s := &Sender{router: r, name: name, place: len(r.order), number: r.came, signals: make(map[Name]*Signal)}
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

// forget drops the sender's record if nobody needs it any more.
func (r *Router) forget(s *Sender) {
	if s.connected || s.waitedFor() {
		return
	}
	delete(r.senders, s.name.key())
	s.broadcast.route.Store(nil)
	for _, sg := range s.signals {
		sg.route.Store(nil)
	}
	r.order[s.place] = nil
	if r.gone++; r.gone > len(r.order)/2 {
		r.order = slices.DeleteFunc(r.order, func(o *Sender) bool { return o == nil })
		for i, o := range r.order {
			o.place = i
		}
		r.gone = 0
	}
}

// Sender returns the connected sender of this name; nil if there is none.
func (r *Router) Sender(name Name) *Sender {
	if s, connected := r.find(name); connected {
		return s
	}
	return nil
}

// find returns the sender of this name: nil if the router does not know it, not
// connected if listeners wait for it.
func (r *Router) find(name Name) (s *Sender, connected bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s = r.senders[name.key()]
	return s, s != nil && s.connected
}
