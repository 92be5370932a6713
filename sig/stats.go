package sig

import (
	"cmp"
	"slices"
	"sync/atomic"
	"time"
)

// Traffic is what has gone from clients and to them. Bytes are those of messages, as they
// are within TLS.
type Traffic struct {
	EventsIn  uint64 `json:"events_in"`
	EventsOut uint64 `json:"events_out"`
	BytesIn   uint64 `json:"bytes_in"`
	BytesOut  uint64 `json:"bytes_out"`
}

func (t *Traffic) add(o Traffic) {
	t.EventsIn += o.EventsIn
	t.EventsOut += o.EventsOut
	t.BytesIn += o.BytesIn
	t.BytesOut += o.BytesOut
}

func (c *session) traffic() Traffic {
	return Traffic{c.taken.Load(), c.handed.Load(), c.peer.bytesIn.Load(), c.peer.bytesOut.Load()}
}

// ClientInfo is a client as it is now.
type ClientInfo struct {
	ID      uint64    `json:"id"` // no other client of this server has had it
	Peer    string    `json:"address"`
	Since   time.Time `json:"since"`
	Holder  string    `json:"token,omitempty"` // of its rights; "": it has none, or there are none to have
	Stream  bool      `json:"-"`               // it speaks the protocol's stream, not pysig's
	Guest   bool      `json:"-"`               // it speaks another protocol, such as HTTP
	Follows bool      `json:"-"`               // it is a [Follower]

	Senders     int  `json:"senders"`
	Listeners   int  `json:"listeners"`
	Queued      int  `json:"queued"`       // events that wait for it
	QueuedBytes int  `json:"queued_bytes"` // of those and of messages
	Behind      bool `json:"behind"`       // more events than those wait, in the server's memory
	Traffic
	Dropped uint64 `json:"dropped"` // events that it should have got
}

// Clients returns the clients, in the order in which they came.
func (s *ServerRouter) Clients() []ClientInfo {
	s.guard.Lock()
	sessions := make([]*session, 0, len(s.sessions))
	all := make([]ClientInfo, 0, len(s.sessions))
	for _, c := range s.sessions {
		sessions = append(sessions, c)
	}
	slices.SortFunc(sessions, func(a, b *session) int { return cmp.Compare(a.id, b.id) })
	for _, c := range sessions {
		_, follows := c.peer.conn.(followed)
		all = append(all, ClientInfo{
			ID: c.id, Peer: c.peer.conn.Peer(), Since: c.peer.born, Holder: c.account.holder,
			Stream: c.peer.streaming.Load(), Guest: c.guest.Load(), Follows: follows, Traffic: c.traffic(), Dropped: c.missed.Load(),
		})
	}
	s.guard.Unlock()
	s.mu.RLock()
	senders := make(map[*session]int)
	for _, sender := range s.order {
		if sender != nil && sender.session != nil {
			senders[sender.session]++
		}
	}
	for i, c := range sessions {
		all[i].Senders, all[i].Listeners = senders[c], len(c.listeners)-c.dropped
	}
	s.mu.RUnlock()
	for i, c := range sessions {
		all[i].Queued, all[i].QueuedBytes, all[i].Behind = c.out.size()
	}
	return all
}

func (o *outgoing) size() (events, bytes int, behind bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.events, o.bytes + o.texts + o.asks + o.writing, o.behind
}

// Disconnect ends a client's connection; it reports whether there was one. The client may
// come back.
func (s *ServerRouter) Disconnect(id uint64) bool {
	s.guard.Lock()
	c := s.sessions[id]
	s.guard.Unlock()
	if c == nil {
		return false
	}
	c.log.Info("a client is disconnected on request")
	c.peer.conn.Close()
	return true
}

