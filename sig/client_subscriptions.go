package sig

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"sigalert/sig/internal/wire"
)

// subscription is what the server knows of listeners: however many here ask for
// the same events, one message delivers them.
type subscription struct {
	sender, event Name
	listeners     []*RemoteListener // replaced, never changed
	watchers      int               // listeners that need the sender's #connect or #disconnect

	state subscriptionState
	id    Name  // of an active one: the key of the id that the server chose
	err   error // of a refused one
	// The server keeps it, although its sender is connected and does not offer
	// the event. Only a server that remembers does so.
	unoffered bool
	// What a #connect said while a pysig server was being asked for it.
	dropped, offered bool

	resumes bool   // it goes on after had; otherwise it starts with what comes next
	had     uint64 // it has had the events up to this number; while it is active, see subscriptions.at
}

// subscriptionState is what the server knows of a subscription.
//
//	idle ──▶ asking ──▶ active ──▶ removing ──▶ idle
//	  ▲        │          │
//	  └────────┴▶ refused ◀┘      and from each to idle when the connection ends
type subscriptionState uint8

const (
	idle     subscriptionState = iota // the server knows nothing of it
	asking                            // the server is being asked for it
	active                            // the server has it
	refused                           // the server said no, or dropped it
	removing                          // the server is being asked to forget it
)

func (s *subscription) wanted() bool { return len(s.listeners) > 0 || s.watchers > 0 }

// isKnown reports whether the server has the subscription, and delivers to it.
func (s *subscription) isKnown() bool { return s.state == active || s.state == removing }

// isBehind returns 1 for a subscription that a server had before, and does not
// have again yet.
func (s *subscription) isBehind() int {
	if s.resumes && (s.state == idle || s.state == asking) {
		return 1
	}
	return 0
}

// isOffered reports whether a sender that comes with these events offers the
// one subscribed to.
func (s *subscription) isOffered(offered []Name) bool {
	return isBuiltIn(s.event) || slices.ContainsFunc(offered, s.event.Equal)
}

// subscriptions holds everything that a client asks its server for, and how far
// the events have got. It does not use connections, time or queues; the client's
// guard guards it. Its state is changed only by the methods below.
type subscriptions struct {
	all     []*subscription // in the order in which they were added
	byTopic map[topic]*subscription
	byID    map[Name]*subscription // those that the server has, by id

	server *peer      // the connection that has them; nil: none
	since  *Position  // where an earlier client ended; nil after the first connection
	at     Position   // the active ones have had all up to here; zero if the server does not remember
	left   []Position // where those were in epochs before, the latest last
	behind int        // how many are behind, see isBehind
	told   Position   // the furthest position that the listeners know of
	epoch  *rest      // told's epoch, shared by events
}

// obtain finds a subscription or makes one.
func (ss *subscriptions) obtain(sender, event Name) *subscription {
	t := topic{sender.key(), event.key()}
	s := ss.byTopic[t]
	if s == nil {
		s = &subscription{sender: sender, event: event}
		ss.byTopic[t] = s
		ss.all = append(ss.all, s)
	}
	return s
}

// next returns the first subscription for which ok is true; nil if there is
// none.
func (ss *subscriptions) next(ok func(*subscription) bool) *subscription {
	if i := slices.IndexFunc(ss.all, ok); i >= 0 {
		return ss.all[i]
	}
	return nil
}

// move is the only place where a state changes.
func (ss *subscriptions) move(s *subscription, to subscriptionState, resumes bool) {
	ss.behind -= s.isBehind()
	s.state, s.resumes, s.err = to, resumes, nil
	ss.behind += s.isBehind()
	if !s.isKnown() {
		delete(ss.byID, s.id)
		s.id = ""
	}
}

// resume makes a new subscription go on where an earlier client ended, if there
// was one and no connection has been made since.
func (ss *subscriptions) resume(s *subscription) {
	if ss.since != nil && s.state == idle {
		s.had = ss.since.Seq
		ss.move(s, idle, true)
	}
}

