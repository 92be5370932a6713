package web_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"sigalert/eventlog/web"
)

// dial opens a connection to a site from an address of this machine.
func (s *site) dial(t *testing.T, from string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 5 * time.Second}
	conn, err := d.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// healthy expects /healthz to answer soon.
func (s *site) healthy(t *testing.T, from string) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return s.dial(t, from), nil }}
	response, err := (&http.Client{Transport: transport, Timeout: 3 * time.Second}).Get(s.url + "/healthz")
	if err != nil {
		t.Errorf("from %s: %v", from, err)
		return
	}
	response.Body.Close()
	if response.StatusCode != 200 {
		t.Errorf("from %s: %s", from, response.Status)
	}
}

// Whoever opens connections and says nothing, or too little, keeps nobody out: not at
// another address, and not at the same one.
func TestConnectionsWithoutRequests(t *testing.T) {
	for name, begun := range map[string]string{
		"nothing": "",
		"a head":  "GET / HTTP/1.1\r\nHost: localhost\r\n",
		"a body":  "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 30\r\n\r\ntoken=",
		"chunks":  "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntok",
		"another": "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newFilled(t, web.Options{Token: "correct"})
			stream := s.dial(t, "127.0.0.1")
			fmt.Fprint(stream, "GET /api/stream?token=correct HTTP/1.1\r\nHost: localhost\r\n\r\n")
			events := bufio.NewReader(stream)
			if line, err := events.ReadString('\n'); err != nil || !strings.Contains(line, "200") {
				t.Fatalf("the stream: %q, %v", line, err)
			}
			for i := range 1200 {
				_, _ = io.WriteString(s.dial(t, cmp.Or(map[int]string{3: "127.0.0.3"}[i%4], "127.0.0.1")), begun)
			}
			s.healthy(t, "127.0.0.2")
			s.healthy(t, "127.0.0.1")
			s.fill(t, entry("timer", "tick", `"still here"`))
			_ = stream.SetReadDeadline(time.Now().Add(5 * time.Second))
			for line := ""; !strings.Contains(line, "still here"); {
				var err error
				if line, err = events.ReadString('\n'); err != nil {
					t.Fatalf("the stream has ended: %v", err)
				}
			}
		})
	}
}

// An address has so many connections; of more, the oldest that waits is closed, and
// none of another address.
func TestConnectionsOfOneAddress(t *testing.T) {
	s := newFilled(t, web.Options{})
	other := s.dial(t, "127.0.0.2")
	oldest := s.dial(t, "127.0.0.3")
	for range 250 {
		s.dial(t, "127.0.0.3")
	}
	_ = oldest.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := oldest.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the oldest of 251 connections: %v, want %v", err, io.EOF)
	}
	_ = other.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := other.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection of another address: %v, want it open", err)
	}
}

// Guesses that are sent at once count like others: their bodies are held back until
// all have been begun.
func TestGuessingAtOnce(t *testing.T) {
	s := newFilled(t, web.Options{Token: "correct"})
	const body = "token=guess"
	var conns []net.Conn
	for range 200 {
		conn := s.dial(t, "127.0.0.1")
		fmt.Fprintf(conn, "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(body), body[:3])
		conns = append(conns, conn)
	}
	time.Sleep(200 * time.Millisecond) // for all heads to have arrived; with fewer the test shows less
	began := time.Now()
	for _, conn := range conns {
		_, _ = io.WriteString(conn, body[3:])
	}
	answered := 0
	for _, conn := range conns {
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		line, err := bufio.NewReader(conn).ReadString('\n')
		switch {
		case err != nil:
			t.Fatal(err)
		case strings.Contains(line, "401"):
			answered++
		case !strings.Contains(line, "429"):
			t.Errorf("a guess: %s", line)
		}
	}
	if most := 10 + int(time.Since(began).Seconds()+1); answered > most {
		t.Errorf("of %d guesses %d are answered, and should be at most %d", len(conns), answered, most)
	}
}
