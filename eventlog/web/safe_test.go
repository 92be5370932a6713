package web_test

import (
	"cmp"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/internal/outcome"
)

// Another site's page cannot change anything, whatever the method; a script
// that is no browser's, and a person who types the address, can.
func TestCrossSite(t *testing.T) {
	s := newFilled(t, web.Options{})
	for _, c := range []struct {
		headers string
		refused bool
	}{
		{headers: ""}, // no browser
		{headers: "Sec-Fetch-Site: none"},
		{headers: "Sec-Fetch-Site: same-origin"},
		{headers: "Sec-Fetch-Site: cross-site", refused: true},
		{headers: "Sec-Fetch-Site: same-site", refused: true}, // another port
		{headers: "Sec-Fetch-Site: anything", refused: true},
		{headers: "Origin: SELF"}, // a browser from before Sec-Fetch-Site
		{headers: "Origin: http://evil.test", refused: true},
		{headers: "Origin: http://127.0.0.1:1", refused: true},
		{headers: "Origin: null", refused: true},
		{headers: "Sec-Fetch-Site: cross-site\nOrigin: SELF", refused: true},
		{headers: "Sec-Fetch-Site: none\nSec-Purpose: prefetch;prerender", refused: true}, // while the address is typed
	} {
		var headers []string
		if c.headers != "" {
			headers = strings.Split(strings.ReplaceAll(c.headers, "SELF", s.url), "\n")
		}
		for _, address := range []string{"/clear", "/flush", "/add", "/remove?sender=nobody", "/rem?sender=nobody", "/config?limit=7", "/cfg?limit=7"} {
			for _, method := range []string{"GET", "POST"} {
				status, text, _ := s.do(t, method, address, nil, headers...)
				if got := status == 403; got != c.refused {
					t.Errorf("%s %s with %s: %d %s", method, address, c.headers, status, text)
				}
			}
		}
	}
}

// Where browsers do not say whose page sends a GET, the token does: a session
// is not enough, as every page's requests have it.
func TestCrossSiteOffLoopback(t *testing.T) {
	open := newFilled(t, web.Options{Hosts: []string{"log.test"}})
	closed := newFilled(t, web.Options{Hosts: []string{"log.test"}, Token: "correct"})
	const name = "Host: log.test:8080"
	_, _, head := closed.do(t, "POST", "/login", url.Values{"token": {"correct"}}, name, "Origin: http://log.test:8080")
	session, _, _ := strings.Cut("Cookie: "+head.Get("Set-Cookie"), ";")
	for _, c := range []struct {
		site            *site
		method, address string
		headers         []string
		want            int
	}{
		{open, "GET", "/clear", []string{name}, 403},
		{open, "GET", "/clear?token=x", []string{name}, 403},
		{open, "GET", "/clear", []string{"Host: 10.1.2.3"}, 403},
		{open, "GET", "/clear", []string{"Host: 0.0.0.0:8080"}, 403}, // leads to this machine, and browsers know no better
		{open, "GET", "/clear", []string{"Host: [::ffff:127.0.0.1]"}, 403},
		{open, "GET", "/clear", []string{name, "Sec-Fetch-Site: none"}, 200}, // behind a reverse proxy with encryption
		{open, "GET", "/clear", []string{name, "Origin: http://log.test:8080"}, 200},
		{open, "GET", "/clear", []string{"Host: LOCALHOST:1"}, 200},
		{open, "GET", "/clear", []string{"Host: [::1]:1"}, 200},
		{open, "POST", "/clear", []string{name}, 200}, // no browser: those send Origin
		{open, "GET", "/?fmt=plain", []string{name}, 200},
		{closed, "GET", "/clear", []string{name}, 401},
		{closed, "GET", "/clear", []string{name, session}, 403},
		{closed, "GET", "/config?limit=7", []string{name, session}, 403},
		{closed, "GET", "/clear", []string{name, session, "Authorization: Bearer wrong"}, 403},
		{closed, "GET", "/clear?token=correct", []string{name}, 200},
		{closed, "GET", "/clear", []string{name, "Authorization: Bearer correct"}, 200},
		{closed, "GET", "/clear?token=correct", []string{name, "Origin: http://evil.test"}, 403},
		{closed, "POST", "/clear", []string{name, session, "Origin: http://log.test:8080"}, 200},
		{closed, "POST", "/clear", []string{name, session, "Origin: http://log.test:8081"}, 403},
	} {
		if status, text, _ := c.site.do(t, c.method, c.address, nil, c.headers...); status != c.want {
			t.Errorf("%s %s %v: %d %s", c.method, c.address, c.headers, status, text)
		}
	}
}

