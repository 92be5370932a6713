package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

func newListener(t testing.TB, s *site, sender, event sig.Name) <-chan sig.Event {
	t.Helper()
	arrived := make(chan sig.Event, 1000)
	c := sig.NewClientRouter(tcp.NewClient(s.addr), nil)
	t.Cleanup(wait.Start(context.Background(), c.Run))
	l := c.AddRemoteListener(sender, event, func(ev sig.Event) { arrived <- ev })
	for status := sig.Pending; status != sig.Active; status, _ = c.Status(l) {
		time.Sleep(time.Millisecond)
	}
	return arrived
}

// Whatever is refused is not published, not even in part, and the next request is
// answered.
func TestRefused(t *testing.T) {
	s := newSite(t, nil)
	heard := s.heard(t)
	for _, tc := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		want                     string // a part of the line
	}{
		{"not JSON", "POST", "/me/hello", `{"a": }`, []string{asJSON}, 400, "byte 7"},
		{"empty JSON", "POST", "/me/hello", ``, []string{asJSON}, 400, "empty"},
		{"deep JSON", "POST", "/me/hello", strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), []string{asJSON}, 400, "not JSON"},
		{"two values", "POST", "/me/hello", `1 2`, []string{asJSON}, 400, "byte 3"},
		{"three parts", "POST", "/a/b/c", "x", nil, 404, "two parts"},
		{"no event", "POST", "/a/", "x", nil, 400, "empty"},
		{"no sender", "POST", "//b", "x", nil, 400, "empty"},
		{"a presence event", "POST", "/a/%23connect", "x", nil, 400, "cannot be published"},
		{"a long name", "POST", "/a/" + strings.Repeat("b", 1100), "x", nil, 414, "shorter"},
		{"a long head", "POST", "/a/" + strings.Repeat("b", 70_000), "x", nil, 431, "431"},
		{"a long id", "POST", "/a/b?id=" + strings.Repeat("i", 129), "x", nil, 400, "128"},
		{"parameters that are none", "POST", "/a/b?title=%zz", "x", nil, 400, "percent"},
		{"a large body", "POST", "/a/b", strings.Repeat("x", 1<<20+1), nil, 413, "1048576"},
		{"a body that becomes large", "POST", "/a/b", strings.Repeat("\x01", 1<<19), nil, 413, "send less"},
		{"a packed body", "POST", "/a/b", "x", []string{"Content-Encoding: gzip"}, 415, "as it is"},
		{"a stream of a long name", "GET", "/events?sender=" + strings.Repeat("b", 1025), "", nil, 414, "shorter"},
		{"a message that is a number", "POST", "/message", `{"message": 5}`, []string{asJSON}, 400, "(message cannot be a number)"},
		{"a message that is a list", "POST", "/message", `[1]`, []string{asJSON}, 400, "(it is not an object)"},
		{"GET", "GET", "/a/b", "", nil, 405, "POST"},
		{"DELETE", "DELETE", "/a/b", "", nil, 405, "POST"},
		{"an odd method", "FROB", "/events", "", nil, 405, "GET"},
		{"POST to the stream", "POST", "/events", "", nil, 405, "GET"},
		{"no topic", "POST", "/", `{"message": "x"}`, nil, 400, "topic"},
		{"a topic that is none", "POST", "/", `{"topic": 5}`, nil, 400, "topic"},
		{"broken JSON", "POST", "/", `{"topic": `, nil, 400, "not JSON"},
		{"nothing at /", "POST", "/", ``, nil, 400, "sender"},
		{"no form", "POST", "/", `hello`, nil, 400, "form"},
		{"no message", "POST", "/message", `title=x`, []string{"Content-Type: application/x-www-form-urlencoded"}, 400, "message is missing"},
		{"an odd message", "POST", "/message", `{"message": 5}`, []string{asJSON}, 400, "not as expected"},
		{"a bad form of parts", "POST", "/message", `--x`, []string{"Content-Type: multipart/form-data; boundary=x"}, 400, "not a form"},
		{"since nothing", "GET", "/events?since=yesterday", "", nil, 400, "since"},
		{"an odd format", "GET", "/events?format=xml", "", nil, 400, "format"},
		{"an unknown name", "POST", "/a/b", "x", []string{"Host: evil.example"}, 421, "evil.example"},
		{"an unknown name with a port", "GET", "/", "", []string{"Host: evil.example:3000"}, 421, "evil.example"},
		{"another origin", "POST", "/a/b", "x", []string{"Origin: http://evil.example"}, 403, "another site"},
		{"a sandbox", "POST", "/a/b", "x", []string{"Origin: null"}, 403, "another site"},
		{"another port", "POST", "/a/b", "x", []string{"Origin: http://127.0.0.1:1"}, 403, "another site"},
		{"a page of another site", "POST", "/", "sender=a&event=b", []string{"Sec-Fetch-Site: cross-site"}, 403, "another site"},
		{"a page of the same site", "POST", "/message", "message=x", []string{"Sec-Fetch-Site: same-site"}, 403, "another site"},
		{"another site's stream", "GET", "/events", "", []string{"Sec-Fetch-Site: cross-site"}, 403, "another site"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := s.do(t, tc.method, tc.path, tc.body, tc.headers...)
			if a.status != tc.status || !strings.Contains(a.text, tc.want) || strings.Count(strings.TrimSpace(a.text), "\n") > 0 {
				t.Errorf("%d %s", a.status, a.text)
			}
			if origin := a.head.Get("Access-Control-Allow-Origin"); origin != "" {
				t.Errorf("CORS is open: %s", origin)
			}
			if got := heard(); len(got) > 0 {
				t.Errorf("%.200s was published", got)
			}
		})
	}
	if a := s.do(t, "POST", "/a/b", "{", asJSON, "Accept: application/json"); !strings.HasPrefix(a.text, `{"error":"the body is not JSON`) {
		t.Error(a.text)
	}
}

