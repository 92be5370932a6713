package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/internal/outcome"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

func TestEvents(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("a", "x", "1"), entry("b", "x", `"ÉTÉ"`), entry("a", "y", `{"k": [1]}`), entry(sig.Number(5), "", ""))
	first := s.log.State().First
	for parameters, want := range map[string]string{
		"":                                  `null {"k":[1]} "ÉTÉ" 1`,
		"limit=2":                           `null {"k":[1]}`,
		"sender=a":                          `{"k":[1]} 1`,
		"sender=5":                          "null",
		"event=x":                           `"ÉTÉ" 1`,
		"q=%C3%A9t%C3%A9":                   `"ÉTÉ"`,
		fmt.Sprint("since=", first+1):       `null {"k":[1]}`,
		fmt.Sprint("since=", first+2):       "null",
		"since=0":                           `null {"k":[1]} "ÉTÉ" 1`,
		fmt.Sprint("before=", first+1):      "1",
		"since=2026-01-02T03:04:05Z":        `null {"k":[1]} "ÉTÉ" 1`,
		"since=2026-01-02T03:04:06%2B00:00": "",
		"since=10m":                         "",
	} {
		if got := s.events(t, parameters); got != want {
			t.Errorf("%s: %s, want %s", parameters, got, want)
		}
	}
	want := fmt.Sprintf(`{"id":%d,"time":"2026-01-02T03:04:05.006Z","sender":5,"event":null,"data":null}`+"\n", first+3)
	if got := s.get(t, fmt.Sprint("/api/events/", first+3)); got != want {
		t.Errorf("one: %s, want %s", got, want)
	}
	s.expect(t, 404, fmt.Sprint("/api/events/", first+4))
}

// The parameter before leads through all pages, each event on one of them.
func TestPaging(t *testing.T) {
	var entries []eventlog.Entry
	want := ""
	for n := range 20 {
		entries = append(entries, entry("a", "x", fmt.Sprint(n)))
		want = fmt.Sprint(n) + " " + want
	}
	s := newFilled(t, web.Options{}, entries...)
	all, next, pages := "", uint64(0), 0
	for {
		address := "/api/events?limit=6"
		if next > 0 {
			address += fmt.Sprint("&before=", next)
		}
		var found struct {
			Events []struct{ Data int }
			Next   uint64
		}
		if err := json.Unmarshal([]byte(s.get(t, address)), &found); err != nil {
			t.Fatal(err)
		}
		for _, e := range found.Events {
			all += fmt.Sprint(e.Data) + " "
		}
		pages++
		if next = found.Next; next == 0 {
			break
		}
	}
	if all != want || pages != 4 {
		t.Errorf("%d pages: %s", pages, all)
	}
}

func TestOutcome(t *testing.T) {
	held := entry("a", "x", "1")
	held.Outcome, held.Why = outcome.Held, "paused"
	s := newFilled(t, web.Options{}, held)
	if got := s.get(t, "/api/events"); !strings.Contains(got, `"outcome":"held back","why":"paused"`) {
		t.Errorf("as JSON: %s", got)
	}
	if got := s.get(t, "/?fmt=plain"); got != held.Time.Local().Format("2006-01-02 15:04:05.000")+" a: x 1 [held back: paused]\n" {
		t.Errorf("as text: %s", got)
	}
	if got := s.get(t, "/"); !strings.Contains(got, "held back") || !strings.Contains(got, "paused") {
		t.Errorf("as a page: %s", got)
	}
}

// follow reads a stream's events, "name id data", until the test ends.
func (s *site) follow(t *testing.T, address string, headers ...string) (next func() string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if kind := response.Header.Get("Content-Type"); response.StatusCode != 200 || kind != "text/event-stream" {
		t.Fatalf("%s: %s, %s", address, response.Status, kind)
	}
	events := make(chan string, 10_000)
	go func() {
		defer close(events)
		name, id, data := "", "", ""
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			switch key {
			case "event":
				name = value
			case "id":
				id = value
			case "data":
				data += value + "\n"
			case "":
				if data != "" {
					events <- strings.TrimSpace(name + " " + id + " " + strings.TrimSpace(data))
				}
				name, id, data = "", "", ""
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		response.Body.Close()
		for range events {
		}
	})
	return func() string {
		t.Helper()
		select {
		case text, ok := <-events:
			if !ok {
				t.Fatal("the stream has ended")
			}
			return text
		case <-time.After(20 * time.Second):
			t.Fatal("nothing came within 20 s")
		}
		return ""
	}
}

