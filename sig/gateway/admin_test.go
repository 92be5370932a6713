package gateway_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sigalert/internal/token"
	"sigalert/sig"
	"sigalert/sig/gateway"
)

// with the tokens of these names: "admin" may administer.
func administered(t testing.TB, names ...string) (*site, map[string]string) {
	t.Helper()
	path, secrets := filepath.Join(t.TempDir(), "tokens.json"), map[string]string{"": "", "wrong": "sigalert_wrong"}
	all, err := token.ParseRight("*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		e := token.Entry{Name: name, Admin: true}
		if name != "admin" {
			e = token.Entry{Name: name, Listen: []token.Right{all}, Send: []token.Right{all}}
		}
		if secrets[name], err = token.New(path, e); err != nil {
			t.Fatal(err)
		}
	}
	book, err := token.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return newSite(t, &sig.ServerOptions{Access: book}), secrets
}

// Who may see the router's state, and change it.
func TestAdministering(t *testing.T) {
	const cross, local, proxy = "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin", "X-Forwarded-For: 192.0.2.1"
	open := newSite(t, nil)
	closed, secrets := administered(t, "admin", "desk")
	for _, tc := range []struct {
		method, path     string
		open             int // without tokens, from loopback
		none, desk, boss int // with tokens
	}{
		{"GET", "/healthz", 200, 200, 200, 200},
		{"GET", "/metrics", 200, 401, 200, 200},
		{"HEAD", "/metrics", 200, 401, 200, 200},
		{"GET", "/status", 200, 401, 403, 200},
		{"GET", "/clients", 200, 401, 403, 200},
		{"HEAD", "/clients", 200, 401, 403, 200},
		{"DELETE", "/clients/1000000", 404, 401, 403, 404},
		{"DELETE", "/clients/x", 404, 401, 403, 404},
		{"DELETE", "/clients", 405, 405, 405, 405},
		{"DELETE", "/other/1", 405, 405, 405, 405},
		{"GET", "/clients/1", 405, 405, 405, 405},
		// What publishers may do, an administrator may not do for that.
		{"POST", "/clients", 200, 401, 200, 403},
		{"PUT", "/status", 200, 401, 200, 403},
		{"POST", "/metrics", 200, 401, 200, 403},
		{"POST", "/clients/1000000", 200, 401, 200, 403},
		{"GET", "/events", 200, 401, 200, 403},
	} {
		if tc.method == "GET" && tc.path == "/events" {
			tc.method = "HEAD"
		}
		if a := open.do(t, tc.method, tc.path, ""); a.status != tc.open {
			t.Errorf("%s %s without tokens: %d %s", tc.method, tc.path, a.status, a.text)
		}
		for name, want := range map[string]int{"": tc.none, "wrong": tc.none, "desk": tc.desk, "admin": tc.boss} {
			a := closed.do(t, tc.method, tc.path, "", "Authorization: Bearer "+secrets[name])
			if a.status != want {
				t.Errorf("%s %s of %q: %d %s, want %d", tc.method, tc.path, name, a.status, a.text, want)
			}
		}
		if tc.method == "POST" || tc.method == "PUT" || tc.path == "/healthz" || tc.open == 405 {
			continue
		}
		if a := open.do(t, tc.method, tc.path, "", cross); a.status != 403 {
			t.Errorf("%s %s by another site's page: %d %s", tc.method, tc.path, a.status, a.text)
		}
		if a := closed.do(t, tc.method, tc.path, "", cross, "Authorization: Bearer "+secrets["admin"]); a.status != 403 {
			t.Errorf("%s %s by another site's page with a token: %d %s", tc.method, tc.path, a.status, a.text)
		}
		if a := open.do(t, tc.method, tc.path, "", local); a.status != tc.open {
			t.Errorf("%s %s by our own page: %d %s", tc.method, tc.path, a.status, a.text)
		}
		if a := open.do(t, tc.method, tc.path, "", "Host: evil.example"); a.status != 421 {
			t.Errorf("%s %s by a rebound name: %d %s", tc.method, tc.path, a.status, a.text)
		}
		if tc.path == "/status" || strings.HasPrefix(tc.path, "/clients") {
			if a := open.do(t, tc.method, tc.path, "", proxy); a.status != 403 {
				t.Errorf("%s %s through a proxy: %d %s", tc.method, tc.path, a.status, a.text)
			}
		}
	}
}

