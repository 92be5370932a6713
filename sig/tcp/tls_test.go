package tcp_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/certificate"
	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

// pair is a certificate for the names.
func pair(t testing.TB, names ...string) tls.Certificate {
	t.Helper()
	text, err := certificate.New(names)
	if err != nil {
		t.Fatal(err)
	}
	c, err := tls.X509KeyPair(text, text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func rootsOf(c tls.Certificate) *x509.CertPool {
	roots := x509.NewCertPool()
	roots.AddCert(c.Leaf)
	return roots
}

// secureServer is a router with this certificate, whose Other answers "other: " and what
// it got.
func secureServer(t testing.TB, c tls.Certificate) (*sig.ServerRouter, string) {
	t.Helper()
	carrier, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	carrier.TLS = &tls.Config{Certificates: []tls.Certificate{c}}
	carrier.Other = func(_ context.Context, conn net.Conn) {
		text := make([]byte, 100)
		n, _ := conn.Read(text)
		m, _ := conn.Read(text[n:])
		conn.Write(append([]byte("other: "), text[:n+m]...))
	}
	server := sig.NewServerRouter(nil)
	t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { server.Serve(ctx, carrier) }))
	return server, carrier.Addr()
}

// Of one port, the wire and HTTP, each with and without TLS.
func TestTLSAtTheSamePort(t *testing.T) {
	_, addr := secureServer(t, pair(t, "127.0.0.1"))
	const version = `{"status": 0, "id": 1, "response": "1.01"}`
	for _, tc := range []struct {
		secure     bool
		send, want string
	}{
		{false, `{"id": 1, "method": "get_version"}`, version},
		{false, "GET / HTTP/1.1\r\n\r\n", "other: GET / HTTP/1.1\r\n\r\n"},
		{true, `{"id": 1, "method": "get_version"}`, version},
		{true, "GET / HTTP/1.1\r\n\r\n", "other: GET / HTTP/1.1\r\n\r\n"},
		{true, "\x00", ""},
		{false, "\x16\x03\x01\x00\x01\x00", ""},
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		if tc.secure {
			conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
		}
		io.WriteString(conn, tc.send)
		if c, ok := conn.(*net.TCPConn); ok {
			c.CloseWrite()
		} else {
			conn.(*tls.Conn).CloseWrite()
		}
		if got, err := io.ReadAll(conn); !strings.HasPrefix(string(got), tc.want) || tc.want == "" && len(got) > 0 {
			t.Errorf("%q (TLS: %v) is answered with %q, %v, want %q", tc.send, tc.secure, got, err, tc.want)
		}
	}
}