func streamed(id uint64, sender string, data int) string {
	return fmt.Sprintf(`%d {"id":%d,"time":"2026-01-02T03:04:05.006Z","sender":%q,"event":"x","data":%d}`, id, id, sender, data)
}

// A stream has what is logged from then on, or from where it is told to begin.
func TestStream(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("a", "x", "1"), entry("b", "x", "2"))
	first := s.log.State().First
	next := s.follow(t, "/api/stream")
	since := s.follow(t, fmt.Sprint("/api/stream?since=", first))
	again := s.follow(t, "/api/stream", fmt.Sprint("Last-Event-ID: ", first))
	ofA := s.follow(t, fmt.Sprint("/api/stream?sender=a&since=", first-1))
	s.fill(t, entry("b", "x", "3"), entry("a", "x", "4"))
	for name, c := range map[string]struct {
		next func() string
		want []string
	}{
		"from now":           {next, []string{streamed(first+2, "b", 3), streamed(first+3, "a", 4)}},
		"since":              {since, []string{streamed(first+1, "b", 2), streamed(first+2, "b", 3)}},
		"after a reconnect":  {again, []string{streamed(first+1, "b", 2), streamed(first+2, "b", 3)}},
		"of one sender only": {ofA, []string{streamed(first, "a", 1), streamed(first+3, "a", 4)}},
	} {
		for _, want := range c.want {
			if got := c.next(); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	}
	if _, err := s.log.Clear(); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "cleared  {}" {
		t.Errorf("a clear: %s", got)
	}
	s.fill(t, entry("a", "x", "5"))
	if got := next(); got != streamed(first+4, "a", 5) {
		t.Errorf("after it: %s", got)
	}
}

// since=0 is from the first that there is, as a page of an empty log has it.
func TestStreamFromTheFirst(t *testing.T) {
	for name, address := range map[string][]string{
		"as a parameter":    {"/api/stream?since=0"},
		"after a reconnect": {"/api/stream", "Last-Event-ID: 0"},
		"from a time on":    {"/api/stream?since=2026-01-02T03:04:05Z"},
	} {
		s := newFilled(t, web.Options{}, entry("a", "x", "1"), entry("b", "x", "2"))
		first := s.log.State().First
		next := s.follow(t, address[0], address[1:]...)
		for _, want := range []string{streamed(first, "a", 1), streamed(first+1, "b", 2)} {
			if got := next(); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	}
	s := newFilled(t, web.Options{}, entry("a", "x", "1"))
	if rows := s.follow(t, "/api/stream?fmt=html&since=0")(); !strings.HasPrefix(rows, "rows ") {
		t.Errorf("the page: %s", rows)
	}
}

// Who comes back too late is told how much has gone.
func TestStreamTellsWhatIsMissed(t *testing.T) {
	s := newFilled(t, web.Options{})
	first := s.log.State().First
	var entries []eventlog.Entry
	for n := range 30 {
		entries = append(entries, entry("a", "x", fmt.Sprint(n)))
	}
	s.fill(t, entries...)
	next := s.follow(t, fmt.Sprint("/api/stream?since=", first+1))
	if got := next(); got != `missed  {"count": 8}` { // of 30 numbers from first, 20 are kept
		t.Errorf("missed: %s", got)
	}
	if got := next(); got != streamed(first+10, "a", 10) {
		t.Errorf("then: %s", got)
	}
}

// A log whose numbers end before what the client has seen is another log.
func TestStreamOfAnotherLog(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("a", "x", "1"))
	next := s.follow(t, "/api/stream?since=9000000000000000")
	if got := next(); got != "cleared  {}" {
		t.Errorf("first: %s", got)
	}
	if got := next(); got != streamed(s.log.State().First, "a", 1) {
		t.Errorf("then: %s", got)
	}
}

// A log in memory that begins anew has missed nothing of the one before.
func TestStreamOfANewMemory(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("a", "x", "1"))
	next := s.follow(t, fmt.Sprint("/api/stream?since=", s.log.State().Before-1000))
	if got := next(); got != "cleared  {}" {
		t.Errorf("first: %s", got)
	}
	if got := next(); got != streamed(s.log.State().First, "a", 1) {
		t.Errorf("then: %s", got)
	}
}

