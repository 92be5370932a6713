package agent

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/reach"
	"sigalert/internal/several"
	"sigalert/internal/topic"
	"sigalert/sig"
)

// server is one of the configuration's servers, and what the agent knows of it. It
// belongs to the loop.
type server struct {
	agent     *Agent
	name      string // "": it is the only one, and has none
	addresses []string
	proof     reach.Proof
	carrier   sig.ClientCarrier
	router    *ownRouter // that the configuration may have us run; nil: we run none
	receiver  *receiver
	ended     bool // what comes from it is of no interest any more

	subs       []config.Subscription // those that are for it
	matcher    matcher
	cursor     *cursor
	other      successor
	absence    absence
	link       *linkWatch
	presence   *presence
	gone       gone                  // events that are lost, which is to be told
	gap        bool                  // an unknown number of events was lost, which is to be logged
	told       time.Time             // the beginning of the connection for which that was logged last
	statuses   []SubscriptionStatus  // of subs, as they were last
	subscribed time.Time             // the beginning of the connection whose server has answered all subscriptions, which was logged
	refused    map[topic.Topic]error // why a subscription was refused, as it was last logged
}

// named puts the name of a server before what is about it, if it has one.
func named(server, text string) string {
	if server == "" {
		return text
	}
	return server + ": " + text
}

// says is named for a sentence of the agent's own.
func says(server, text string) string {
	if server == "" {
		return text
	}
	first, size := utf8.DecodeRuneInString(text)
	return named(server, string(unicode.ToLower(first))+text[size:])
}

// keyOf is the key of a notification about a server.
func keyOf(key, server string) string {
	if server == "" {
		return key
	}
	return key + " " + server
}

// useServers takes over which servers there are. Those that stay where they were stay
// connected, whatever they are called now; the others end, and what is new is returned,
// and begins to receive with run. The error is why a router of ours goes on as it was.
func (a *Agent) useServers(all []config.Server) (begun []*server, err error) {
	old := make(map[string]*server)
	for _, s := range a.servers {
		old[linkKey(s.addresses, s.proof)] = s
	}
	kept := make(map[string]bool)
	for _, c := range all {
		kept[linkKey(c.Addresses, c.Proof)] = true
	}
	for at, s := range old {
		if !kept[at] {
			s.end()
		}
	}
	a.servers = nil
	a.pipeline.catchup.absences = make(map[string]*absence)
	for _, c := range all {
		s := old[linkKey(c.Addresses, c.Proof)]
		if s == nil {
			s = a.connect(c.Addresses, c.Proof, c.Router != nil)
			begun = append(begun, s)
		}
		s.name, s.link.name = c.Name, c.Name
		if refused := s.router.use(c.Router); refused != nil {
			err = refused // of the only one that can be ours
		}
		a.servers = append(a.servers, s)
		a.pipeline.catchup.absences[s.name] = &s.absence
	}
	return begun, err
}

// linkKey is equal for servers to which there is one connection.
func linkKey(addresses []string, proof reach.Proof) string {
	return fmt.Sprintf("%q %q", addresses, proof)
}

// connect makes the connection to a server that may be a router of our own.
func (a *Agent) connect(addresses []string, proof reach.Proof, ours bool) *server {
	known := proof.Locally(a.opts.Local, addresses, ours)
	to := a.opts.Carrier
	if to == nil {
		to = known.To
	}
	s := &server{agent: a, addresses: addresses, proof: proof, carrier: several.New(addresses, to), presence: newPresence(nil)}
	carrier := s.carrier
	if a.opts.Router != nil {
		s.router = &ownRouter{ClientCarrier: carrier, bind: a.opts.Router, ctx: context.WithoutCancel(a.ctx), log: a.log}
		carrier = s.router
	}
	before := a.memory.since(addresses)
	s.cursor = newCursor(before)
	s.absence.heard, s.absence.apart = before.Heard, true
	var since *sig.Position
	if before.Position.Epoch != "" {
		since = &before.Position
	}
	s.receiver = receive(a.ctx, carrier, known.Secret, since, a.log, sink{
		loop:     a.asked,
		event:    s.event,
		presence: s.came,
		missed:   s.missed,
		passed:   s.passed,
		changed:  a.news.Raise,
	})
	now := time.Now()
	s.link = newLinkWatch(s.address(), now)
	if a.config == nil {
		s.link.starting(now)
	}
	return s
}

// end leaves the server for good.
func (s *server) end() {
	s.agent.lost += s.receiver.client.Dropped()
	s.receiver.stop()
	s.remember()
	s.router.end()
	s.ended = true
}

