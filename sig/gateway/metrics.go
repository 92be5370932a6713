package gateway

import (
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"sigalert/sig"
)

// healthy answers GET /healthz, to everybody. A router whose store cannot be written
// serves, and has the events in its memory alone: what restarts it for an answer other
// than 200 would lose them.
func (g *gateway) healthy(w http.ResponseWriter, _ *http.Request) error {
	if !g.ending.TryRLock() {
		return errEnding
	}
	defer g.ending.RUnlock()
	switch err := g.server.Check(); {
	case err != nil: // which the log has, with names of files
		answer(w, http.StatusOK, typeText, []byte("degraded: the store cannot be written, and events are kept in memory only\n"))
	default:
		answer(w, http.StatusOK, typeText, []byte("ok\n"))
	}
	return nil
}

// maxTokens is how many tokens have metrics of their own.
const maxTokens = 100

const typeMetrics = "text/plain; version=0.0.4; charset=utf-8"

// metrics answers GET /metrics, in Prometheus' text format. No label has the name of a
// sender, an event or an address: there could be any number of those.
func (g *gateway) metrics(w http.ResponseWriter, r *http.Request) error {
	var m metrics
	st := g.server.Stats()
	m.one("sigalert_build_info", "gauge", "What runs here.", 1, "server", g.server.Name(), "go", runtime.Version())
	m.one("sigalert_start_time_seconds", "gauge", "When the router was started.", float64(g.began.UnixMilli())/1000)
	m.one("sigalert_goroutines", "gauge", "Goroutines of the process.", float64(runtime.NumGoroutine()))
	m.one("sigalert_clients", "gauge", "Clients that are connected.", float64(st.Clients))
	m.one("sigalert_clients_total", "counter", "Clients that have connected.", float64(st.Admitted))
	m.one("sigalert_streams", "gauge", "Streams of events over HTTP.", float64(g.streams.Load()))
	m.one("sigalert_senders", "gauge", "Senders that are connected.", float64(st.Senders))
	m.one("sigalert_listeners", "gauge", "Listeners that are registered.", float64(st.Listeners))
	m.one("sigalert_events_total", "counter", "Events that the router has numbered.", float64(st.Events))
	m.one("sigalert_events_in_total", "counter", "Events that clients have sent.", float64(st.EventsIn))
	m.one("sigalert_events_out_total", "counter", "Events that clients were sent.", float64(st.EventsOut))
	m.one("sigalert_bytes_in_total", "counter", "Bytes of messages that clients have sent, without HTTP.", float64(st.BytesIn))
	m.one("sigalert_bytes_out_total", "counter", "Bytes of messages that clients were sent, without HTTP.", float64(st.BytesOut))
	m.one("sigalert_events_dropped_total", "counter", "Events that clients should have got and did not.", float64(st.Dropped))
	m.one("sigalert_unread_bytes", "gauge", "Bytes of messages that wait for clients.", float64(st.Unread))
	m.one("sigalert_reading_bytes", "gauge", "Bytes of long messages that are being read.", float64(st.Reading))
	m.one("sigalert_remembered_events", "gauge", "Events in the memory.", float64(st.Memory))
	m.one("sigalert_remembered_bytes", "gauge", "Bytes of events in the memory.", float64(st.MemoryBytes))
	m.one("sigalert_not_admitted_total", "counter", "Clients and requests without a valid token.", float64(st.NotAdmitted))
	m.head("sigalert_refused_total", "counter", "What was refused or slowed down, by the limit.")
	for _, limit := range slices.Sorted(maps.Keys(st.Refused)) {
		m.line("sigalert_refused_total", float64(st.Refused[limit]), "limit", limit)
	}
	m.one("sigalert_http_requests_total", "counter", "Requests over HTTP.", float64(g.asked.Load()))
	m.head("sigalert_http_refused_total", "counter", "Requests over HTTP that were refused, by status.")
	for status := range g.refused {
		if n := g.refused[status].Load(); n > 0 {
			m.line("sigalert_http_refused_total", float64(n), "status", strconv.Itoa(status))
		}
	}
	if st.HasStore {
		up := 1.0
		if st.Store != nil {
			up = 0
		}
		m.one("sigalert_store_up", "gauge", "Whether events can be stored.", up)
	}
	m.latency("sigalert_publish_seconds", "How long publishers waited for their answers, within the router.", st.Latency)
	m.tokens(visible(r, st.Tokens))
	answer(w, http.StatusOK, typeMetrics, []byte(m.text.String()))
	return nil
}

// visible returns the tokens that a request may see: its own, or those that have metrics
// for whoever may administer.
func visible(r *http.Request, all []sig.TokenStats) []sig.TokenStats {
	rights := rightsOf(r).Rights
	if sig.Allow(rights, sig.ToAdminister, "", "") == nil {
		return all[:min(maxTokens, len(all))]
	}
	return slices.DeleteFunc(all, func(t sig.TokenStats) bool { return t.Holder != rights.Holder() })
}

// metrics is a text in the making.
type metrics struct{ text strings.Builder }

// head begins a metric.
func (m *metrics) head(name, kind, help string) {
	fmt.Fprintf(&m.text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// one is a metric of one line.
func (m *metrics) one(name, kind, help string, value float64, labels ...string) {
	m.head(name, kind, help)
	m.line(name, value, labels...)
}

// line is a value with its labels, each a name and a text.
func (m *metrics) line(name string, value float64, labels ...string) {
	m.text.WriteString(name)
	for i := 0; i < len(labels); i += 2 {
		before := ","
		if i == 0 {
			before = "{"
		}
		fmt.Fprintf(&m.text, `%s%s="%s"`, before, labels[i], escaped.Replace(labels[i+1]))
	}
	if len(labels) > 0 {
		m.text.WriteByte('}')
	}
	m.text.WriteByte(' ')
	m.text.WriteString(strconv.FormatFloat(value, 'f', -1, 64))
	m.text.WriteByte('\n')
}

var escaped = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func (m *metrics) latency(name, help string, l sig.Latency) {
	m.head(name, "histogram", help)
	for i, n := range l.Counts {
		bound := "+Inf"
		if i < len(l.Bounds) {
			bound = strconv.FormatFloat(l.Bounds[i].Seconds(), 'f', -1, 64)
		}
		m.line(name+"_bucket", float64(n), "le", bound)
	}
	m.line(name+"_sum", l.Sum.Seconds())
	m.line(name+"_count", float64(l.Counts[len(l.Counts)-1]))
}

func (m *metrics) tokens(all []sig.TokenStats) {
	if len(all) == 0 {
		return
	}
	for _, of := range []struct {
		name, kind, help string
		value            func(sig.TokenStats) float64
	}{
		{"sigalert_token_clients", "gauge", "Clients that are connected with a token.", func(t sig.TokenStats) float64 { return float64(t.Clients) }},
		{"sigalert_token_listeners", "gauge", "Their listeners.", func(t sig.TokenStats) float64 { return float64(t.Listeners) }},
		{"sigalert_token_events_in_total", "counter", "Events that were sent with a token.", func(t sig.TokenStats) float64 { return float64(t.EventsIn) }},
		{"sigalert_token_events_too_fast_total", "counter", "Events that were refused or slowed down.", func(t sig.TokenStats) float64 { return float64(t.TooFast) }},
	} {
		m.head(of.name, of.kind, of.help)
		for _, t := range all {
			m.line(of.name, of.value(t), "token", t.Holder)
		}
	}
}