// A name cannot end a line of a stream, nor be subscribed to if no form could
// name it.
func TestControlCharacters(t *testing.T) {
	const evil = "a\revent: cleared\rdata: -\r\r"
	s := newFilled(t, web.Options{})
	if got := s.expect(t, 400, "/add?sender="+url.QueryEscape(evil)); !strings.Contains(got, "control character") {
		t.Errorf("add: %s", got)
	}
	for _, begun := range []string{"\x00", "\x0020", "\x00null", "\x00{}"} { // none is a number, nor every sender
		if got := s.expect(t, 400, "/add?sender="+url.QueryEscape(begun)); !strings.Contains(got, "control character") {
			t.Errorf("add: %s", got)
		}
	}
	if _, err := s.subscriber.Add(t.Context(), eventlog.Topic{Sender: evil}); err != nil {
		t.Fatal(err)
	}
	next := s.follow(t, "/api/stream?fmt=html")
	if got := next(); !strings.HasPrefix(got, "side ") || !strings.Contains(got, "nobody") {
		t.Errorf("the page gets: %s", got)
	}
	s.fill(t, entry("a", "x", "1"))
	for {
		if got := next(); strings.HasPrefix(got, "rows ") {
			break
		} else if !strings.HasPrefix(got, "side ") {
			t.Fatalf("the page gets: %s", got)
		}
	}
}

// The page's stream has rows as the page has them, and what is beside the log.
func TestPageStream(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("a", "x", "1"))
	next := s.follow(t, fmt.Sprint("/api/stream?fmt=html&sender=b&since=", s.log.State().Last))
	side := next()
	if !strings.HasPrefix(side, "side ") || !strings.Contains(side, "nobody") {
		t.Errorf("side: %s", side)
	}
	s.fill(t, entry("b", "x", `"<i>"`), entry("a", "x", "2"))
	rows := next()
	for strings.HasPrefix(rows, "side ") {
		rows = next()
	}
	if id := s.log.State().Last - 1; !strings.HasPrefix(rows, fmt.Sprintf("rows %d ", id)) || !strings.Contains(rows, fmt.Sprintf(`id="e%d"`, id)) ||
		!strings.Contains(rows, "&lt;i&gt;") || strings.Count(rows, "<li ") != 1 {
		t.Errorf("rows: %s", rows)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	s := newFilled(t, web.Options{})
	for range 100 {
		s.follow(t, "/api/stream")
	}
	if status, _, head := s.do(t, "HEAD", "/api/stream", nil); status != 200 || head.Get("Content-Type") != "text/event-stream" {
		t.Errorf("HEAD: %d, %v", status, head)
	}
	if status, text, head := s.do(t, "GET", "/api/stream", nil); status != 503 || head.Get("Retry-After") == "" {
		t.Errorf("one more: %d %s", status, text)
	}
}

func TestMetricsAndHealth(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("a", "x", "1"), entry("a", "x", "2"))
	s.log.Missed(3)
	text := s.get(t, "/metrics")
	for _, want := range []string{
		"# TYPE sigalert_log_events_total counter\nsigalert_log_events_total 2\n",
		"sigalert_log_entries 2\n", "sigalert_log_entries_limit 20\n", "sigalert_log_missed_total 3\n", "sigalert_log_connected 1\n",
		`sigalert_log_subscriptions{status="active"} 1` + "\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if got := s.get(t, "/healthz"); got != "ok\n" {
		t.Errorf("health: %s", got)
	}
}

// What the page says of the connection follows it.
func TestPageTellsOfTheConnection(t *testing.T) {
	server := sigtest.Serve(t, "127.0.0.1:0")
	s := newSite(t, server.Addr, web.Options{}, eventlog.Topic{Sender: "a"})
	if got := s.get(t, "/"); !strings.Contains(got, "Connected to "+server.Addr) {
		t.Errorf("with a server: %s", got)
	}
	server.Stop()
	s.await(t, func() bool { return strings.Contains(s.get(t, "/"), "No connection to "+server.Addr) })
	if got := s.expect(t, 202, "/add?sender=b"); got != "subscribed to every event of b, waiting for the server "+server.Addr+" to answer\n" {
		t.Errorf("add without a server: %s", got)
	}
	sigtest.Serve(t, server.Addr)
	s.await(t, func() bool {
		return s.get(t, "/regs?fmt=plain") == "every event of a (active)\nevery event of b (active)\n"
	})
}