// Who only looks whether an address is there changes nothing.
func TestHead(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("timer", "tick", "1"))
	for address, want := range map[string]int{"/": 200, "/api/events": 200, "/clear": 405, "/remove": 405, "/config?limit=1": 405} {
		if status, _, _ := s.do(t, "HEAD", address, nil); status != want {
			t.Errorf("HEAD %s: %d", address, status)
		}
	}
	if got := s.events(t, ""); got != "1" || s.log.Limits().Count != pysigLimit {
		t.Errorf("afterwards: %s, %+v", got, s.log.Limits())
	}
}

// A Host that is a name must be ours: another may have been made to lead here.
func TestHost(t *testing.T) {
	s := newFilled(t, web.Options{Hosts: []string{"log.example"}}, entry("timer", "tick", "1"))
	own, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"localhost": 200, "localhost:1": 200, "LOCALHOST.:8080": 200, "127.0.0.1": 200, "[::1]:8080": 200, "10.1.2.3:80": 200,
		"log.example": 200, "log.example:8080": 200, own: 200,
		"evil.test": 421, "evil.test:8080": 421, "127.0.0.1.evil.test": 421, "localhost.evil.test": 421, "2130706433": 421,
	} {
		for _, request := range []string{"GET /", "POST /clear", "GET /api/events", "GET /healthz"} {
			method, address, _ := strings.Cut(request, " ")
			if status, text, _ := s.do(t, method, address, nil, "Host: "+host); status != want {
				t.Errorf("%s at %s: %d %.100s", request, host, status, text)
			}
		}
	}
}

// What to do about a name that is not known is the program's to say.
func TestHostAdvice(t *testing.T) {
	for advice, want := range map[string]string{
		"":                    "use the machine's address",
		"name it with --host": "name it with --host",
	} {
		s := newFilled(t, web.Options{HostAdvice: advice})
		if _, text, _ := s.do(t, "GET", "/", nil, "Host: evil.test"); text != `this log is not known as "evil.test": `+want+"\n" {
			t.Errorf("%q: %s", advice, text)
		}
	}
}

func TestHeaders(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("timer", "tick", `"<script>alert(1)</script>"`))
	for _, address := range []string{"/", "/regs", "/api/events", "/config", "/nowhere", "/assets/log.js"} {
		_, _, head := s.do(t, "GET", address, nil)
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; ",
			"X-Content-Type-Options":  "nosniff",
			"X-Frame-Options":         "DENY",
			"Referrer-Policy":         "same-origin",
		} {
			if !strings.HasPrefix(head.Get(name), want) {
				t.Errorf("%s: %s is %q", address, name, head.Get(name))
			}
		}
		if head.Get("Access-Control-Allow-Origin") != "" || strings.Contains(head.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s: %v", address, head)
		}
	}
}

// Whatever an event carries is text on the page.
func TestEscaping(t *testing.T) {
	const evil = `</script><script>alert(1)</script>"'><img src=x onerror=alert(2)>`
	quoted := `"</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>"`
	e := entry(evil, evil, quoted)
	e.Why = evil
	e.Outcome = outcome.Held
	s := newFilled(t, web.Options{}, e)
	if _, err := s.subscriber.Add(t.Context(), eventlog.Topic{Sender: evil, Event: evil}); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"/", "/?q=" + url.QueryEscape("<script>"), "/?sender=" + url.QueryEscape(evil), "/regs"} {
		text := s.get(t, address)
		if strings.Contains(text, "<script>alert") || strings.Contains(text, "<img src=x") {
			t.Errorf("%s: %s", address, text)
		}
		if !strings.Contains(text, "&lt;script&gt;") {
			t.Errorf("%s does not show it", address)
		}
	}
	for _, address := range []string{"/?fmt=plain", "/regs?fmt=plain", "/api/events", "/nowhere/<script>", "/?fmt=<script>"} {
		if _, _, head := s.do(t, "GET", address, nil); strings.Contains(head.Get("Content-Type"), "html") {
			t.Errorf("%s is %s", address, head.Get("Content-Type"))
		}
	}
}

