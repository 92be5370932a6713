package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"sigalert/internal/certificate"
	"sigalert/sig"
	"sigalert/sig/gateway"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

func TestMain(m *testing.M) { sigtest.Main(m) }

// site is a router whose port answers HTTP.
type site struct {
	*sig.ServerRouter
	addr string
	url  string
	log  *text
	stop func()
}

func newSite(t testing.TB, opts *sig.ServerOptions) *site {
	t.Helper()
	return newSiteWith(t, opts, nil)
}

func newSiteWith(t testing.TB, opts *sig.ServerOptions, secured *tls.Config) *site {
	t.Helper()
	carrier, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	carrier.TLS = secured
	s := &site{ServerRouter: sig.NewServerRouter(opts), addr: carrier.Addr(), url: "http://" + carrier.Addr(), log: new(text)}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		o := gateway.Options{Hosts: []string{"router.example"}, Logger: slog.New(slog.NewTextHandler(s.log, nil))}
		if err := gateway.Serve(ctx, s.ServerRouter, carrier, &o); err != nil {
			t.Error(err)
		}
	}()
	s.stop = func() {
		cancel()
		<-served
	}
	t.Cleanup(func() {
		s.stop()
		client.CloseIdleConnections()
	})
	return s
}

// text is what was written, by anyone.
type text struct {
	mu sync.Mutex
	b  strings.Builder
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// heard collects the events from now on, each as a line.
func (s *site) heard(t testing.TB) func() []string {
	t.Helper()
	var mu sync.Mutex
	var all []string
	_, err := s.AddListener("", "", func(ev sig.Event) {
		data, err := ev.Data.Text()
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, string(ev.Sender.JSON())+" "+string(ev.Event.JSON())+" "+string(data))
	})
	if err != nil {
		t.Fatal(err)
	}
	return func() (since []string) {
		mu.Lock()
		defer mu.Unlock()
		since, all = all, nil
		return since
	}
}

var client = &http.Client{
	Timeout:       20 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// answer is a response with its body.
type answer struct {
	status int
	text   string
	head   http.Header
}

// do sends a request with headers "Name: value".
func (s *site) do(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, string(text), response.Header}
}

// raw sends text as it is, and returns everything that comes back.
func (s *site) raw(t testing.TB, text string) string {
	t.Helper()
	conn := s.dial(t)
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	all, _ := io.ReadAll(conn) // the router may reset the connection
	return string(all)
}

func (s *site) dial(t testing.TB) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return conn
}

// follow opens a stream and returns its lines, without the empty ones.
func (s *site) follow(t testing.TB, parameters string, headers ...string) (next func() string, end func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	r, err := http.NewRequestWithContext(ctx, "GET", s.url+"/events"+parameters, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	response, err := new(http.Transport).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	end = func() {
		cancel()
		response.Body.Close()
	}
	t.Cleanup(end)
	if response.StatusCode != 200 {
		text, _ := io.ReadAll(response.Body)
		t.Fatalf("%d %s", response.StatusCode, text)
	}
	scanner := bufio.NewScanner(response.Body)
	scanner.Buffer(nil, 4<<20)
	return func() string {
		t.Helper()
		for scanner.Scan() {
			if line := scanner.Text(); line != "" && line != ":" {
				return line
			}
		}
		t.Fatalf("the stream has ended: %v", scanner.Err())
		return ""
	}, end
}

// newSecureSite is newSite with TLS; its url is https.
func newSecureSite(t testing.TB, opts *sig.ServerOptions) (*site, *http.Client) {
	t.Helper()
	return newSecureSiteWith(t, opts, func(*tls.Config) {})
}

func newSecureSiteWith(t testing.TB, opts *sig.ServerOptions, more func(*tls.Config)) (*site, *http.Client) {
	t.Helper()
	text, err := certificate.New([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(text, text)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	more(config)
	s := newSiteWith(t, opts, config)
	s.url = "https://" + s.addr
	roots := x509.NewCertPool()
	roots.AddCert(pair.Leaf)
	secure := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	t.Cleanup(secure.CloseIdleConnections)
	return s, secure
}
