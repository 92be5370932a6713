package web_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/sig"
)

// memory is a listener whose connections are in memory, so that time can be a
// bubble's.
type memory chan net.Conn

func (m memory) Accept() (net.Conn, error) {
	conn, ok := <-m
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (m memory) Close() error {
	close(m)
	return nil
}

func (m memory) Addr() net.Addr { return &net.TCPAddr{} }

// dial asks for an address, and returns the connection.
func (m memory) dial(t *testing.T, address string) net.Conn {
	t.Helper()
	near, far := net.Pipe()
	m <- far
	if _, err := fmt.Fprintf(near, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", address); err != nil {
		t.Fatal(err)
	}
	return near
}

// silent is a source without a server.
type silent struct{}

func (silent) Server() string                         { return "nowhere" }
func (silent) Link() sig.LinkStatus                   { return sig.LinkStatus{} }
func (silent) Subscriptions() []eventlog.Subscription { return nil }

// inBubble runs a test with a log that is served in memory.
func inBubble(t *testing.T, test func(t *testing.T, log *eventlog.Log, m memory)) {
	synctest.Test(t, func(t *testing.T) {
		log, err := eventlog.Open(nil)
		if err != nil {
			t.Fatal(err)
		}
		handler, err := web.New(log, web.Options{Source: silent{}, Fixed: "nowhere"})
		if err != nil {
			t.Fatal(err)
		}
		m := make(memory)
		ctx, cancel := context.WithCancel(t.Context())
		served := make(chan error)
		go func() { served <- handler.Serve(ctx, m) }()
		written := make(chan struct{})
		go func() {
			defer close(written)
			log.Run(ctx)
		}()
		test(t, log, m)
		cancel()
		<-written
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// A stream lasts as long as its client.
func TestStreamLasts(t *testing.T) {
	inBubble(t, func(t *testing.T, log *eventlog.Log, m memory) {
		conn := m.dial(t, "/api/stream")
		defer conn.Close()
		lines := make(chan string, 1000)
		go func() {
			defer close(lines)
			for scan := bufio.NewScanner(conn); scan.Scan(); {
				lines <- scan.Text()
			}
		}()
		time.Sleep(10 * time.Minute)
		log.Offer(entry("a", "x", `"late"`))
		for line := range lines {
			if strings.Contains(line, `"late"`) {
				return
			}
		}
		t.Error("the stream has ended")
	})
}

// A client that takes nothing is left, and one that says nothing.
func TestIdleClients(t *testing.T) {
	inBubble(t, func(t *testing.T, log *eventlog.Log, m memory) {
		for name, conn := range map[string]net.Conn{
			"a stream that is not read": m.dial(t, "/api/stream"),
			"a page that is not read":   m.dial(t, "/"),
			"a request without an end":  m.dial(t, "/ HTTP/1.1\r\nX: "+strings.Repeat("x", 100)),
		} {
			time.Sleep(time.Minute)
			_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // fails where it has been left
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("%s is not left: %v", name, err)
			}
			conn.Close()
		}
		conn := m.dial(t, "/healthz")
		defer conn.Close()
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || response.StatusCode != 200 {
			t.Errorf("afterwards: %+v, %v", response, err)
		}
	})
}
