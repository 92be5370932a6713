package gateway_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigalert/internal/certificate"
	"sigalert/internal/certificate/certificatetest"
	"sigalert/sig"
)

// Whatever a request has, its answer is one that this package gives, and it is
// published if and only if the answer says so.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][5]string{
		{"POST", "/me/hello?title=T", "application/json", "Priority: 5", `{"n": 1}`},
		{"PUT", "/%23a%2F/%00", "text/plain", "Title: =?UTF-8?B?w7w=?=", "hello"},
		{"POST", "/topic?p=4", "", `Actions: view, "L", https://u; http, x, y`, "hello"},
		{"POST", "/", "application/json", "", `{"topic": "a", "actions": [{"action": "view", "url": "u"}], "tags": [1]}`},
		{"POST", "/", "application/x-www-form-urlencoded", "", "sender=a&event=b&message=c"},
		{"POST", "/message", "multipart/form-data; boundary=x", "", "--x\r\nContent-Disposition: form-data; name=\"message\"\r\n\r\nhi\r\n--x--\r\n"},
		{"POST", "/message", "application/json", "", `{"message": "m", "priority": 8, "extras": {"client::notification": {"click": {"url": "u"}}}}`},
		{"GET", "/?sent=3&sender=a", "", "", ""},
		{"HEAD", "/events?since=A-1&format=json", "", "Last-Event-ID: x", ""},
		{"OPTIONS", "*", "", "", ""},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4])
	}
	s := newSite(f, nil)
	heard := s.heard(f)
	f.Fuzz(func(t *testing.T, method, target, contentType, header, body string) {
		if method == "GET" && strings.HasPrefix(target, "/events") || method == "CONNECT" {
			return // a stream has no end
		}
		if strings.ContainsAny(method+target+contentType+header, "\r\n") || strings.ContainsAny(method+target, " ") || method == "" || method[0] < 'A' || method[0] > 'Z' {
			return
		}
		var b bytes.Buffer
		b.WriteString(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n")
		if contentType != "" {
			b.WriteString("Content-Type: " + contentType + "\r\n")
		}
		if header != "" {
			b.WriteString(header + "\r\n")
		}
		size, _ := json.Marshal(len(body))
		b.WriteString("Content-Length: " + string(size) + "\r\n\r\n" + body)
		response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(s.raw(t, b.String()))), &http.Request{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		published := response.StatusCode == 200 && (method == "POST" || method == "PUT") || response.StatusCode == 303
		switch response.StatusCode {
		case 200, 204, 303, 400, 403, 404, 405, 408, 413, 414, 415, 417, 421, 431, 501, 505:
		default:
			t.Errorf("%s", response.Status)
		}
		if got := heard(); published && len(got) != 1 || !published && len(got) > 0 {
			t.Errorf("%s, and these are published: %q", response.Status, got)
		}
	})
}

// Whatever the first bytes are, with TLS or within it or where there is none, the router
// ends the connection or answers as these bytes demand, and goes on.
func FuzzFirstBytes(f *testing.F) {
	const without, before, within = 0, 1, 2 // of TLS
	hello := clientHello(f)
	for _, seed := range []string{
		"{", " {\"id\": 1, \"method\": \"get_version\"}", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "\x16\x03\x01\x02\x00", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"G", "get / HTTP/1.0\r\n\r\n", "\x00", "[", "", "\x16", hello, hello[:len(hello)/2], hello + hello, hello + "GET / HTTP/1.1\r\n\r\n", "\x15\x03\x01\x00\x02\x02\x28", "\x80\x2e\x01\x03\x01",
	} {
		for how := range 3 {
			f.Add([]byte(seed), uint8(how))
		}
	}
	plain := newSite(f, nil)
	authorities, err := certificate.LoadAuthorities(authorityFile(f), slog.New(slog.DiscardHandler))
	if err != nil {
		f.Fatal(err)
	}
	secure, https := newSecureSiteWith(f, nil, authorities.Verify)
	config := https.Transport.(*http.Transport).TLSClientConfig
	f.Fuzz(func(t *testing.T, text []byte, how uint8) {
		if bytes.HasPrefix(text, []byte("GET /events")) {
			return
		}
		s := secure
		if how %= 3; how == without {
			s = plain
		}
		var conn interface {
			net.Conn
			CloseWrite() error
		}
		raw, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer raw.Close()
		_ = raw.SetDeadline(time.Now().Add(20 * time.Second))
		conn = raw.(*net.TCPConn)
		if how == within {
			conn = tls.Client(raw, config)
		}
		if _, err := conn.Write(text); err == nil {
			_ = conn.CloseWrite()
		}
		answer, err := io.ReadAll(conn)
		if e, ok := err.(net.Error); ok && e.Timeout() {
			t.Fatalf("the connection stays open; it has answered %q", answer)
		}
		isHTTP, isWire := bytes.HasPrefix(answer, []byte("HTTP/1.")), bytes.HasPrefix(answer, []byte("{"))
		switch {
		case len(answer) == 0:
		case isHTTP && (text[0] < 'A' || text[0] > 'Z'):
			t.Errorf("HTTP answers %.20q", text)
		case text[0] == 0x16 && how == before && (isHTTP || isWire):
			t.Errorf("%.20q, without TLS, answers what begins as TLS", answer)
		case isWire && 'A' <= text[0] && text[0] <= 'Z':
			t.Errorf("the wire answers %.20q", text)
		}
		if _, err := s.Publish(sig.Publication{Sender: "a", Event: "b"}); err != nil {
			t.Error(err)
		}
	})
}

// clientHello is how a client begins TLS.
func clientHello(t testing.TB) string {
	t.Helper()
	near, far := net.Pipe()
	defer far.Close()
	go func() {
		_ = tls.Client(near, &tls.Config{ServerName: "localhost"}).Handshake()
		near.Close()
	}()
	text := make([]byte, 4096)
	n, err := far.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(text[:n])
}

func authorityFile(t testing.TB) string {
	path := filepath.Join(t.TempDir(), "ca.pem")
	writeFile(t, path, certificatetest.NewAuthority(t).PEM())
	return path
}
