package sig

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

const (
	// MaxPublications is how many events may be published at once.
	MaxPublications = 1000
	maxPublished    = 128 // bytes of a publication's id

	// The ids that are remembered: of so many publications, for so long.
	answeredIDs = 1 << 17
	answeredFor = 10 * time.Minute
)

// Publication is an event under a sender's name, which nobody needs to own:
// whether a sender of this name is connected does not matter, and publishing makes
// neither a #connect nor a #disconnect.
type Publication struct {
	Sender Name // not the zero Name
	Event  Name // the zero Name: the sender's broadcast; not #connect or #disconnect
	Data   any  // as for [Sender.Trigger]
	// ID says that two publications are the same event, which is delivered once: a
	// publisher that does not know whether a publication arrived may repeat it. A
	// server knows the ids of 10 minutes, and of 131,072 publications at most; one
	// without a [Store] forgets them when it ends. At most 128 bytes, chosen so that
	// no other publisher has the same. Default: none.
	ID string
}

// Published is what became of a publication, or of the last one of several.
type Published struct {
	Seq       uint64 // the event's number, see [Event]; 0: it has none
	Listeners int    // how many registrations it went to
}

// publication is a Publication that has been checked.
type publication struct {
	sender, event Name
	data          Data
	text          []byte // of the data
	rest          *rest
	id            string
}

// Publish delivers events as if senders of these names were connected and
// triggered them, in this order: see [Signal.Trigger]. If one of them cannot be
// delivered, none is, and the error is ErrTooLarge, [json.Marshal]'s for data that
// JSON cannot hold, or says what is wrong with a name or an id. What an interception
// makes of one is checked only when its turn comes.
func (r *Router) Publish(events ...Publication) (Published, error) {
	checked, err := checkAll(events)
	if err != nil {
		return Published{}, err
	}
	last, upTo, err := r.publishAll(checked)
	r.keep(upTo)
	return last, err
}

func checkAll(events []Publication) ([]publication, error) {
	if err := checkCount(len(events)); err != nil {
		return nil, err
	}
	checked := make([]publication, len(events))
	for i, e := range events {
		p := publication{sender: e.Sender, event: e.Event, data: dataOf(e.Data), id: e.ID}
		if err := p.check(); err != nil {
			return nil, inBatch(err, i, len(events))
		}
		checked[i] = p
	}
	return checked, nil
}

func checkCount(n int) error {
	if n > MaxPublications {
		return fmt.Errorf("%d events at once: at most %d can be published", n, MaxPublications)
	}
	return nil
}

// PublishAs is [Router.Publish] for a caller that is not connected as a client, with the
// rights that it was admitted with. An ID counts only among publications of the same
// event. The error may be ErrNotAllowed, and a [RemoteError] that is ErrTooFast.
func (s *ServerRouter) PublishAs(c Caller, rights Rights, events ...Publication) (Published, error) {
	began := time.Now()
	for i, e := range events {
		if err := Allow(rights, ToPublish, e.Sender, e.Event); err != nil {
			return Published{}, inBatch(err, i, len(events))
		}
	}
	checked, err := checkAll(events)
	if err != nil {
		return Published{}, err
	}
	for i := range checked {
		checked[i].ownID()
	}
	if err := s.take(s.accountFor(c, rights), len(events)); err != nil {
		return Published{}, err
	}
	done, upTo, err := s.publishAll(checked)
	s.keep(upTo)
	if err == nil {
		s.http.Add(uint64(len(events)))
		s.latency.add(time.Since(began))
	}
	return done, err
}

func inBatch(err error, i, n int) error {
	if n == 1 {
		return err
	}
	return fmt.Errorf("event %d of %d: %w", i+1, n, err)
}

func (p *publication) check() (err error) {
	switch {
	case p.sender.IsEvery():
		return errors.New("the sender is missing")
	case isBuiltIn(p.event):
		return fmt.Errorf("%s cannot be published: a sender has it by connecting", p.event)
	case len(p.id) > maxPublished:
		return fmt.Errorf("an id of %d bytes: at most %d are allowed", len(p.id), maxPublished)
	}
	if err = errors.Join(p.sender.check(), p.event.check()); err == nil {
		p.text, err = p.data.eventText()
	}
	return err
}

// publishAll also returns the highest number of the events.
func (r *Router) publishAll(events []publication) (last Published, upTo uint64, err error) {
	for i := range events {
		var failed error
		if last, failed = r.publishOne(&events[i]); failed != nil {
			err = errors.Join(err, inBatch(failed, i, len(events)))
		}
		upTo = max(upTo, last.Seq)
	}
	return last, upTo, err
}

// publishOne delivers an event, unless one of its id has been. An error is for what
// an interception made of it.
func (r *Router) publishOne(p *publication) (done Published, err error) {
	r.mu.RLock()
	done, again := r.published.of(p.id)
	intercept := r.intercept
	r.mu.RUnlock()
	if again {
		return done, nil
	}
	ev, text := Event{Sender: p.sender, Event: p.event, Data: p.data, rest: p.rest}, p.text
	if intercept != nil {
		if ev.Data.checked { // the text may be a client's read buffer
			ev.Data = received(bytes.Clone(ev.Data.text))
		}
		var pass bool
		if ev, pass = intercept(ev); !pass {
			return Published{}, nil
		}
		if text, err = ev.Data.eventText(); err == nil {
			err = checkExtra(ev.Extra())
		}
	}
	r.mu.Lock()
	if done, again = r.published.of(p.id); again {
		r.mu.Unlock()
		return done, nil
	}
	sg, rt := r.nobodys(p.sender, p.event), new(route)
	rt.reach(sg)
	if r.journal != nil && err == nil {
		ev = r.record(sg, ev, text, rt, p.id)
	}
	done = Published{ev.Seq, rt.listeners()}
	r.published.add(p.id, done, time.Now())
	r.mu.Unlock()
	rt.call(ev)
	return done, err
}

// nobodys returns the signal that an event of this sender would have, whether or
// not it is connected and offers it. The caller holds the lock.
func (r *Router) nobodys(sender, event Name) *Signal {
	s := r.senders[sender.key()]
	if s == nil {
		s = &Sender{router: r, name: sender}
		s.broadcast = &Signal{sender: s}
	}
	if sg := s.signal(event); sg != nil {
		return sg
	}
	return &Signal{sender: s, name: event}
}

// answered remembers what became of publications, by their ids. The router's mutex
// guards it.
type answered struct {
	byID  map[string]publishedID
	order []string // the ids, the oldest first
}

type publishedID struct {
	Published
	until time.Time
}

func (a *answered) of(id string) (done Published, ok bool) {
	if id == "" {
		return Published{}, false
	}
	known, ok := a.byID[id]
	if !ok || time.Now().After(known.until) { // the old are forgotten only when the next comes
		return Published{}, false
	}
	return known.Published, true
}

func (a *answered) add(id string, done Published, now time.Time) {
	if id == "" {
		return
	}
	n := 0
	for n < len(a.order) && (now.After(a.byID[a.order[n]].until) || len(a.order)-n >= answeredIDs) {
		delete(a.byID, a.order[n])
		n++
	}
	if a.order = a.order[n:]; len(a.order) == 0 { // a map does not shrink
		a.byID, a.order = make(map[string]publishedID), nil
	}
	a.byID[id] = publishedID{done, now.Add(answeredFor)}
	a.order = append(a.order, id)
}

// delay has the ids be remembered for so much longer: for the time in which nobody
// could ask.
func (a *answered) delay(d time.Duration) {
	for id, known := range a.byID {
		known.until = known.until.Add(d)
		a.byID[id] = known
	}
}