// Text for a terminal has nothing that a terminal obeys.
func TestPlainTextIsPlain(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("a\x1b[31m", "b\r\nc", `"\u001b[2J\u202e x"`), entry("e", "e", `{"a": "caf\u00e9"}`))
	text := s.get(t, "/?fmt=plain")
	if strings.ContainsAny(text, "\x1b\r\u202e") || strings.Count(text, "\n") != 2 {
		t.Errorf("%q", text)
	}
	if !strings.Contains(text, `{"a": "café"}`) {
		t.Errorf("%q", text)
	}
}

func TestToken(t *testing.T) {
	s := newFilled(t, web.Options{Token: "correct"}, entry("timer", "tick", "1"))
	const page = "Accept: text/html"
	for _, c := range []struct {
		method, address string
		headers         []string
		want            int
	}{
		{"GET", "/", nil, 401},
		{"GET", "/", []string{page}, 401},
		{"GET", "/api/events", nil, 401},
		{"GET", "/api/stream", nil, 401},
		{"GET", "/metrics", nil, 401},
		{"GET", "/clear", nil, 401},
		{"POST", "/clear", nil, 401},
		{"GET", "/?fmt=plain&token=wrong", nil, 401},
		{"GET", "/?key=correct", nil, 401},
		{"GET", "/?fmt=plain", []string{"Authorization: Bearer wrong"}, 401},
		{"GET", "/?fmt=plain", []string{"Authorization: Basic correct"}, 401},
		{"GET", "/?fmt=plain&token=correct", nil, 200},
		{"GET", "/?fmt=plain", []string{"Authorization: Bearer correct"}, 200},
		{"POST", "/clear", []string{"Authorization: Bearer correct"}, 200},
		{"GET", "/healthz", nil, 200},
		{"GET", "/assets/log.css", nil, 200},
	} {
		status, text, _ := s.do(t, c.method, c.address, nil, c.headers...)
		if status != c.want || status == 401 && strings.Contains(text, "tick") {
			t.Errorf("%s %s %v: %d %s", c.method, c.address, c.headers, status, text)
		}
	}
}