// begin starts a connection to a server whose events have got to here, and
// which has none of the subscriptions. It reports whether those that resume may
// have missed events; nobody can then say how many. An epoch that comes back goes on
// where it was left.
func (ss *subscriptions) begin(server *peer, here Position) (gap bool) {
	ss.server, ss.since = server, nil
	switch {
	case ss.behind == 0: // all start with what comes next
		ss.at = here
	case here.Epoch == "" || here.Epoch != ss.at.Epoch:
		ss.leave()
		ss.at = Position{Epoch: here.Epoch} // everything that this server remembers is new
		i := slices.IndexFunc(ss.left, func(p Position) bool { return p.Epoch == here.Epoch })
		if gap = i < 0; !gap {
			ss.at = ss.left[i]
		}
		for _, s := range ss.all {
			s.had = ss.at.Seq
		}
	}
	return gap
}

// maxLeft is how many epochs are kept in mind: a carrier may reach one server or another.
const maxLeft = 8

// leave keeps in mind where the present epoch ends, for it may come back.
func (ss *subscriptions) leave() {
	had := uint64(math.MaxUint64)
	for _, s := range ss.all {
		if s.resumes {
			had = min(had, s.had)
		}
	}
	ss.left = slices.DeleteFunc(ss.left, func(p Position) bool { return p.Epoch == ss.at.Epoch })
	if ss.at.Epoch == "" {
		return
	}
	if ss.left = append(ss.left, Position{ss.at.Epoch, had}); len(ss.left) > maxLeft {
		ss.left = ss.left[1:]
	}
}

// end notes the end of the connection.
func (ss *subscriptions) end() {
	ss.server = nil // what is still read must not move the position
	for _, s := range ss.all {
		if s.isKnown() || s.state == refused {
			s.had = max(s.had, ss.at.Seq)
		}
		ss.move(s, idle, s.resumes)
	}
}

// ask marks a subscription as one that the server is being asked for.
func (ss *subscriptions) ask(s *subscription) {
	s.dropped, s.offered = false, false
	ss.move(s, asking, s.resumes)
}

// accept marks a subscription as active, under the server's id.
func (ss *subscriptions) accept(s *subscription, id Name) {
	ss.move(s, active, true)
	s.id = id.key()
	ss.byID[s.id] = s
}

// refuse notes that the server refused the subscription, or dropped it.
func (ss *subscriptions) refuse(s *subscription, err error) {
	ss.move(s, refused, true)
	s.err = err
}

// retry makes the server be asked for a subscription again.
func (ss *subscriptions) retry(s *subscription) { ss.move(s, idle, s.resumes) }

// remove marks a subscription as one that the server is being asked to forget.
func (ss *subscriptions) remove(s *subscription) { ss.move(s, removing, s.resumes) }

// removed notes that the server has forgotten a subscription.
func (ss *subscriptions) removed(s *subscription) { ss.move(s, idle, false) }

// nextBatch picks the subscriptions to ask a server that remembers for in one
// message, and marks them as asked for. Those that resume go first, and since
// is the position after which they need events; for the others, it is nil.
// Those whose names no server would read are refused here instead.
func (ss *subscriptions) nextBatch() (batch []*subscription, since *Position, refusedSome bool) {
	ss.forgetUnwanted()
	for _, resuming := range [...]bool{true, false} {
		size, had := 0, uint64(math.MaxUint64)
		for _, s := range ss.all {
			if s.state != idle || s.resumes != resuming {
				continue
			}
			if err := cmp.Or(s.sender.check(), s.event.check()); err != nil {
				ss.refuse(s, err)
				refusedSome = true
				continue
			}
			if size += len(s.sender) + len(s.event) + 64; len(batch) == maxSubscribed || len(batch) > 0 && size > MaxData/4 {
				break
			}
			ss.ask(s)
			had = min(had, s.had)
			batch = append(batch, s)
		}
		if len(batch) > 0 && resuming {
			return batch, &Position{ss.at.Epoch, had}, refusedSome
		}
	}
	return batch, nil, refusedSome
}

