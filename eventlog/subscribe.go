package eventlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"sigalert/internal/copies"
	"sigalert/internal/topic"
	"sigalert/sig"
)

// MaxSubscriptions is how many a Subscriber takes: as many as resume in one
// message, so that the events of all come in one order.
const MaxSubscriptions = 300

var (
	// ErrNoSubscription is returned for a topic that is not subscribed to.
	ErrNoSubscription = errors.New("there is no such subscription")
	// ErrSubscribed is returned for a topic that is already subscribed to.
	ErrSubscribed = errors.New("this subscription already exists")
	// ErrFull is returned if there are MaxSubscriptions.
	ErrFull = fmt.Errorf("there are already %d subscriptions, and no more are possible", MaxSubscriptions)
	// ErrNotKept is wrapped if the log's file cannot be written.
	ErrNotKept = errors.New("the subscriptions cannot be kept")
)

// Topic is what a subscription asks for: an event of a sender; the zero Name
// means every one.
type Topic = topic.Topic

// Subscription is a topic, and how it stands at the server.
type Subscription struct {
	Topic
	Status sig.ListenerStatus
	Err    error // of a refused one
}

// SubscriberOptions are a subscriber's settings; nil is the zero value.
type SubscriberOptions struct {
	// Token is that of [sig.ClientOptions]. Default: none.
	Token func() (string, error)
	// Topics are subscribed to besides those that the log has kept. Default: if
	// it has kept none yet, every event.
	Topics []Topic
	// Presence subscribes to the coming and going of all senders besides. Otherwise
	// only subscriptions that name these events bring them.
	Presence bool
	// Linked is called after the connection to the server may have changed. It
	// must not wait. Default: none.
	Linked func(sig.LinkStatus)
	// Missed is called with how many events the server had forgotten before they
	// came; below 0: it may have forgotten some, and nobody can say how many.
	// Default: none.
	Missed func(n int)
	// Logger reports connections that fail. Default: none.
	Logger *slog.Logger
}

// A Subscriber logs the events of a network, each once, however many of its
// subscriptions match. Its subscriptions are kept with the log.
type Subscriber struct {
	log    *Log
	opts   SubscriberOptions
	client *sig.ClientRouter

	saving sync.Mutex // held while the subscriptions are written, in their order

	mu     sync.Mutex // guards the fields below
	subs   []subscribed
	copies copies.Filter
}

type subscribed struct {
	Topic
	listener *sig.RemoteListener
}

// NewSubscriber returns a subscriber that fills an open log over carrier, once
// it runs. For the subscriptions that the log has kept, it begins with what
// happened while nothing ran.
func NewSubscriber(log *Log, carrier sig.ClientCarrier, opts *SubscriberOptions) (*Subscriber, error) {
	s := &Subscriber{log: log}
	if opts != nil {
		s.opts = *opts
	}
	s.client = sig.NewClientRouter(carrier, &sig.ClientOptions{
		Since:   log.Position(),
		Token:   s.opts.Token,
		Changed: s.changed,
		Missed:  s.missed,
		Passed:  log.passed,
		Logger:  s.opts.Logger,
	})
	topics := s.opts.Topics
	stored, any := log.subscriptions()
	if !any && len(topics) == 0 {
		topics = []Topic{{}}
	}
	if s.opts.Presence {
		topics = append(slices.Clone(topics), Topic{Event: sig.EventConnect}, Topic{Event: sig.EventDisconnect})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, t := range slices.Concat(stored, topics) {
		if s.index(t) >= 0 {
			continue
		}
		listen := s.client.AddRemoteListener
		if i < len(stored) {
			listen = s.client.ResumeRemoteListener
		}
		if err := s.add(t, listen); err != nil {
			return nil, err
		}
	}
	return s, log.keepSubscriptions(s.topics())
}

// Run connects to the server and logs its events until ctx ends. The log must
// run for longer.
func (s *Subscriber) Run(ctx context.Context) { s.client.Run(ctx) }

// Subscriptions are what is subscribed to, in the order in which it came.
func (s *Subscriber) Subscriptions() []Subscription {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Subscription, len(s.subs))
	for i, sub := range s.subs {
		all[i] = s.status(sub)
	}
	return all
}

func (s *Subscriber) status(sub subscribed) Subscription {
	st, err := s.client.Status(sub.listener)
	return Subscription{sub.Topic, st, err}
}

// Link is how the connection to the server stands.
func (s *Subscriber) Link() sig.LinkStatus { return s.client.Link() }

// Reconnect is for a change of the network: see [sig.ClientRouter.Reconnect].
func (s *Subscriber) Reconnect() { s.client.Reconnect() }