// from is the answer to a request that comes from a peer.
func from(s *sig.ServerRouter, peer, method, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr, r.Host = peer, "localhost"
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	gateway.Handler(s).ServeHTTP(w, r)
	return w.Result()
}

// Without tokens only this machine may administer.
func TestFromElsewhere(t *testing.T) {
	for peer, want := range map[string]int{"127.0.0.1:1": 200, "[::1]:1": 200, "[::ffff:127.0.0.1]:1": 200, "192.0.2.1:1": 403, "[2001:db8::1]:1": 403, "": 403} {
		for _, path := range []string{"/clients", "/status"} {
			if a := from(sig.NewServerRouter(nil), peer, "GET", path); a.StatusCode != want {
				t.Errorf("%s from %q: %s", path, peer, a.Status)
			}
		}
		if a := from(sig.NewServerRouter(nil), peer, "GET", "/metrics"); a.StatusCode != 200 {
			t.Errorf("metrics from %q: %s", peer, a.Status)
		}
	}
}

// Nor through a proxy, whatever a client sends beside what that adds.
func TestThroughProxy(t *testing.T) {
	s := sig.NewServerRouter(nil)
	for _, headers := range [][]string{
		{"X-Forwarded-For: "},
		{"X-Forwarded-For: ", "X-Forwarded-For: 192.0.2.1"},
		{"X-Forwarded-Proto: https"},
		{"CF-Connecting-IP: 192.0.2.1"},
		{"Forwarded: "},
		{"Via: 1.1 proxy"},
	} {
		if a := from(s, "127.0.0.1:1", "GET", "/clients", headers...); a.StatusCode != 403 {
			t.Errorf("%q: %s", headers, a.Status)
		}
	}
	r := httptest.NewRequest("GET", "/clients", nil)
	r.RemoteAddr, r.Host, r.Proto, r.ProtoMinor = "127.0.0.1:1", "localhost", "HTTP/1.0", 0
	w := httptest.NewRecorder()
	if gateway.Handler(s).ServeHTTP(w, r); w.Code != 403 {
		t.Errorf("HTTP/1.0: %d", w.Code)
	}
}

// After too many wrong tokens of an address it is told when to try again.
func TestWrongTokens(t *testing.T) {
	s, secrets := administered(t, "desk", "new")
	const there = "192.0.2.1:1"
	ask := func(peer, secret string) int {
		a := from(s.ServerRouter, peer, "HEAD", "/events", "Authorization: Bearer "+secret)
		if wait := a.Header.Get("Retry-After"); (wait == "1") != (a.StatusCode == http.StatusTooManyRequests) {
			t.Errorf("%s with Retry-After: %s", a.Status, wait)
		}
		return a.StatusCode
	}
	if status := ask(there, secrets["desk"]); status != 200 {
		t.Fatal(status)
	}
	for range 100 { // a page of another site does not use up the attempts
		if a := from(s.ServerRouter, there, "HEAD", "/events", "Authorization: Bearer sigalert_wrong", "Sec-Fetch-Site: cross-site"); a.StatusCode != 403 {
			t.Fatal(a.Status)
		}
	}
	for i := range 61 {
		want := 401
		if i == 60 {
			want = 429
		}
		if status := ask(there, fmt.Sprint("sigalert_wrong", i)); status != want {
			t.Errorf("wrong token %d: %d", i, status)
		}
	}
	for _, tc := range []struct {
		peer, token string
		want        int
	}{{there, "new", 429}, {there, "desk", 200}, {there, "", 401}, {"192.0.2.2:1", "new", 200}, {"127.0.0.1:1", "new", 200}} {
		if status := ask(tc.peer, secrets[tc.token]); status != tc.want {
			t.Errorf("%q from %s: %d", tc.token, tc.peer, status)
		}
	}
}

type listed struct {
	Time    time.Time
	Clients []struct {
		ID                                      uint64
		Address, Token, Kind                    string
		Since                                   time.Time
		Senders, Listeners, Queued, QueuedBytes int
		EventsIn                                uint64 `json:"events_in"`
	}
}

