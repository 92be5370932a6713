package gateway

import (
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"sigalert/internal/origin"
	"sigalert/sig"
)

var (
	errNotLocal = refuse(http.StatusForbidden, "not allowed: without tokens, only a program on the router's machine may do this")
	errNoClient = refuse(http.StatusNotFound, "there is no such client")
)

// mayAdminister requires the right to administer or, where there are no tokens, a program
// of this machine: neither a page of another site, nor a proxy, which speaks for others.
func (g *gateway) mayAdminister(r *http.Request) error {
	rights := rightsOf(r).Rights
	switch {
	case origin.CrossSite(r):
		return errCrossSite
	case rights != nil:
		return allow(r, sig.ToAdminister, "", "")
	case !isLoopback(r.RemoteAddr) || isForwarded(r):
		return errNotLocal
	}
	return nil
}

func isLoopback(peer string) bool {
	at, err := netip.ParseAddrPort(peer)
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// isForwarded reports whether a proxy has passed a request on, as far as it says so: an
// empty header is one, too, as some proxies add theirs after what a client has sent. In
// HTTP/1.0 ask only proxies such as nginx, which by default says nothing else.
func isForwarded(r *http.Request) bool {
	for name := range r.Header {
		switch {
		case strings.HasPrefix(name, "X-Forwarded"), strings.HasSuffix(name, "-Ip"): // such as X-Real-Ip, Cf-Connecting-Ip
			return true
		case name == "Forwarded", name == "Via":
			return true
		}
	}
	return !r.ProtoAtLeast(1, 1)
}

// The kinds of clients.
const (
	kindSilent = "silent" // it has sent nothing yet
	kindPysig  = "pysig"
	kindWire   = "wire"
	kindStream = "HTTP stream"
	kindHTTP   = "HTTP"
)

// client is one as GET /clients shows it.
type client struct {
	ID          uint64    `json:"id"`
	Address     string    `json:"address"`
	Since       time.Time `json:"since"`
	Token       string    `json:"token,omitempty"` // its name
	Kind        string    `json:"kind"`
	Senders     int       `json:"senders"`
	Listeners   int       `json:"listeners"`
	Queued      int       `json:"queued"`
	QueuedBytes int       `json:"queued_bytes"`
	Behind      bool      `json:"behind"`
	Dropped     uint64    `json:"dropped"`
	traffic
}

type traffic struct {
	EventsIn  uint64 `json:"events_in"`
	EventsOut uint64 `json:"events_out"`
	BytesIn   uint64 `json:"bytes_in"`
	BytesOut  uint64 `json:"bytes_out"`
}

// clients answers GET /clients.
func (g *gateway) clients(w http.ResponseWriter, _ *http.Request) error {
	all := []client{}
	for _, c := range g.server.Clients() {
		all = append(all, clientOf(c))
	}
	answerJSON(w, struct {
		Time    time.Time `json:"time"`
		Clients []client  `json:"clients"`
	}{time.Now(), all})
	return nil
}

func clientOf(c sig.ClientInfo) client {
	address, isStream := strings.CutPrefix(c.Peer, streamOf)
	kind := kindPysig
	switch {
	case isStream:
		kind = kindStream
	case c.Guest:
		kind = kindHTTP
	case c.Stream:
		kind = kindWire
	case c.BytesIn == 0:
		kind = kindSilent
	}
	return client{c.ID, address, c.Since, c.Holder, kind, c.Senders, c.Listeners, c.Queued, c.QueuedBytes, c.Behind, c.Dropped, traffic(c.Traffic)}
}

// disconnect answers DELETE /clients/ID.
func (g *gateway) disconnect(id string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, _ *http.Request) error {
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil || !g.server.Disconnect(n) {
			return errNoClient
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
}

// status answers GET /status.
func (g *gateway) status(w http.ResponseWriter, _ *http.Request) error {
	st := g.server.Stats()
	refused := make(map[string]uint64, len(st.Refused))
	for _, c := range st.Refused {
		refused[c.Name] = c.N
	}
	answerJSON(w, struct {
		Server    string    `json:"server"`
		Time      time.Time `json:"time"`
		Since     time.Time `json:"since"`
		Clients   int       `json:"clients"`
		Streams   int64     `json:"streams"`
		Senders   int       `json:"senders"`
		Listeners int       `json:"listeners"`
		Events    uint64    `json:"events"`
		traffic
		Dropped     uint64            `json:"dropped"`
		NotAdmitted uint64            `json:"not_admitted"`
		Refused     map[string]uint64 `json:"refused"`
		Unread      int64             `json:"unread_bytes"`
		Reading     int               `json:"reading_bytes"`
		Memory      int               `json:"remembered"`
		MemoryBytes int               `json:"remembered_bytes"`
		Store       string            `json:"store"`
	}{
		g.server.Name(), time.Now(), g.began, st.Clients, g.streams.Load(), st.Senders, st.Listeners, st.Events, traffic(st.Traffic),
		st.Dropped, st.NotAdmitted, refused, st.Unread, st.Reading, st.Memory, st.MemoryBytes, storeState(st),
	})
	return nil
}

func storeState(st sig.Stats) string {
	switch {
	case !st.HasStore:
		return "none"
	case st.Store != nil:
		return st.Store.Error()
	}
	return "ok"
}
