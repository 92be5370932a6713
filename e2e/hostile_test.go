//go:build linux

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// hostile is a server that does to every connection what it should not.
type hostile struct {
	listener net.Listener
	accepted atomic.Int64
}

func newHostile(t testing.TB, attack func(net.Conn)) *hostile {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &hostile{listener: l}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.accepted.Add(1)
			go func() {
				defer c.Close()
				attack(c)
			}()
		}
	}()
	return h
}

// The agent drops such a server with a reason, comes back, keeps its memory
// flat, and takes a good server that comes in its place.
func TestHostileServer(t *testing.T) {
	// The other end decides when it is over; the deadline is for one that does not.
	saying := func(text string) func(net.Conn) {
		return func(c net.Conn) {
			c.SetDeadline(time.Now().Add(patience))
			io.WriteString(c, text)
			io.Copy(io.Discard, c)
		}
	}
	for name, attack := range map[string]func(net.Conn){
		"garbage":      saying("HTTP/1.1 400 Bad Request\r\n\r\n<html>"),
		"NUL bytes":    saying(strings.Repeat("\x00", 5000)),
		"no object":    saying("[1, 2, 3]"),
		"closes":       func(net.Conn) {},
		"without end":  endless(`{"id": 1, "method": "`, "a"),
		"deep nesting": endless("", `{"a":[`),
		"many replies": endless("", `{"status": 0, "id": 77, "response": null}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			bin := program(t)
			bad := newHostile(t, attack)
			addr := bad.listener.Addr().String()
			a := h.startAgent(t, bin, fmt.Sprintf("server: tcp://%s\nsubscriptions:\n  - {sender: timer, event: tick}\n", addr))

			const tries = 6
			eventually(t, fmt.Sprintf("the agent comes back %d times", tries), func() bool {
				a.running(t)
				return bad.accepted.Load() >= tries
			})
			a.await(t, `level=warning .*err=`)
			for _, field := range []string{"VmRSS", "VmHWM"} {
				mb := a.memory(t, field)
				t.Logf("%s is %.0f MiB", field, mb)
				if mb > 64 {
					t.Error("too much")
				}
			}

			bad.listener.Close()
			s := h.serveAt(t, bin, addr)
			a.await(t, subscribedLine)
			a.logsAlerts(t, s)
		})
	}
}

// endless sends up to 100 MB of the same.
func endless(begin, again string) func(net.Conn) {
	chunk := bytes.Repeat([]byte(again), 1<<20/len(again))
	return func(c net.Conn) {
		c.SetDeadline(time.Now().Add(patience))
		io.WriteString(c, begin)
		for range 100 {
			if _, err := c.Write(chunk); err != nil {
				return
			}
		}
	}
}