func TestAllowed(t *testing.T) {
	s := newSite(t, nil)
	heard := s.heard(t)
	for _, headers := range [][]string{
		{"Host: localhost:3000"}, {"Host: ROUTER.example."}, {"Host: [::1]:3000"}, {"Host: 192.0.2.1"}, {"Origin: " + s.url}, {"Sec-Fetch-Site: none"},
	} {
		if a := s.do(t, "POST", "/a/b", "x", headers...); a.status != 200 || len(heard()) != 1 {
			t.Errorf("%s: %d %s", headers, a.status, a.text)
		}
	}
	if got := s.raw(t, "POST /a/b HTTP/1.0\r\nContent-Length: 1\r\n\r\nx"); !strings.Contains(got, " 200 ") || len(heard()) != 1 {
		t.Errorf("HTTP/1.0: %s", got)
	}
}

func TestMethods(t *testing.T) {
	s := newSite(t, nil)
	for path, want := range map[string]string{
		"/": "GET, HEAD, POST, PUT, OPTIONS", "/events": "GET, HEAD, OPTIONS", "/healthz": "GET, HEAD, OPTIONS",
		"/message": "POST, OPTIONS", "/topic": "POST, PUT, OPTIONS", "/a/b": "POST, PUT, OPTIONS",
	} {
		if a := s.do(t, "OPTIONS", path, "", "Origin: http://evil.example", "Access-Control-Request-Method: POST"); a.status != 204 || a.head.Get("Allow") != want || a.head.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %s", path, a.status, a.head)
		}
		if strings.HasPrefix(want, "GET") {
			if a := s.do(t, "HEAD", path, ""); a.status != 200 || a.text != "" {
				t.Errorf("HEAD %s: %d %s", path, a.status, a.text)
			}
		} else if a := s.do(t, "HEAD", path, ""); a.status != 405 || a.head.Get("Allow") != want {
			t.Errorf("HEAD %s: %d %s", path, a.status, a.head)
		}
	}
	if a := s.do(t, "GET", "/healthz", ""); a.status != 200 || a.text != "ok\n" {
		t.Errorf("%d %s", a.status, a.text)
	}
}