// Each kind of client is listed, and can be disconnected.
func TestClientsAreListed(t *testing.T) {
	s, secrets := administered(t, "admin", "desk")
	pysig := s.dial(t)
	_, _ = io.WriteString(pysig, `{"id": 1, "method": "get_version", "params": {"token": "`+secrets["desk"]+`"}}`)
	_, _ = pysig.Read(make([]byte, 100))
	wire := s.dial(t)
	_, _ = io.WriteString(wire, `{"id": 1, "method": "get_version", "params": {"features": ["stream", "replay", "publish"], "token": "`+secrets["desk"]+`"}}`+"\n"+
		`{"id": 2, "method": "add_sender", "params": {"sender": "s", "events": ["e"]}}`+"\n"+`{"id": 3, "method": "add_listener", "params": {"sender": "nobody"}}`+"\n"+
		`{"id": 4, "method": "signal", "params": {"info": {"sender": "s", "event": "e"}}}`+"\n")
	in := bufio.NewScanner(wire)
	for range 3 { // the first answer has no end of its own
		in.Scan()
	}
	silent := s.dial(t)
	request, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+secrets["desk"])
	stream, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	var l listed
	list := func() map[string]int {
		t.Helper()
		l = listed{}
		a := s.do(t, "GET", "/clients", "", "Authorization: Bearer "+secrets["admin"])
		if err := json.Unmarshal([]byte(a.text), &l); err != nil || a.status != 200 {
			t.Fatal(a.status, a.text, err)
		}
		kinds := make(map[string]int)
		for _, c := range l.Clients {
			kinds[c.Kind]++
		}
		return kinds
	}
	for kinds := list(); kinds["HTTP stream"] != 1 || kinds["pysig"] != 1 || kinds["wire"] != 1 || kinds["silent"] != 1 || kinds["HTTP"] < 1; kinds = list() {
		if time.Sleep(10 * time.Millisecond); t.Context().Err() != nil {
			t.Fatal(kinds)
		}
	}
	for _, c := range l.Clients {
		if !regexp.MustCompile(`^127\.0\.0\.1:\d+$`).MatchString(c.Address) || c.Since.IsZero() {
			t.Errorf("%+v", c)
		}
		if c.Kind == "wire" && (c.Token != "desk" || c.Senders != 1 || c.Listeners != 1 || c.EventsIn != 1 || c.Address != wire.LocalAddr().String()) {
			t.Errorf("%+v", c)
		}
	}
	for _, c := range l.Clients {
		if c.Kind == "HTTP" {
			continue
		}
		if a := s.do(t, "DELETE", fmt.Sprint("/clients/", c.ID), "", "Authorization: Bearer "+secrets["admin"]); a.status != 204 {
			t.Errorf("%+v: %d %s", c, a.status, a.text)
		}
	}
	for _, conn := range []io.Reader{pysig, wire, silent, stream.Body} {
		if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
	}
	var status struct {
		Clients int
		Store   string
		Events  uint64
		Refused map[string]uint64
	}
	a := s.do(t, "GET", "/status", "", "Authorization: Bearer "+secrets["admin"])
	if err := json.Unmarshal([]byte(a.text), &status); err != nil || status.Clients < 1 || status.Store != "none" || status.Events < 2 || status.Refused == nil {
		t.Errorf("%s %v", a.text, err)
	}
}