// Stats are what a server has done since it was made, and how it is now.
type Stats struct {
	Clients     int               `json:"clients"`
	Senders     int               `json:"senders"`
	Listeners   int               `json:"listeners"`
	Admitted    uint64            `json:"-"` // clients that there have been
	Traffic                       // of all clients, including those that have left, and of PublishAs
	Events      uint64            `json:"events"`        // that the server has numbered
	Dropped     uint64            `json:"dropped"`       // events that clients should have got
	NotAdmitted uint64            `json:"not_admitted"`  // callers without a right token
	Refused     map[string]uint64 `json:"refused"`       // by the limit that a client has come up against
	Unread      int64             `json:"unread_bytes"`  // of messages that wait for clients
	Reading     int               `json:"reading_bytes"` // of unfinished messages
	Memory      int               `json:"remembered"`    // events
	MemoryBytes int               `json:"remembered_bytes"`
	Latency     Latency           `json:"-"`
	Tokens      []TokenStats      `json:"-"` // those that have been used, by name
	Store       error             `json:"-"` // why it cannot be written; nil: it can, or there is none
	HasStore    bool              `json:"-"`
}

// TokenStats are those of the clients that have the same token.
type TokenStats struct {
	Holder             string
	Clients, Listeners int
	EventsIn           uint64
	TooFast            uint64 // events that were refused or slowed down
}

// Check returns why events are not stored; nil if they are, or are not to be. It waits for
// the router's locks: a router that hangs does not answer.
func (s *ServerRouter) Check() error {
	s.guard.Lock()
	defer s.guard.Unlock()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.failing()
}

func (r *Router) failing() error {
	if r.store == nil {
		return nil
	}
	return r.store.Failing()
}

// Stats returns them. It waits for the router's locks, as clients do.
func (s *ServerRouter) Stats() Stats {
	st := Stats{Dropped: s.dropped.Load(), NotAdmitted: s.notAdmitted.Load(), Unread: s.unread.Load(), Latency: s.latency.read(), Store: s.failing(), HasStore: s.store != nil, Refused: make(map[string]uint64)}
	s.guard.Lock()
	accounts := make([]*account, 0, len(s.accounts))
	for _, a := range s.accounts {
		accounts = append(accounts, a)
		st.Tokens = append(st.Tokens, TokenStats{Holder: a.holder, Clients: a.clients, EventsIn: a.in.Load(), TooFast: a.late.Load()})
	}
	st.Clients, st.Admitted, st.Traffic = len(s.sessions), s.admitted, s.past
	for _, c := range s.sessions {
		st.Traffic.add(c.traffic())
	}
	for c := range s.bounded {
		bytes, gaveWay := c.Reading()
		st.Reading += bytes
		st.Refused["reading"] += gaveWay
	}
	s.guard.Unlock()
	st.EventsIn += s.http.Load()
	s.mu.RLock()
	st.Senders, st.Listeners, st.Events = s.present, s.remote+int(s.locals.Load()), s.recorded
	st.Memory, st.MemoryBytes = len(s.journal.events), s.journal.bytes
	for i, a := range accounts {
		st.Tokens[i].Listeners = a.listeners
	}
	s.mu.RUnlock()
	for i, name := range overNames {
		st.Refused[name] = s.over[i].Load()
	}
	slices.SortFunc(st.Tokens, func(a, b TokenStats) int { return cmp.Compare(a.Holder, b.Holder) })
	return st
}

// Latency is how long publishers have waited for their answers, within the server.
type Latency struct {
	Bounds []time.Duration
	Counts []uint64 // of those that waited at most so long; the last is all of them
	Sum    time.Duration
}

var latencyBounds = [...]time.Duration{
	50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond, time.Second, 5 * time.Second,
}

// histogram counts latencies.
type histogram struct {
	counts [len(latencyBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

func (h *histogram) add(d time.Duration) {
	i := 0
	for i < len(latencyBounds) && d > latencyBounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(d))
}

func (h *histogram) read() Latency {
	l := Latency{Bounds: latencyBounds[:], Sum: time.Duration(h.sum.Load())}
	n := uint64(0)
	for i := range h.counts {
		n += h.counts[i].Load()
		l.Counts = append(l.Counts, n)
	}
	return l
}
