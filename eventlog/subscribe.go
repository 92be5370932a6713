package eventlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sigalert/internal/copies"
	"sigalert/sig"
)

// MostSubscriptions is how many a Subscriber takes.
const MostSubscriptions = 1000

var (
	// ErrNoSubscription: there is none like this.
	ErrNoSubscription = errors.New("there is no such subscription")
	// ErrSubscribed: there is one like this already.
	ErrSubscribed = errors.New("there is this subscription already")
)

// Topic is what a subscription asks for: an event of a sender; the zero Name
// means every one.
type Topic = copies.Topic

// Subscription is a topic, and how it stands at the server.
type Subscription struct {
	Topic
	Status sig.ListenerStatus
	Err    error // of a refused one
}

// A Subscriber logs the events of a network, each once, however many of its
// subscriptions match. Its subscriptions are kept with the log.
type Subscriber struct {
	log    *Log
	client *sig.ClientRouter

	mu     sync.Mutex // guards the fields below
	subs   []subscribed
	copies copies.Filter
	since  time.Time // when the connection was made whose copies these are
}

type subscribed struct {
	Topic
	listener *sig.RemoteListener
}

// NewSubscriber fills log from a client that does not run yet. In its options
// Changed should call [Log.Touch] and Missed [Log.Missed], and Since be
// [Log.Position], so that what happened while nobody ran comes first. It takes up
// the subscriptions that the log has kept and these topics; where there are
// neither, every event.
func NewSubscriber(log *Log, client *sig.ClientRouter, topics ...Topic) (*Subscriber, error) {
	s := &Subscriber{log: log, client: client}
	stored, any := log.subscriptions()
	all := slices.Concat(stored, topics)
	if !any && len(topics) == 0 {
		all = []Topic{{}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range all {
		if s.index(t) >= 0 {
			continue
		}
		if err := s.add(t); err != nil {
			return nil, err
		}
	}
	return s, s.keep()
}

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

// Link tells of the connection to the server.
func (s *Subscriber) Link() sig.LinkStatus { return s.client.Link() }

// Add subscribes to a topic, and waits until the server has answered or ctx
// ends; the subscription stands also in the latter case, as Pending. A topic
// that the server refuses is not added: the error is the server's, and wraps
// [sig.ErrNotOffered] where a connected sender does not offer the event. It is
// ErrSubscribed for a topic that is there already.
func (s *Subscriber) Add(ctx context.Context, t Topic) (Subscription, error) {
	s.mu.Lock()
	if s.index(t) >= 0 {
		s.mu.Unlock()
		return Subscription{}, ErrSubscribed
	}
	if err := s.add(t); err != nil {
		s.mu.Unlock()
		return Subscription{}, err
	}
	sub := s.subs[len(s.subs)-1]
	err := s.keep()
	s.mu.Unlock()
	if err != nil {
		return Subscription{}, errors.Join(err, s.Remove(t))
	}
	s.log.Touch()
	for {
		changed := s.log.Changed()
		st := s.status(sub)
		switch st.Status {
		case sig.Active:
			return st, nil
		case sig.Refused:
			return st, errors.Join(st.Err, s.Remove(t))
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return st, nil
		}
	}
}

// Remove ends a subscription. The error is ErrNoSubscription, or the file's.
func (s *Subscriber) Remove(t Topic) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.index(t)
	if i < 0 {
		return ErrNoSubscription
	}
	s.client.RemoveRemoteListener(s.subs[i].listener)
	s.subs = slices.Delete(s.subs, i, i+1)
	s.copies.Keep(func(t Topic) bool { return s.index(t) >= 0 })
	s.log.Touch()
	return s.keep()
}

// index needs the lock, as do add and keep.
func (s *Subscriber) index(t Topic) int {
	return slices.IndexFunc(s.subs, func(o subscribed) bool { return o.Sender.Equal(t.Sender) && o.Event.Equal(t.Event) })
}

func (s *Subscriber) add(t Topic) error {
	if len(s.subs) >= MostSubscriptions {
		return fmt.Errorf("there are %d subscriptions already, and no more are possible", MostSubscriptions)
	}
	l := s.client.AddRemoteListener(t.Sender, t.Event, func(ev sig.Event) { s.event(t, ev) })
	s.subs = append(s.subs, subscribed{t, l})
	return nil
}

func (s *Subscriber) keep() error {
	topics := make([]Topic, len(s.subs))
	for i, sub := range s.subs {
		topics[i] = sub.Topic
	}
	return s.log.keepSubscriptions(topics)
}

// event logs an event unless another subscription has brought it. It waits
// while the log is full; then the server keeps what follows.
func (s *Subscriber) event(t Topic, ev sig.Event) {
	s.mu.Lock()
	listeners := 0
	for _, sub := range s.subs {
		if sub.Matches(ev) {
			listeners++
		}
	}
	if since := s.client.Link().Since; !since.Equal(s.since) {
		s.copies.Forget()
		s.since = since
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