// answered handles the answer for a batch: the server's events after number
// begin come next.
func (ss *subscriptions) answered(batch []*subscription, since *Position, begin uint64, results wire.Array) error {
	for _, s := range ss.all {
		if since != nil && s.isKnown() { // what is sent again for the batch, the others have had
			s.had = max(s.had, ss.at.Seq)
		}
	}
	back := since != nil && begin < since.Seq // the server has lost numbers, and gives them again
	if since != nil {
		ss.at.Seq = begin
	}
	if back && ss.told.Epoch == ss.at.Epoch {
		ss.told.Seq = begin
	}
	for _, s := range batch {
		if since == nil || back {
			s.had = begin
		}
		if !results.Next() {
			return errors.New("subscribe: the server answered for too few listeners")
		}
		s.unoffered = string(member(results.Value, "offered")) == "false"
		if id, ok := nameOf(member(results.Value, "listener_id")); ok {
			ss.accept(s, id)
		} else {
			ss.refuse(s, refusal(results.Value))
		}
	}
	return nil
}

// reached notes the number of an event, or of the last one that was for nobody
// here. It reports whether the listeners have had everything up to it and do
// not know that yet.
func (ss *subscriptions) reached(seq uint64) (news bool) {
	ss.at.Seq = max(ss.at.Seq, seq)
	epoch := ss.at.Epoch
	if ss.behind > 0 || epoch == "" || ss.told.Epoch == epoch && seq <= ss.told.Seq {
		return false
	}
	if ss.told.Epoch != epoch {
		ss.epoch = &rest{epoch: epoch}
	}
	ss.told = Position{epoch, seq}
	return true
}

// addressees adds to an event the listeners that it is for and that have not
// had it; it reports whether it is for any.
func (ss *subscriptions) addressees(a *arrival, ids []byte) (known bool) {
	var key [32]byte
	for list, _ := wire.ArrayOf(ids); list.Next(); {
		s := ss.byID[Name(append(key[:1], list.Value...))]
		switch {
		case s == nil || a.event.Seq <= s.had && a.event.Seq > 0:
		case !known:
			a.listeners, known = s.listeners, true
		default:
			a.more = append(a.more, s.listeners)
		}
	}
	return known
}

// heard learns from a sender's #connect or #disconnect which subscriptions the
// server has dropped, and which it would accept now. It reports whether any has
// changed.
func (ss *subscriptions) heard(ev Event) (changed bool) {
	if !isBuiltIn(ev.Event) {
		return false
	}
	gone, remembers := ev.Event.Equal(EventDisconnect), ss.at.Epoch != ""
	var offered []Name
	if !gone {
		text, _ := ev.Data.wireText()
		events, _ := wire.ArrayOf(member(text, "events"))
		for events.Next() {
			if n, ok := nameOf(events.Value); ok {
				offered = append(offered, n)
			}
		}
	}
	for _, s := range ss.all {
		if s.event.IsEvery() || !s.sender.Equal(ev.Sender) {
			continue
		}
		offers := gone || s.isOffered(offered)
		switch {
		case s.state == active && remembers:
			changed = changed || s.unoffered == offers
			s.unoffered = !offers
		case s.state == active && !offers:
			ss.refuse(s, ErrNotOffered)
			changed = true
		case s.state == asking:
			s.dropped, s.offered = !offers, offers
		case s.state == refused && offers && !remembers:
			ss.retry(s)
			changed = true
		}
	}
	return changed
}

// forgetUnwanted forgets subscriptions that nobody wants and the server does
// not have.
func (ss *subscriptions) forgetUnwanted() {
	ss.all = slices.DeleteFunc(ss.all, func(s *subscription) bool {
		gone := !s.wanted() && s.state != active
		if gone {
			ss.move(s, idle, false)
			delete(ss.byTopic, topic{s.sender.key(), s.event.key()})
		}
		return gone
	})
}
