//go:build linux

package e2e

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sigalert/sig"
	"sigalert/sig/tcp"
)

// BenchmarkAttack measures what honest clients of a router and of a log notice
// while everything is done to both, for a minute, that once took them down: wrong
// tokens by the thousand, messages that are begun and left, answers that nobody
// reads, long names, connections that say nothing. It reports the honest ones' p99
// without an attack, during one on another router and log of this machine
// ("beside"), and during one on theirs; the most memory, and memory and descriptors
// at rest, before the attack and 30 s after it.
//
// The attackers are a process that runs only when the processors have nothing
// else to do, as is what is attacked beside: they stand for other machines, and
// what they do to this one's kernel is all that slows the honest ones down.
func BenchmarkAttack(b *testing.B) {
	const calm, attack, after = 20 * time.Second, time.Minute, 30 * time.Second
	const token = "the-honest-have-one"
	running := func() (*server, *eventLog) {
		h := newHome(b)
		s := h.serve(b, program(b))
		return s, h.startLog(b, s, "--token", token, "--limit", "500")
	}
	s, l := running()
	honest := newHonest(b, s, l, token)
	for b.Loop() {
		honest.fill() // what is remembered and shown is as long as it gets
		rest := [...]int{s.descriptors(b), l.descriptors(b)}
		memory := [...]float64{s.memory(b, "VmRSS"), l.memory(b, "VmRSS")}
		measure := func(when string, d time.Duration) {
			for i, all := range honest.during(d) {
				slices.Sort(all)
				what := []string{"event", "page"}[i] + "-" + when
				b.ReportMetric(all[len(all)/2].Seconds()*1000, what+"-p50-ms")
				b.ReportMetric(all[len(all)*99/100].Seconds()*1000, what+"-p99-ms")
			}
		}
		measure("calm", calm)

		otherServer, otherLog := running()
		for _, p := range []*process{otherServer.process, otherLog.process} {
			start(b, nil, "chrt", "--idle", "--all-tasks", "--pid", "0", strconv.Itoa(p.pid())).wait(b)
		}
		attacking := attackers(b, otherServer, otherLog)
		measure("beside", attack)
		attacking.end()
		otherServer.end()
		otherLog.end()

		attacking = attackers(b, s, l)
		measure("attack", attack)
		attacking.end()
		time.Sleep(after)
		for i, p := range []*process{s.process, l.process} {
			what := []string{"router", "log"}[i]
			b.ReportMetric(p.memory(b, "VmHWM"), what+"-peak-MiB")
			b.ReportMetric(memory[i], what+"-before-MiB")
			b.ReportMetric(p.memory(b, "VmRSS"), what+"-after-MiB")
			b.ReportMetric(float64(p.descriptors(b)-rest[i]), what+"-descriptors-more")
		}
	}
}

// attackers are a process of this program's: see [attackAll].
func attackers(b *testing.B, s *server, l *eventLog) *process {
	what := s.addr + " " + strings.TrimPrefix(l.url, "http://")
	return start(b, []string{"SIGALERT_ATTACK=" + what}, "chrt", "--idle", "0", os.Args[0])
}

// honest is a sender, a listener and a reader of the page.
type honest struct {
	b      *testing.B
	sender *sig.RemoteSender
	heard  chan time.Time
	page   func() error
}

func newHonest(b *testing.B, s *server, l *eventLog, token string) *honest {
	h := &honest{b: b, heard: make(chan time.Time, 100)}
	ctx, cancel := context.WithCancel(context.Background())
	c := sig.NewClientRouter(tcp.NewClient(s.addr), nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.Run(ctx)
	}()
	b.Cleanup(func() {
		cancel()
		<-ended
	})
	var err error
	if h.sender, err = c.AddRemoteSender(ctx, "honest", "tick"); err != nil {
		b.Fatal(err)
	}
	listener := c.AddRemoteListener("honest", "tick", func(sig.Event) { h.heard <- time.Now() })
	for st, _ := c.Status(listener); st != sig.Active; st, _ = c.Status(listener) {
		time.Sleep(time.Millisecond)
	}
	h.page = func() error {
		req, err := http.NewRequest("GET", l.url+"/?fmt=plain", nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err = io.Copy(io.Discard, resp.Body); err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("the page: %s", resp.Status)
		}
		return err
	}
	return h
}