// Add subscribes to a topic, and waits until the server has answered or ctx
// ends; in the latter case the subscription is there too, as Pending. A topic
// that the server refuses is not added: the error is the server's, and wraps
// [sig.ErrNotOffered] if a connected sender does not offer the event. It is
// ErrSubscribed for a topic that is already subscribed to, and wraps ErrNotKept
// if the log's file fails.
func (s *Subscriber) Add(ctx context.Context, t Topic) (Subscription, error) {
	s.mu.Lock()
	err := ErrSubscribed
	if s.index(t) < 0 {
		err = s.add(t, s.client.AddRemoteListener)
	}
	if err != nil {
		s.mu.Unlock()
		return Subscription{}, err
	}
	s.mu.Unlock()
	s.log.Touch()
	st := s.Answered(ctx, t)
	if st.Status == sig.Refused {
		s.drop(t)
		return st, st.Err
	}
	if err := s.keep(); err != nil {
		s.drop(t)
		return st, err
	}
	return st, nil
}

// Answered is a subscription once the server has answered it; Pending if ctx ended
// before, or there is no such subscription.
func (s *Subscriber) Answered(ctx context.Context, t Topic) Subscription {
	for {
		changed := s.log.Changed()
		st, ok := s.subscription(t)
		if !ok || st.Status != sig.Pending {
			return st
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return st
		}
	}
}

func (s *Subscriber) subscription(t Topic) (st Subscription, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(t)
	if i < 0 {
		return Subscription{Topic: t}, false
	}
	return s.status(s.subs[i]), true
}

// Remove ends a subscription. The error is ErrNoSubscription, or wraps ErrNotKept
// if the log's file fails: then the subscription is back after a restart.
func (s *Subscriber) Remove(t Topic) error {
	if !s.drop(t) {
		return ErrNoSubscription
	}
	return s.keep()
}

// drop reports whether there was one to end.
func (s *Subscriber) drop(t Topic) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(t)
	if i < 0 {
		return false
	}
	s.client.RemoveRemoteListener(s.subs[i].listener)
	s.subs = slices.Delete(s.subs, i, i+1)
	s.copies.Keep(func(t Topic) bool { return s.index(t) >= 0 })
	s.log.Touch()
	return true
}

// index requires the lock, as do add and topics.
func (s *Subscriber) index(t Topic) int {
	return slices.IndexFunc(s.subs, func(o subscribed) bool { return o.Equal(t) })
}

type listen func(sender, event sig.Name, fn func(sig.Event)) *sig.RemoteListener

func (s *Subscriber) add(t Topic, listen listen) error {
	if len(s.subs) >= MaxSubscriptions {
		return ErrFull
	}
	l := listen(t.Sender, t.Event, func(ev sig.Event) { s.event(t, ev) })
	s.subs = append(s.subs, subscribed{t, l})
	return nil
}

func (s *Subscriber) topics() []Topic {
	topics := make([]Topic, len(s.subs))
	for i, sub := range s.subs {
		topics[i] = sub.Topic
	}
	return topics
}

// keep writes what the subscriptions are. Events and pages do not wait for it.
func (s *Subscriber) keep() error {
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	topics := s.topics()
	s.mu.Unlock()
	if err := s.log.keepSubscriptions(topics); err != nil {
		return fmt.Errorf("%w: %w", ErrNotKept, err)
	}
	return nil
}

func (s *Subscriber) changed() {
	s.log.Touch()
	if s.opts.Linked != nil {
		s.opts.Linked(s.Link())
	}
}

// missed is also called, with n below 0, when the connection to a pysig server was
// lost: no more copies of earlier events will come.
func (s *Subscriber) missed(n int) {
	if n < 0 {
		s.mu.Lock()
		s.copies.Forget()
		s.mu.Unlock()
	}
	s.log.Missed(n)
	if s.opts.Missed != nil {
		s.opts.Missed(n)
	}
}

// asksFor reports whether events like this one are logged for a topic: the server
// sends the coming and going of senders with every event, which few people mean by
// that.
func asksFor(t Topic, ev sig.Event) bool {
	return t.Matches(ev) && !(t.Event.IsEvery() && topic.IsPresence(ev.Event))
}

// event logs an event unless another subscription has brought it. It waits
// while the log is full; then the server keeps what follows.
func (s *Subscriber) event(t Topic, ev sig.Event) {
	if !asksFor(t, ev) {
		s.log.passed(ev.Position())
		return
	}
	s.mu.Lock()
	listeners := 0
	for _, sub := range s.subs {
		if asksFor(sub.Topic, ev) {
			listeners++
		}
	}
	first := s.index(t) >= 0 && s.copies.First(t, ev, listeners)
	s.mu.Unlock()
	if !first {
		return
	}
	e, err := EntryOf(ev)
	if err != nil { // what came over a network is JSON
		return
	}
	_ = s.log.Add(context.Background(), e) // ends with the log
}
