package web_test

import (
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"sigalert/eventlog/web"
)

// No page names an address from the root of its host, where a reverse proxy may have
// something else.
func TestLinksAreRelative(t *testing.T) {
	s := newFilled(t, web.Options{}, entry("a", "x", "1"), entry("a", "x", "2"))
	closed := newFilled(t, web.Options{Token: "correct"})
	page := "Accept: text/html"
	_, login, _ := closed.do(t, "GET", "/", nil, page)
	_, problem, _ := s.do(t, "POST", "/config", url.Values{"limit": {"x"}}, page)
	_, script, _ := s.do(t, "GET", "/assets/log.js", nil)
	_, style, _ := s.do(t, "GET", "/assets/log.css", nil)
	rooted := regexp.MustCompile(`(href|src|action)="/[^"]*"|(fetch|EventSource|replace)\("/[^"]*"|url\(/`)
	for name, text := range map[string]string{
		"page": s.get(t, "/?limit=1"), "filtered": s.get(t, "/?sender=a&before=9999999999999999"), "regs": s.get(t, "/regs"),
		"login": login, "problem": problem, "script": script, "style": style,
	} {
		if found := rooted.FindAllString(text, -1); found != nil || text == "" {
			t.Errorf("%s: %q", name, found)
		}
	}
}

// The session's cookie goes over encrypted connections alone if a proxy on this
// machine says that the browser's is one; and to the page's own folder.
func TestCookieBehindProxy(t *testing.T) {
	s := newFilled(t, web.Options{Token: "correct"})
	for _, c := range []struct {
		from, proto string
		secure      bool
	}{
		{"127.0.0.1:5", "https", true},
		{"[::1]:5", "HTTPS", true},
		{"[::ffff:127.0.0.1]:5", "https", true},
		{"127.0.0.1:5", "http", false},
		{"127.0.0.1:5", "", false},
		{"10.1.2.3:5", "https", false}, // anyone could say so
	} {
		r := httptest.NewRequest("POST", "http://log.test/login", strings.NewReader("token=correct"))
		r.Host = "localhost"
		r.RemoteAddr = c.from
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if c.proto != "" {
			r.Header.Set("X-Forwarded-Proto", c.proto)
		}
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		cookie := w.Header().Get("Set-Cookie")
		if w.Code != 303 || strings.Contains(cookie, "; Secure") != c.secure || strings.Contains(cookie, "Path=") {
			t.Errorf("%+v: %d, %q", c, w.Code, cookie)
		}
	}
}

// nginx must not hold back what a stream sends.
func TestStreamIsNotBuffered(t *testing.T) {
	s := newFilled(t, web.Options{})
	for address, want := range map[string]string{"/api/stream": "no", "/api/stream?fmt=html": "no", "/": ""} {
		if _, _, head := s.do(t, "HEAD", address, nil); head.Get("X-Accel-Buffering") != want {
			t.Errorf("%s: %v", address, head)
		}
	}
}
