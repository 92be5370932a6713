package gateway_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/sig"
	"sigalert/sig/gateway"
)

// inBubble runs a test with a router, and what dials it, on a clock of its own.
func inBubble(t *testing.T, test func(t *testing.T, s *sig.ServerRouter, dial func() net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		s := sig.NewServerRouter(nil)
		ctx, cancel := context.WithCancel(t.Context())
		take, wait := gateway.ServeConns(ctx, s)
		var conns []net.Conn
		test(t, s, func() net.Conn {
			near, far := net.Pipe()
			conns = append(conns, near)
			go take(far)
			return near
		})
		for _, c := range conns {
			c.Close()
		}
		cancel()
		wait()
	})
}

// A request has its time to arrive, and a connection has it between two requests.
func TestPatience(t *testing.T) {
	const head = "POST /a/b HTTP/1.1\r\nHost: localhost\r\n"
	for _, tc := range []struct {
		name, text string
		after      time.Duration
		want       string
	}{
		{"nothing", "", 10 * time.Second, ""},
		{"half a head", head, 10 * time.Second, ""},
		{"half a body", head + "Content-Length: 5\r\n\r\nx", 31 * time.Second, "408 Request Timeout"},
		{"half a body for what is not here", "POST /a/b/c HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nx", time.Second, "404 Not Found"},
		{"no second request", head + "Content-Length: 1\r\n\r\nx", 60 * time.Second, "200 OK"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *sig.ServerRouter, dial func() net.Conn) {
				conn := dial()
				began := time.Now()
				go io.WriteString(conn, tc.text)
				answer, err := io.ReadAll(conn)
				if !strings.Contains(string(answer), tc.want) || tc.want == "" && len(answer) > 0 {
					t.Errorf("%s (%v)", answer, err)
				}
				if took := time.Since(began).Round(time.Second); took != tc.after {
					t.Errorf("it took %s, not %s", took, tc.after)
				}
			})
		})
	}
}

// A body that arrives slowly, but in time, is published.
func TestSlowBody(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sig.ServerRouter, dial func() net.Conn) {
		conn := dial()
		go func() {
			for _, part := range []string{"POST /a/b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\n", "x", "y"} {
				_, _ = io.WriteString(conn, part)
				time.Sleep(14 * time.Second)
			}
		}()
		if answer, _ := io.ReadAll(conn); !strings.HasPrefix(string(answer), "HTTP/1.1 200") {
			t.Errorf("%s", answer)
		}
		time.Sleep(time.Minute) // the writer
	})
}

// A stream shows that it is alive, for hours, and ends for a reader that does not
// read.
func TestStreamLasts(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sig.ServerRouter, dial func() net.Conn) {
		conn := dial()
		_, _ = io.WriteString(conn, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		lines := bufio.NewScanner(conn)
		beats := 0
		for began := time.Now(); time.Since(began) < time.Hour && lines.Scan(); {
			if lines.Text() == ":" {
				beats++
			}
		}
		if beats < 239 || beats > 242 {
			t.Errorf("%d signs of life in an hour (%v)", beats, lines.Err())
		}
		time.Sleep(25 * time.Second)
		if _, err := s.Publish(sig.Publication{Sender: "a", Event: "b"}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		time.Sleep(11 * time.Second)
		done, err := s.Publish(sig.Publication{Sender: "a", Event: "b"})
		if err != nil || done.Listeners != 0 {
			t.Errorf("after %s without reading it still has %d listeners (%v)", time.Since(began), done.Listeners, err)
		}
	})
}