// Whom a client trusts.
func TestTrust(t *testing.T) {
	ours, other := pair(t, "127.0.0.1", "router.example"), pair(t, "127.0.0.1")
	elsewhere := pair(t, "elsewhere.example")
	_, addr := secureServer(t, ours)
	_, there := secureServer(t, elsewhere)
	fingerprint := tcp.Fingerprint(ours.Certificate[0])
	for _, tc := range []struct {
		name, addr string
		tls        *tcp.TLS
		want       string // of the error; "": none
	}{
		{"its authority", addr, &tcp.TLS{Roots: rootsOf(ours)}, ""},
		{"its authority, by another of its names", addr, &tcp.TLS{Roots: rootsOf(ours), Name: "router.example"}, ""},
		{"its fingerprint", addr, &tcp.TLS{Fingerprint: fingerprint}, ""},
		{"its fingerprint in capitals", addr, &tcp.TLS{Fingerprint: strings.ToUpper(strings.TrimPrefix(fingerprint, "sha256:"))}, ""},
		{"its fingerprint, whatever its names", there, &tcp.TLS{Fingerprint: tcp.Fingerprint(elsewhere.Certificate[0])}, ""},
		{"the system's authorities", addr, nil, "nobody known here has signed"},
		{"another authority", addr, &tcp.TLS{Roots: rootsOf(other)}, "nobody known here has signed"},
		{"another fingerprint", addr, &tcp.TLS{Fingerprint: tcp.Fingerprint(other.Certificate[0])}, "is another one: its fingerprint is " + fingerprint},
		{"another name", addr, &tcp.TLS{Roots: rootsOf(ours), Name: "other.example"}, "for other names"},
		{"another host", there, &tcp.TLS{Roots: rootsOf(elsewhere)}, "for other names"},
		{"no fingerprint", addr, &tcp.TLS{Fingerprint: "sha256:00"}, "is not a fingerprint"},
	} {
		conn, err := tcp.NewTLSClient(tc.addr, tc.tls).Dial(t.Context())
		if err == nil {
			conn.Close()
		}
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

// Events come over TLS as they do without it, and the client says where it is.
func TestEventsOverTLS(t *testing.T) {
	c := pair(t, "127.0.0.1")
	server, addr := secureServer(t, c)
	carrier := tcp.NewTLSClient(addr, &tcp.TLS{Roots: rootsOf(c)})
	if carrier.String() != "tls://"+addr {
		t.Error(carrier)
	}
	client := sig.NewClientRouter(carrier, &sig.ClientOptions{Since: new(sig.Position)})
	heard := make(chan sig.Event, 1000)
	client.ResumeRemoteListener("timer", "tick", func(ev sig.Event) { heard <- ev })
	t.Cleanup(wait.Start(t.Context(), client.Run))
	sender, err := server.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 1000 {
		if err := sender.Trigger("tick", n); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 1000 {
		var got int
		if ev := <-heard; ev.Data.Decode(&got) != nil || got != n {
			t.Fatalf("event %d is %v", n, ev.Data.Value())
		}
	}
}

// A client of a server without TLS is told so.
func TestNoTLS(t *testing.T) {
	carrier, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := sig.NewServerRouter(nil)
	t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { server.Serve(ctx, carrier) }))
	if conn, err := tcp.NewTLSClient(carrier.Addr(), nil).Dial(t.Context()); err == nil {
		conn.Close()
		t.Error("there is a connection")
	} else {
		t.Log(err)
	}
}

// Those that begin a handshake and go no further, or finish it and say nothing, are among
// the silent clients of their address, which have a limit, and hold up nobody.
func TestHandshakesThatStall(t *testing.T) {
	c := pair(t, "127.0.0.1")
	server, addr := secureServer(t, c)
	limits := server.Limits()
	limits.Clients = 1000 // a quarter may be silent for a while
	server.SetLimits(limits)
	stalled := make([]net.Conn, 300)
	for i := range stalled {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		switch i % 3 {
		case 1:
			io.WriteString(conn, "\x16\x03\x01")
		case 2:
			if err := tls.Client(conn, &tls.Config{RootCAs: rootsOf(c), ServerName: "127.0.0.1"}).Handshake(); err != nil {
				t.Fatal(err)
			}
		}
		stalled[i] = conn
	}
	conn, err := tcp.NewTLSClient(addr, &tcp.TLS{Roots: rootsOf(c)}).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	for i, conn := range stalled[:3] {
		conn.SetReadDeadline(time.Now().Add(5 * time.Second)) // before the handshake's own end
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%d has not given way", i)
		}
	}
}

// A handshake takes at most 10 s, however much of it arrives.
func TestHandshakeThatTrickles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		ended := make(chan struct{})
		defer func() {
			near.Close()
			<-ended
		}()
		go func() { // a record of 16 KiB
			defer close(ended)
			for _, b := range append([]byte{0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc}, make([]byte, 1<<14)...) {
				if _, err := near.Write([]byte{b}); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}()
		began := time.Now()
		serve, err := tcp.Greet(far, &tls.Config{Certificates: []tls.Certificate{pair(t, "127.0.0.1")}})
		if took := time.Since(began); serve || err == nil || took != 10*time.Second {
			t.Errorf("%v, %v after %v", serve, err, took)
		}
		far.Close()
		time.Sleep(time.Second) // until the trickle has ended
	})
}