// Whatever is refused is said as JSON under /api and to who accepts JSON, else
// as a line of text.
func TestRefusals(t *testing.T) {
	s := newFilled(t, web.Options{})
	closed := newFilled(t, web.Options{Token: "correct"})
	for _, c := range []struct {
		site            *site
		method, address string
		headers         []string
		status          int
	}{
		{s, "GET", "/api/events", []string{"Host: evil.test"}, 421},
		{s, "GET", "/", []string{"Host: evil.test"}, 421},
		{s, "GET", "/api/events?x=1", nil, 400},
		{s, "GET", "/api/events?before=x", nil, 400},
		{s, "GET", "/api/stream?since=x", nil, 400},
		{s, "GET", "/?x=1", nil, 400},
		{s, "GET", "/?before=x", nil, 400},
		{s, "GET", "/regs?fmt=x", nil, 400},
		{s, "GET", "/config?limit=x", nil, 400},
		{s, "GET", "/clear", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{s, "GET", "/api/nowhere", nil, 404},
		{s, "GET", "/api/events/1", nil, 404},
		{s, "GET", "/nowhere", nil, 404},
		{s, "GET", "/assets/page.html", nil, 404},
		{s, "POST", "/api/events", nil, 405},
		{s, "POST", "/", nil, 405},
		{s, "DELETE", "/clear", nil, 405},
		{closed, "GET", "/api/events", nil, 401},
		{closed, "GET", "/api/events", []string{"Accept: text/html"}, 401},
		{closed, "GET", "/clear", nil, 401},
		{closed, "POST", "/login", nil, 401},
		{closed, "POST", "/login", []string{"Origin: http://evil.test"}, 403},
	} {
		for _, accepts := range []bool{false, true} {
			headers := c.headers
			if accepts {
				headers = append([]string{"Accept: application/json"}, headers...)
			}
			status, text, head := c.site.do(t, c.method, c.address, nil, headers...)
			var said struct{ Error string }
			isJSON := head.Get("Content-Type") == "application/json" && json.Unmarshal([]byte(text), &said) == nil && said.Error != ""
			if want := accepts || strings.HasPrefix(c.address, "/api/"); status != c.status || isJSON != want {
				t.Errorf("%s %s %v: %d %s", c.method, c.address, headers, status, text)
			}
			if allow := head.Get("Allow"); (allow == "") != (status != 405) {
				t.Errorf("%s %s: %d, Allow: %q", c.method, c.address, status, allow)
			}
		}
	}
}

// A person logs in with the token once; the session is a cookie that no script
// and no other site's request has.
func TestLogin(t *testing.T) {
	s := newFilled(t, web.Options{Token: "correct"}, entry("timer", "tick", "1"))
	if _, text, _ := s.do(t, "GET", "/", nil, "Accept: text/html"); !strings.Contains(text, `action="login"`) {
		t.Errorf("no form to log in with: %s", text)
	}
	status, text, head := s.do(t, "POST", "/login", url.Values{"token": {"wrong"}}, "Accept: text/html")
	if status != 401 || !strings.Contains(text, "Wrong token") || head.Get("Set-Cookie") != "" {
		t.Errorf("with a wrong token: %d %s", status, text)
	}
	status, _, _ = s.do(t, "POST", "/login", url.Values{"token": {"correct"}}, "Sec-Fetch-Site: cross-site")
	if status != 403 {
		t.Errorf("from another site: %d", status)
	}
	status, _, head = s.do(t, "POST", "/login", url.Values{"token": {"correct"}}, "Accept: text/html")
	cookie := head.Get("Set-Cookie")
	if status != 303 || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || head.Get("Location") != "./" {
		t.Fatalf("%d, cookie %q", status, cookie)
	}
	value, _, _ := strings.Cut(cookie, ";")
	if status, text, _ := s.do(t, "GET", "/", nil, "Cookie: "+value); status != 200 || !strings.Contains(text, "tick") {
		t.Errorf("with the session: %d %s", status, text)
	}
	for _, bad := range []string{value + "0", strings.Replace(value, "=1", "=9", 1), "sigalert-1=" + value, "x"} {
		if status, _, _ := s.do(t, "GET", "/", nil, "Cookie: "+bad); status != 401 {
			t.Errorf("with the cookie %q: %d", bad, status)
		}
	}
	other, err := web.New(s.log, web.Options{Token: "another", Source: source{s.subscriber, ""}})
	if err != nil {
		t.Fatal(err)
	}
	if got := answers(t, other, s.url, value); got != 401 {
		t.Errorf("a session of another token: %d", got)
	}
	same, err := web.New(s.log, web.Options{Token: "correct", Source: source{s.subscriber, ""}})
	if err != nil {
		t.Fatal(err)
	}
	if got := answers(t, same, s.url, value); got != 200 {
		t.Errorf("after a restart: %d", got)
	}
}

// Of wrong tokens an address may try ten, and then one each second: the right one
// among more of them is not looked at.
func TestGuessing(t *testing.T) {
	inBubble(t, web.Options{Token: "correct"}, func(t *testing.T, _ *eventlog.Log, m memory) {
		guess := func(times int) (answered int) {
			t.Helper()
			began := time.Now()
			for range times {
				if response, _ := m.ask(t, "/?token=guess"); response.StatusCode == 401 {
					answered++
				} else if response.StatusCode != 429 || response.Header.Get("Retry-After") != "1" {
					t.Errorf("a guess: %s, %v", response.Status, response.Header)
				}
			}
			if took := time.Since(began); took != 0 {
				t.Errorf("the guesses take %v", took)
			}
			return answered
		}
		if n := guess(60); n != 10 {
			t.Errorf("of 60 guesses at once %d are answered", n)
		}
		if response, _ := m.ask(t, "/?fmt=plain&token=correct"); response.StatusCode != 429 {
			t.Errorf("with the token among them: %s", response.Status)
		}
		time.Sleep(time.Second)
		if n := guess(60); n != 1 {
			t.Errorf("a second later %d are answered", n)
		}
		time.Sleep(time.Second)
		for range 60 { // none of them is wrong
			if response, _ := m.ask(t, "/?fmt=plain&token=correct"); response.StatusCode != 200 {
				t.Errorf("with the token: %s", response.Status)
			}
		}
	})
}

// Whoever guesses keeps nobody at another address out.
func TestGuessingElsewhere(t *testing.T) {
	s := newFilled(t, web.Options{Token: "correct"})
	from := func(address, token string) int {
		r := httptest.NewRequest("GET", "http://localhost/?fmt=plain&token="+token, nil)
		r.RemoteAddr = address
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		return w.Code
	}
	for range 20 {
		from("10.0.0.1:5", "guess")
		from("[2001:db8::1]:5", "guess")
	}
	for address, want := range map[string]int{
		"10.0.0.1:6": 429, "10.0.0.2:5": 200, "[2001:db8::2]:5": 429, "[2001:db8:0:1::1]:5": 200, "[::ffff:10.0.0.1]:5": 429,
	} {
		if got := from(address, "correct"); got != want {
			t.Errorf("from %s: %d, want %d", address, got, want)
		}
	}
}

// A person may open the page with the token in the address: it then has a
// session, and the token is no longer in the address.
func TestTokenInTheAddress(t *testing.T) {
	s := newFilled(t, web.Options{Token: "correct"})
	status, _, head := s.do(t, "GET", "/?token=correct&sender=timer", nil, "Accept: text/html")
	if status != 303 || head.Get("Location") != "./?sender=timer" || head.Get("Set-Cookie") == "" {
		t.Errorf("%d to %s, %v", status, head.Get("Location"), head)
	}
}

// A one-time key opens the page once.
func TestOneTimeKey(t *testing.T) {
	s := newFilled(t, web.Options{Private: true}, entry("timer", "tick", "1"))
	for _, address := range []string{"/", "/?key=", "/?key=guess", "/?token="} {
		if status, text, _ := s.do(t, "GET", address, nil, "Accept: text/html"); status != 401 || strings.Contains(text, "tick") {
			t.Errorf("%s: %d %s", address, status, text)
		}
	}
	key := s.handler.Key()
	for _, look := range []string{"HEAD", "GET Sec-Purpose: prefetch"} { // which does not use it up
		method, header, _ := strings.Cut(look, " ")
		if status, _, _ := s.do(t, method, "/?key="+key, nil, cmp.Or(header, "Accept: */*")); status != 401 {
			t.Errorf("%s: %d", look, status)
		}
	}
	status, _, head := s.do(t, "GET", "/?key="+key, nil)
	if status != 303 || head.Get("Location") != "./" {
		t.Fatalf("with the key: %d, to %s", status, head.Get("Location"))
	}
	value, _, _ := strings.Cut(head.Get("Set-Cookie"), ";")
	if status, text, _ := s.do(t, "GET", "/", nil, "Cookie: "+value); status != 200 || !strings.Contains(text, "tick") {
		t.Errorf("with the session: %d %s", status, text)
	}
	if status, _, _ := s.do(t, "GET", "/?key="+key, nil); status != 401 {
		t.Errorf("with the key again: %d", status)
	}
}

// answers is the status that a handler gives to a request for the page.
func answers(t *testing.T, h http.Handler, address, cookie string) int {
	t.Helper()
	r := httptest.NewRequest("GET", address+"/", nil)
	r.Header.Set("Cookie", cookie)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}