// remember has the memory take over how far the server's events have come.
func (s *server) remember() {
	s.agent.memory.note(s.addresses, s.cursor.state(), s.absence.heard)
}

// use replaces the subscriptions; those that are for it count.
func (s *server) use(all []config.Subscription) {
	s.subs = all
	for i := range all {
		if all[i].IsFor(s.name) {
			continue
		}
		s.subs = append([]config.Subscription(nil), all[:i]...)
		for _, sub := range all[i:] {
			if sub.IsFor(s.name) {
				s.subs = append(s.subs, sub)
			}
		}
		break
	}
	was := s.presence
	s.presence = newPresence(s.subs)
	s.presence.server = s.name
	s.presence.inherit(was)
	s.matcher.use(s.subs)
	s.receiver.listen(s.subs)
	s.subscribed = time.Time{}
}

// String is the server's name or, if it has none, its address.
func (s *server) String() string {
	if s.name != "" {
		return s.name
	}
	return s.address()
}

// address is where the server is: of several addresses, the one that it is connected to,
// or else all.
func (s *server) address() string {
	if c, ok := s.carrier.(*several.Carrier); ok {
		if at := c.At(); at >= 0 {
			return s.addresses[at]
		}
	}
	return strings.Join(s.addresses, " or ")
}

// event takes an event through the stages.
func (s *server) event(what topic.Topic, ev sig.Event) {
	if s.ended {
		return
	}
	a := s.agent
	s.other.look(s.cursor.reached, ev.Position(), s.absence.heard)
	s.absence.hear(time.Now())
	defer s.cursor.reach(ev.Position()) // once it is known what becomes of the event
	if !ev.Replayed {
		s.cursor.happened(ev.Position())
	}
	if s.cursor.known(ev.Position()) || len(s.addresses) > 1 && s.other.before(ev) {
		return
	}
	a.unseen.saw(s.name, ev.Sender)
	matching := s.matcher.match(what, ev)
	if len(matching) == 0 {
		return
	}
	p := newPassage(a.now(), ev)
	p.server, p.matching = s.name, matching
	a.arrived(p)
	a.pipeline.judge(p)
	a.conclude(p)
}

// came takes a #connect or #disconnect.
func (s *server) came(ev sig.Event) {
	if s.ended {
		return
	}
	s.agent.unseen.saw(s.name, ev.Sender)
	s.presence.observe(time.Now(), ev.Sender, ev.Event.Equal(sig.EventConnect))
	s.cursor.reach(ev.Position())
}

// passed notes how far the server's events have come.
func (s *server) passed(p sig.Position) {
	if !s.ended {
		s.other.look(s.cursor.reached, p, s.absence.heard)
		s.absence.hear(time.Now())
		s.cursor.reach(p)
	}
}

// missed counts events of ours that the server has forgotten; if n is below 0,
// nobody knows how many, if any.
func (s *server) missed(n int) {
	if s.ended || n < 0 && s.router.runs() {
		return // a router of our own is as old as this connection: nobody could send it anything before
	}
	s.agent.stale = true
	s.gone.add(time.Now(), n, later(s.absence.heard, s.receiver.client.Link().Heard), s.absence.apart)
	if n < 0 {
		s.gap = true
		return
	}
	s.agent.lost += uint64(n)
}

// tellDue shows what there is to say of the server now.
func (s *server) tellDue(now time.Time) {
	a := s.agent
	if n, ok := s.link.due(now); ok {
		a.report(now, ownLink, n)
	}
	if n, ok := s.presence.due(now); ok {
		a.report(now, ownPresence, n)
	}
	if n, ok := s.lost(now); ok {
		s.gone = gone{}
		a.report(now, ownGap, n)
	}
	if s.link.connected && a.unseen.due(now, s.name) {
		s.senders(func(connected []sig.Name, err error) {
			if err == nil {
				s.meet(connected)
			}
		})
	}
}

// lost is what there is to say at a time of events that are lost.
func (s *server) lost(now time.Time) (n notify.Notification, ok bool) {
	if n, ok = s.gone.due(now, s.cursor.reached.Epoch, len(s.addresses) > 1); ok {
		n.Title, n.Key = says(s.name, n.Title), keyOf(n.Key, s.name)
	}
	return n, ok
}

// next is when tellDue has something to say; zero: never.
func (s *server) next() time.Time {
	next := earlier(earlier(s.link.next(), s.gone.when), s.presence.next())
	if s.link.connected {
		next = earlier(next, s.agent.unseen.next(s.name))
	}
	return next
}