// A publisher that is too fast is told when to try again, and nothing of what it sent then
// is published.
func TestTooFast(t *testing.T) {
	s := newSite(t, &sig.ServerOptions{Limits: sig.Limits{Events: 1}})
	heard := s.heard(t)
	n := 0
	var a answer
	for ; n < 100; n++ {
		if a = s.do(t, "POST", "/s/e", "x", "Accept: application/json"); a.status != 200 {
			break
		}
	}
	if n < 10 || n > 12 || a.status != 429 || a.head.Get("Retry-After") != "1" || !regexp.MustCompile(`^{"error":"events come too fast: at most 1 per second are allowed: try again in \d+ms","retry_after":0\.\d+}\n$`).MatchString(a.text) {
		t.Errorf("%d events, then %d %v %s", n, a.status, a.head, a.text)
	}
	for _, path := range []string{"/topic", "/message", "/"} {
		if a := s.do(t, "POST", path, "message=x&sender=s&event=e&topic=x", "Content-Type: application/x-www-form-urlencoded"); a.status != 429 || a.head.Get("Retry-After") != "1" {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
	if all := heard(); len(all) != n {
		t.Errorf("%d events", len(all))
	}
	time.Sleep(1100 * time.Millisecond)
	if a := s.do(t, "POST", "/s/e", "x"); a.status != 200 {
		t.Errorf("after that: %d %s", a.status, a.text)
	}
}

func TestStreamsAreLimited(t *testing.T) {
	s := newSite(t, &sig.ServerOptions{Limits: sig.Limits{Streams: 2}})
	open := func() *http.Response {
		t.Helper()
		r, err := client.Get(s.url + "/events")
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for range 2 {
		r := open()
		defer r.Body.Close()
		if r.StatusCode != 200 {
			t.Error(r.Status)
		}
	}
	if r := open(); r.StatusCode != 503 || r.Header.Get("Retry-After") != "5" {
		t.Error(r.Status, r.Header)
	}
	s.SetLimits(sig.Limits{Streams: 3})
	r := open()
	defer r.Body.Close()
	if r.StatusCode != 200 {
		t.Error(r.Status)
	}
}

// Bodies that are begun and left give way to others, the oldest first; what is finished is
// published.
func TestReading(t *testing.T) {
	s := newSite(t, &sig.ServerOptions{Limits: sig.Limits{Reading: 2 << 20}})
	const long = 1 << 20
	var left []net.Conn
	for i := range 6 {
		conn := s.dial(t)
		left = append(left, conn)
		_, _ = fmt.Fprintf(conn, "POST /a/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", long, strings.Repeat("x", long-1))
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			st := s.Stats()
			if st.Reading == min(i+1, 2)*long && refusedReading(st) == uint64(max(0, i-1)) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("after body %d, %d bytes, and %d have given way", i, st.Reading, refusedReading(st))
			}
		}
	}
	for i, conn := range left[:3] {
		a, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || a.StatusCode != 503 || a.Header.Get("Retry-After") != "1" {
			t.Errorf("body %d: %v %v", i, a, err)
		}
	}
	if a := s.do(t, "POST", "/a/b", strings.Repeat("x", long-10)); a.status != 200 {
		t.Errorf("%d %s", a.status, a.text)
	}
	if st := s.Stats(); st.Reading > 2<<20 || refusedReading(st) < 3 {
		t.Errorf("%d bytes, and %d have given way", st.Reading, refusedReading(st))
	}
	message := s.dial(t) // on the wire: the same limit is for both
	_, _ = fmt.Fprintf(message, `{"method": "%s`, strings.Repeat("x", long))
	if text, _ := io.ReadAll(left[5]); !strings.Contains(string(text), "503") {
		t.Errorf("a body does not give way to a message: %q", text)
	}
	for range 100 { // what is short is not in the way
		if a := s.do(t, "POST", "/a/b", strings.Repeat("x", 10_000)); a.status != 200 {
			t.Errorf("%d %s", a.status, a.text)
		}
	}
}

func refusedReading(st sig.Stats) uint64 { return st.Refused["reading"] }

// badStore is a store of a disk that fails.
type badStore struct {
	sig.Store
	err error
}

func (badStore) Load(func(sig.StoredEvent)) sig.StoreState { return sig.StoreState{Epoch: "e"} }
func (badStore) Append(sig.StoredEvent)                    {}
func (badStore) Kept(_ uint64, done func())                { done() }
func (badStore) Handed(uint64)                             {}
func (b badStore) Failing() error                          { return b.err }

// Health is for everybody, and says of a store that fails only that it does.
func TestHealth(t *testing.T) {
	for _, tc := range []struct {
		err  error
		text string
		up   string
	}{
		{nil, "ok\n", "1"},
		{errors.New("/var/lib/secret: no space left"), "degraded: the store cannot be written, and events are kept in memory only\n", "0"},
	} {
		s := newSite(t, &sig.ServerOptions{Store: badStore{err: tc.err}})
		if a := s.do(t, "GET", "/healthz", ""); a.status != 200 || a.text != tc.text {
			t.Errorf("%d %s", a.status, a.text)
		}
		if a := s.do(t, "GET", "/metrics", ""); !strings.Contains(a.text, "\nsigalert_store_up "+tc.up+"\n") || strings.Contains(a.text, "/var") {
			t.Error(a.text)
		}
	}
}

// A router that is about to end is not well.
func TestHealthAtTheEnd(t *testing.T) {
	w := httptest.NewRecorder()
	gateway.EndingHandler(sig.NewServerRouter(nil)).ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/healthz", nil))
	if w.Code != 503 || w.Body.String() != "the router is ending: try again\n" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

var (
	metricName = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	metricLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^{}]*)\})? ([0-9.+-]+|\+Inf)$`)
	labelPair  = regexp.MustCompile(`^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)`)
)

// parseMetrics is strict about Prometheus' text format: every metric has its help and its
// type, once, before its lines, which come together and are all different.
func parseMetrics(t testing.TB, text string) map[string]float64 {
	t.Helper()
	values, kinds, now := make(map[string]float64), make(map[string]string), ""
	for line := range strings.Lines(text) {
		line, ok := strings.CutSuffix(line, "\n")
		if !ok {
			t.Errorf("no end: %q", line)
		}
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, help, _ := strings.Cut(rest, " ")
			if now = name; !metricName.MatchString(name) || help == "" || kinds[name] != "" {
				t.Errorf("%q", line)
			}
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, kind, _ := strings.Cut(rest, " ")
			if name != now || kinds[name] != "" || !slices.Contains([]string{"counter", "gauge", "histogram"}, kind) || (kind == "counter") != strings.HasSuffix(name, "_total") {
				t.Errorf("%q", line)
			}
			kinds[name] = kind
			continue
		}
		m := metricLine.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("not a metric: %q", line)
			continue
		}
		base := m[1]
		if kinds[now] == "histogram" {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				base = strings.TrimSuffix(base, suffix)
			}
		}
		if base != now || kinds[now] == "" {
			t.Errorf("out of place: %q", line)
		}
		for rest := m[2]; rest != ""; {
			l := labelPair.FindStringSubmatch(rest)
			if l == nil {
				t.Fatalf("labels: %q", line)
			}
			rest = rest[len(l[0]):]
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if _, again := values[m[1]+m[2]]; again || err != nil || value < 0 {
			t.Errorf("twice, or no number: %q", line)
		}
		values[m[1]+m[2]] = value
	}
	return values
}

func TestMetrics(t *testing.T) {
	names := []string{"admin"}
	for i := range 110 {
		names = append(names, fmt.Sprintf("t%03d", i))
	}
	s, secrets := administered(t, names...)
	token := func(name string) string { return "Authorization: Bearer " + secrets[name] }
	for _, name := range names[1:] {
		if a := s.do(t, "POST", "/secret-sender/secret-event", "secret-data", token(name)); a.status != 200 {
			t.Fatal(a.text)
		}
	}
	_ = s.do(t, "POST", "/s/e", "x", token("wrong"))
	a := s.do(t, "GET", "/metrics", "", token("t007"))
	if n := strings.Count(a.text, "{token="); a.status != 200 || n != 4 || n != strings.Count(a.text, `{token="t007"}`) {
		t.Errorf("a token sees others: %s", a.text)
	}
	a = s.do(t, "GET", "/metrics", "", token("admin"))
	if a.status != 200 || a.head.Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" {
		t.Fatal(a.status, a.head)
	}
	values := parseMetrics(t, a.text)
	for name, want := range map[string]float64{
		"sigalert_events_total": 110, "sigalert_events_in_total": 110, "sigalert_not_admitted_total": 1,
		`sigalert_http_refused_totalstatus="401"`: 1, `sigalert_token_events_in_totaltoken="t005"`: 1,
		`sigalert_publish_seconds_bucketle="+Inf"`: 110, "sigalert_publish_seconds_count": 110,
		`sigalert_refused_totallimit="events"`: 0, "sigalert_remembered_events": 110,
	} {
		if got, ok := values[name]; !ok || got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if n := values["sigalert_goroutines"]; n < 5 {
		t.Errorf("%v goroutines", n)
	}
	last := 0.0
	for line := range strings.Lines(a.text) {
		if strings.HasPrefix(line, "sigalert_publish_seconds_bucket") {
			n, _ := strconv.ParseFloat(strings.Fields(line)[1], 64)
			if n < last {
				t.Errorf("a bucket is smaller than the one before: %s", line)
			}
			last = n
		}
	}
	if n := strings.Count(a.text, "sigalert_token_events_in_total{"); n != 100 {
		t.Errorf("%d tokens have metrics", n)
	}
	for _, no := range append([]string{"secret-", "127.0.0.1", "sha256"}, secrets["t000"], secrets["admin"]) {
		if strings.Contains(a.text, no) {
			t.Errorf("the metrics have %s", no)
		}
	}
	if size := len(values); size > 600 {
		t.Errorf("%d series", size)
	}
}