// A body that ends early, or has no end, is not published.
func TestHalf(t *testing.T) {
	s := newSite(t, nil)
	heard := s.heard(t)
	const head = "POST /a/b HTTP/1.1\r\nHost: localhost\r\n"
	for _, text := range []string{
		head + "Content-Length: 10\r\n\r\nhalf", head + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", head + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n\r\n",
		head + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nhalf!",
	} {
		conn := s.dial(t)
		_, _ = io.WriteString(conn, text)
		_ = conn.(*net.TCPConn).CloseWrite()
		answer, _ := io.ReadAll(conn)
		if strings.Contains(string(answer), " 200 ") {
			t.Errorf("%q: %s", text, answer)
		}
	}
	conn := s.dial(t)
	_, _ = io.WriteString(conn, head+"Transfer-Encoding: chunked\r\n\r\n")
	go func() { // until the connection ends
		chunk := "10000\r\n" + strings.Repeat("x", 0x10000) + "\r\n"
		for err := error(nil); err == nil; {
			_, err = io.WriteString(conn, chunk)
		}
	}()
	if answer, _ := io.ReadAll(conn); !strings.HasPrefix(string(answer), "HTTP/1.1 413 ") {
		t.Errorf("a body without an end: %.200s", answer)
	}
	if got := heard(); len(got) > 0 {
		t.Errorf("%.200s was published", got)
	}
}

// A client that tries TLS is turned away, and that is logged once.
func TestTLS(t *testing.T) {
	s := newSite(t, nil)
	for range 3 {
		if conn, err := tls.Dial("tcp", s.addr, &tls.Config{InsecureSkipVerify: true}); err == nil {
			conn.Close()
			t.Error("the port has TLS")
		}
	}
	if n := strings.Count(s.log.String(), "use http://"); n != 1 {
		t.Errorf("it is logged %d times: %s", n, s.log)
	}
}

// A message of the router's own protocol may begin with white space.
func TestWire(t *testing.T) {
	s := newSite(t, nil)
	conn := s.dial(t)
	_, _ = io.WriteString(conn, ` {"id": 1, "method": "get_version"}`)
	b := make([]byte, 100)
	if n, err := conn.Read(b); err != nil || !strings.Contains(string(b[:n]), "1.01") {
		t.Errorf("%v %s", err, b)
	}
}

// HTTP's connections count as clients.
func TestCounted(t *testing.T) {
	s := newSite(t, &sig.ServerOptions{Limits: sig.Limits{Clients: 8}})
	for range 6 { // as many as one address may have
		conn := s.dial(t)
		_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if _, err := conn.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
	}
	if answer := s.raw(t, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); strings.Contains(answer, "200") {
		t.Errorf("the seventh is answered: %s", answer)
	}
}

// A client of HTTP that has spoken does not give way to others of its address.
func TestKept(t *testing.T) {
	s := newSite(t, nil)
	ask := func(conn net.Conn) {
		t.Helper()
		_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
		if a, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || a.StatusCode != 200 {
			t.Fatalf("%v, %v", a, err)
		} else if _, err = io.Copy(io.Discard, a.Body); err != nil {
			t.Fatal(err)
		}
	}
	first := s.dial(t)
	ask(first)
	for range 300 {
		ask(s.dial(t))
	}
	ask(first)
}

// The end does not wait for clients that say or read nothing.
func TestEnd(t *testing.T) {
	s := newSite(t, nil)
	for _, text := range []string{"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /a/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nx", "GET", "{"} {
		_, _ = io.WriteString(s.dial(t), text)
	}
	s.dial(t)
	if a := s.do(t, http.MethodPost, "/a/b", "x"); a.status != 200 {
		t.Error(a.text)
	}
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	} else {
		t.Logf("it took %s", took)
	}
}