// observe takes over the connection's state.
func (s *server) observe(now time.Time) {
	a := s.agent
	st, was := s.receiver.client.Link(), s.link.connected
	st.Err = s.router.explain(st.Err)
	if st.Err != nil && !st.Connected && (was || !sameText(st.Err, s.link.err)) {
		a.log.Warn("no connection, trying again", "server", s, "err", st.Err)
	}
	// A server that greets and then answers nothing does not count.
	connected := st.Connected && (was || s.receiver.answered())
	s.link.server = s.address()
	if n, ok := s.link.observe(now, connected, st.Err); ok {
		a.report(now, ownLink, n)
	}
	switch {
	case connected && !was:
		a.log.Info("connected", "server", s)
	case !connected && was:
		s.presence.offline()
		s.matcher.forget()
		a.unseen.offline(s.name)
	}
}

// sameText reports whether two errors read the same. Each attempt has an error of
// its own, and only a new text is news.
func sameText(a, b error) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Error() == b.Error()
}

// observeSubscriptions logs once for each connection that the server has answered
// them all, and that nobody knows what was lost before; an attempt to connect that
// fails counts for nothing. What the server refused is logged once for each reason:
// a sender that comes and goes with each event is refused as often.
func (s *server) observeSubscriptions() {
	a := s.agent
	if s.link.connected {
		link := s.receiver.client.Link() // before pending: a later connection has not answered yet
		settled := link.Connected && s.receiver.pending() == 0
		if settled && link.Since != s.subscribed {
			s.subscribed = link.Since
			a.log.Info("subscribed", "server", s, "subscriptions", len(s.subs))
			s.askSenders()
		}
		if settled && s.gap && link.Since != s.told {
			s.told = link.Since
			a.log.Info("alerts may be missing: the server cannot tell what happened while there was no connection", "server", s)
		}
		s.gap = s.gap && !settled
	}
	refused := make(map[topic.Topic]error)
	for _, sub := range s.statuses {
		was := s.refused[sub.Topic]
		if sub.Status == sig.Refused && !sameText(sub.Err, was) {
			was = sub.Err
			a.log.Warn("subscription not in force, waiting for its sender to offer the event", "server", s, "subscription", sub.Topic, "line", sub.Line, "err", sub.Err)
		}
		if was != nil {
			refused[sub.Topic] = was
		}
	}
	s.refused = refused
}

// askSenders asks who is connected. It is called once the server has our
// listeners: they report who comes or goes from then on.
func (s *server) askSenders() {
	p := s.presence
	watches := len(p.watched) > 0
	if !watches && !s.agent.unseen.waits(s.name) {
		return
	}
	p.asked()
	s.senders(func(connected []sig.Name, err error) {
		switch {
		case p != s.presence:
			return
		case err == nil:
			p.sync(time.Now(), connected)
			s.meet(connected)
		case watches:
			s.agent.log.Warn("cannot find out which senders are connected: those that left in the meantime are not reported", "server", s, "err", err)
			p.unanswered()
		}
	})
}

// senders asks the server who is connected; the loop calls f with the answer, unless
// the connection has been lost by then.
func (s *server) senders(f func(connected []sig.Name, err error)) {
	a := s.agent
	a.tasks.Go(func() {
		all, err := s.receiver.client.Senders(s.receiver.ctx, false)
		a.ask(func() {
			if s.ended || !s.link.connected {
				return
			}
			var connected []sig.Name
			for _, sender := range all {
				if sender.Connected && !sender.Sender.IsEvery() {
					connected = append(connected, sender.Sender)
				}
			}
			f(connected, err)
		})
	})
}

// meet takes over who is connected, and logs once whom nobody has seen.
func (s *server) meet(connected []sig.Name) {
	if news := s.agent.unseen.sync(time.Now(), s.name, connected); len(news) > 0 {
		s.agent.log.Info("not seen yet, though subscribed to: a name may be mistyped", "senders", strings.Join(news, ", "))
	}
}

// stoodStill is called when the agent has not run for a while: whatever it has not heard
// of in the meantime may still be on its way.
func (s *server) stoodStill(now time.Time) {
	s.link.woke(now)
	s.presence.woke(now)
	s.receiver.client.Reconnect()
}

// look takes over how the server's subscriptions stand.
func (s *server) look() {
	s.statuses = s.receiver.status(s.subs)
	for i := range s.statuses {
		if errors.Is(s.statuses[i].Err, sig.ErrNotOffered) {
			s.agent.unseen.saw(s.name, s.statuses[i].Sender) // by the server
		}
	}
}

// status is how the server stands now.
func (s *server) status() ServerStatus {
	return ServerStatus{
		Name: s.name, Address: s.address(), Router: s.router.runs(),
		Connected: s.link.connected, Since: s.link.since, Err: s.link.err, Lost: s.link.announced && !s.link.connected,
	}
}
