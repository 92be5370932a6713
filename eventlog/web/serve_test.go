package web_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/eventlog"
	"sigalert/eventlog/web"
)

// A browser's connection in reserve does not hold up the end.
func TestUnusedConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		m, served := serveMemory(t, ctx)
		near, far := net.Pipe()
		defer near.Close()
		m <- far
		synctest.Wait()
		began := time.Now()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the end takes %v", took)
		}
	})
}

// Clients that read nothing, or never finish what they ask, do not hold up the end.
func TestStuckClients(t *testing.T) {
	for name, request := range map[string]string{
		"a stream": "GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a page":   "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"a body":   "POST /clear HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n",
		"a head":   "GET / HTTP/1.1\r\nHost: ",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				m, served := serveMemory(t, ctx)
				near, far := net.Pipe()
				defer near.Close()
				m <- far
				if _, err := io.WriteString(near, request); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				began := time.Now()
				cancel()
				if err := <-served; err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took > 2*time.Second {
					t.Errorf("the end takes %v", took)
				}
			})
		})
	}
}

// A listener that fails ends the streams too, and at once.
func TestListenerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, served := serveMemory(t, t.Context())
		conn := m.dial(t, "/api/stream")
		defer conn.Close()
		go io.Copy(io.Discard, conn)
		synctest.Wait()
		began := time.Now()
		m <- nil
		if err := <-served; !errors.Is(err, errEnded) {
			t.Error(err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("the end takes %v", took)
		}
	})
}

// serveMemory serves a log until ctx ends; then served has what Serve returns.
func serveMemory(t *testing.T, ctx context.Context) (m memory, served <-chan error) {
	t.Helper()
	log, err := eventlog.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := web.New(log, web.Options{Source: silent{}})
	if err != nil {
		t.Fatal(err)
	}
	m = make(memory)
	ended := make(chan error)
	go func() { ended <- handler.Serve(ctx, m) }()
	return m, ended
}
