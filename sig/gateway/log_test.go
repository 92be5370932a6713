package gateway_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigalert/internal/token"
	"sigalert/sig"
)

const trace = slog.Level(-8)

// Whatever a peer does again and again, the log has few lines of it, and at no level a
// token, right or wrong.
func TestLog(t *testing.T) {
	path, log := filepath.Join(t.TempDir(), "tokens.json"), new(text)
	right, err := token.ParseRight("*")
	if err != nil {
		t.Fatal(err)
	}
	secret, err := token.New(path, token.Entry{Name: "desk", Listen: []token.Right{right}, Send: []token.Right{right}})
	if err != nil {
		t.Fatal(err)
	}
	book, err := token.Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: trace}))
	s := newSite(t, &sig.ServerOptions{Access: book, Logger: logger, Limits: sig.Limits{Events: 1, Listeners: 1, Senders: 1}})
	wrong := "sigalert_" + strings.Repeat("w", 43)
	stream := func(token string) string {
		return fmt.Sprintf(`{"id": 1, "method": "get_version", "params": {"features": ["stream", "replay", "publish"], "token": %q}}`+"\n", token)
	}
	add := `{"id": 2, "method": "add_sender", "params": {"sender": "s", "events": []}}` + "\n"
	request := func(line string, headers ...string) string {
		return line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + strings.Join(append(headers, ""), "\r\n") + "\r\n"
	}
	basic := func(secret string) string { return base64.StdEncoding.EncodeToString([]byte("me:" + secret)) }
	const times = 60
	for name, send := range map[string]func(secret string) string{
		"nothing":         func(string) string { return "" },
		"a token":         func(secret string) string { return secret + "\n" },
		"a list":          func(secret string) string { return strings.Repeat(fmt.Sprintf(`["get_version", %q]`, secret), 50) },
		"half a greeting": func(secret string) string { return stream(secret)[:80] },
		"a bad greeting":  func(secret string) string { return strings.Replace(stream(secret), "}}", "}!}", 1) },
		"no object": func(secret string) string {
			return fmt.Sprintf(`{"id": 1, "method": "get_version", "params": %q}`, secret)
		},
		"a greeting": stream,
		"params": func(secret string) string {
			return stream(secret) + fmt.Sprintf(`{"method": "signal", "params": %q}`+"\n", secret)
		},
		"refused events": func(secret string) string {
			return stream(secret) + strings.Repeat(`{"method": "signal", "params": {"info": {"sender": "x", "event": "y"}}}`+"\n", 50)
		},
		"many senders":     func(secret string) string { return stream(secret) + strings.Repeat(add, 50) },
		"after the stream": func(secret string) string { return stream(secret) + secret + "\n" },
		"TLS":              func(secret string) string { return "\x16\x03\x01" + secret },
		"HTTP": func(secret string) string {
			return request("GET /events", "Authorization: Bearer "+secret, "Accept: application/json")
		},
		"basic": func(secret string) string {
			return request("POST /topic", "Authorization: Basic "+basic(secret), "Content-Length: 0")
		},
		"in the address": func(secret string) string { return request("POST /message?token="+secret, "Content-Length: 0") },
		"ntfy's": func(secret string) string {
			return request("POST /topic?auth="+base64.RawURLEncoding.EncodeToString([]byte("Bearer "+secret)), "Content-Length: 0")
		},
		"gotify's": func(secret string) string {
			return request("POST /message", "X-Gotify-Key: "+secret, "Content-Length: 0")
		},
		"a bad header": func(secret string) string { return request("GET /events", "Authorization Bearer "+secret) },
		"a bad line":   func(secret string) string { return "GET /" + secret + "\r\n\r\n" },
		"a bad path": func(secret string) string {
			return request("POST /message?token="+secret+"&x=%zz", "Content-Length: 0")
		},
	} {
		before := strings.Count(log.String()+s.log.String(), "\n")
		for i := range times {
			which := secret
			if i%2 == 0 {
				which = wrong
			}
			conn, err := net.Dial("tcp", s.addr)
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = io.WriteString(conn, send(which))
			if i < 4 { // the others do not wait for the answer
				_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
				_, _ = io.Copy(io.Discard, conn)
			}
			conn.Close()
		}
		t.Logf("%s: %d lines", name, strings.Count(log.String()+s.log.String(), "\n")-before)
	}
	time.Sleep(200 * time.Millisecond)
	all := log.String() + s.log.String()
	for _, secret := range []string{secret, wrong} {
		for _, part := range []string{secret, secret[len(secret)-20:], secret[:20], basic(secret)[:30]} {
			if i := strings.Index(all, part); i >= 0 {
				t.Errorf("the log has %s: %.300s", part, all[max(0, i-100):])
			}
		}
	}
	lines := make(map[string]int)
	for line := range strings.Lines(all) {
		if _, rest, ok := strings.Cut(line, " msg="); ok && !strings.Contains(line, "level=DEBUG") {
			message, _, _ := strings.Cut(rest, "=")
			lines[message]++
		}
	}
	for message, n := range lines {
		if n > 30 {
			t.Errorf("%d lines of %s", n, message)
		}
	}
	if len(lines) < 3 {
		t.Errorf("what should be logged is not: %v", lines)
	}
}