// fill sends as many events as a router remembers.
func (h *honest) fill() {
	for i := range 10_000 {
		if err := h.sender.Trigger(context.Background(), "tick", i); err != nil {
			h.b.Fatal(err)
		}
		<-h.heard
	}
}

// during sends an event and gets the page again and again, and returns how long
// each took.
func (h *honest) during(d time.Duration) (took [2][]time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		began := time.Now()
		if err := h.sender.Trigger(context.Background(), "tick", len(took[0])); err != nil {
			h.b.Error(err)
			return took
		}
		select {
		case at := <-h.heard:
			took[0] = append(took[0], at.Sub(began))
		case <-time.After(patience):
			h.b.Errorf("event %d has not come", len(took[0]))
			return took
		}
		began = time.Now()
		if err := h.page(); err != nil {
			h.b.Error(err)
			return took
		}
		took[1] = append(took[1], time.Since(began))
	}
	return took
}

// attackAll attacks a router and a page until the process ends.
func attackAll(router, page string) {
	for _, a := range attacks(router, page) {
		for range a.n {
			go func() {
				for {
					a.once(context.Background())
				}
			}()
		}
	}
	select {}
}

// attacker is what n goroutines do again and again.
type attacker struct {
	n    int
	once func(context.Context)
}

// visit returns what runs f on a connection from the attackers' address, which ends after
// d at the latest.
func visit(addr string, d time.Duration, f func(net.Conn)) func(context.Context) {
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: time.Second}
	return func(ctx context.Context) {
		conn, err := from.DialContext(ctx, "tcp", addr)
		if err != nil {
			time.Sleep(10 * time.Millisecond)
			return
		}
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(d))
		f(conn)
	}
}

// attacks come from an address of their own.
func attacks(router, page string) []attacker {
	const stream = `{"id": 1, "method": "get_version", "params": {"features": ["stream", "replay"]}}`
	greeted := func(conn net.Conn) {
		io.WriteString(conn, stream)
		conn.Read(make([]byte, 1000))
	}
	ping := `{"id": "` + strings.Repeat("x", 1000) + `", "method": "ping"}` + "\n"
	long := strings.Repeat("n", 1000)
	return []attacker{
		{100, visit(page, 2*time.Second, func(conn net.Conn) { // many guesses whose bodies come late
			io.WriteString(conn, "POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 11\r\n\r\n")
			time.Sleep(time.Second)
			io.WriteString(conn, "token=wrong")
			conn.Read(make([]byte, 1000))
		})},
		{20, visit(router, 2*time.Second, func(conn net.Conn) { // a sender, and half a message
			greeted(conn)
			fmt.Fprintf(conn, `{"id": 2, "method": "add_sender", "params": {"sender": "a%d", "events": ["e"]}}`+"\n", time.Now().UnixNano())
			io.WriteString(conn, `{"id": 3, "method": "signal", "params": {"data": "`+strings.Repeat("x", 1_200_000))
		})},
		{200, visit(router, 30*time.Second, func(conn net.Conn) { // nearly all of a message
			greeted(conn)
			io.WriteString(conn, `{"id": "`+strings.Repeat("x", 1_000_000))
			conn.Read(make([]byte, 1))
		})},
		{40, visit(router, 10*time.Second, func(conn net.Conn) { // answers that nobody reads
			greeted(conn)
			for {
				if _, err := io.WriteString(conn, ping); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		})},
		{4, visit(router, 5*time.Second, func(conn net.Conn) { // listeners with long names, and the list of them
			greeted(conn)
			for i := range 400 {
				fmt.Fprintf(conn, `{"id": %d, "method": "add_listener", "params": {"sender": "%s%d"}}`+"\n", i, long, i)
			}
			io.WriteString(conn, `{"id": 0, "method": "list_senders", "params": {"list_events": true}}`+"\n")
			io.Copy(io.Discard, conn)
		})},
		{500, visit(page, 30*time.Second, func(conn net.Conn) { // half a request
			io.WriteString(conn, "GET / HT")
			conn.Read(make([]byte, 1))
		})},
		{500, visit(router, 30*time.Second, func(conn net.Conn) { // nothing
			conn.Read(make([]byte, 1))
		})},
	}
}
