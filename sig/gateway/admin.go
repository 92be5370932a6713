package gateway

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"sigalert/internal/address"
	"sigalert/sig"
)

var (
	errNotLocal = refuse(http.StatusForbidden, "not allowed: without tokens, only a program on the router's machine may do this")
	errNoClient = refuse(http.StatusNotFound, "there is no such client")
)

// mayAdminister requires the right to administer or, where there are no tokens, a program
// of this machine, and not a proxy, which speaks for others.
func mayAdminister(r *http.Request) error {
	if rightsOf(r).Rights == nil && (!address.IsLoopback(r.RemoteAddr) || isForwarded(r)) {
		return errNotLocal
	}
	return allow(r, sig.ToAdminister, "", "")
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
	sig.ClientInfo
	Kind string `json:"kind"`
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
	switch {
	case c.Follows:
		return client{c, kindStream}
	case c.Guest:
		return client{c, kindHTTP}
	case c.Stream:
		return client{c, kindWire}
	case c.BytesIn == 0:
		return client{c, kindSilent}
	}
	return client{c, kindPysig}
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
	answerJSON(w, struct {
		Server  string    `json:"server"`
		Time    time.Time `json:"time"`
		Since   time.Time `json:"since"`
		Streams int64     `json:"streams"`
		sig.Stats
		Store string `json:"store"`
	}{g.server.Name(), time.Now(), g.began, g.streams.Load(), st, storeState(st)})
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
