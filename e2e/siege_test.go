//go:build linux

package e2e

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
)

// mostMemory is what a router may need at most in a siege, in MiB: 200 MB.
const mostMemory = 190

// Everything is done to a router with TLS and tokens for some seconds: whoever is honest
// is served, its memory stays small, and nothing of it is left afterwards.
func TestSiege(t *testing.T) {
	s, honest := besieged(t)
	files := s.descriptors(t)
	ctx, end := context.WithTimeout(t.Context(), 4*time.Second)
	defer end()
	var attacking sync.WaitGroup
	for _, a := range siege(s.way(t)) {
		for range a.n/4 + 1 {
			attacking.Go(func() {
				for ctx.Err() == nil {
					a.once(ctx)
				}
			})
		}
	}
	took := honest.during(t, 4*time.Second)
	attacking.Wait()
	slices.Sort(took)
	t.Logf("%d events: the slowest took %v; at most %.1f MiB", len(took), took[len(took)-1], s.memory(t, "VmHWM"))
	if most := s.memory(t, "VmHWM"); most > mostMemory {
		t.Errorf("the router needs %.1f MiB", most)
	}
	eventually(t, "the descriptors are as many as before", func() bool { return s.descriptors(t) <= files })
	honest.during(t, 100*time.Millisecond)
	if code := s.terminate(t); code != 0 {
		t.Errorf("ends with %d", code)
	}
}

// BenchmarkSiege is a minute of that, measured as [BenchmarkAttack] does: what honest
// clients notice in peace, while another router of this machine is besieged ("beside"),
// and while theirs is; and what the router needs.
func BenchmarkSiege(b *testing.B) {
	const calm, attack, after = 20 * time.Second, time.Minute, 30 * time.Second
	s, honest := besieged(b)
	for b.Loop() {
		files, memory := s.descriptors(b), s.memory(b, "VmRSS")
		p99 := make(map[string]float64)
		measure := func(when string, d time.Duration) {
			took := honest.during(b, d)
			slices.Sort(took)
			p99[when] = took[len(took)*99/100].Seconds() * 1000
			b.ReportMetric(took[len(took)/2].Seconds()*1000, when+"-p50-ms")
			b.ReportMetric(p99[when], when+"-p99-ms")
		}
		besieging := func(s *server) *process {
			w := s.way(b)
			return start(b, []string{"SIGALERT_SIEGE=" + w.addr + " " + w.fingerprint + " " + w.token}, "chrt", "--idle", "0", os.Args[0])
		}
		measure("calm", calm)

		other, _ := besieged(b)
		start(b, nil, "chrt", "--idle", "--all-tasks", "--pid", "0", strconv.Itoa(other.pid())).wait(b)
		attackers := besieging(other)
		measure("beside", attack)
		attackers.end()
		other.end()

		attackers = besieging(s)
		measure("siege", attack)
		attackers.end()
		b.ReportMetric(s.memory(b, "VmHWM"), "peak-MiB")
		time.Sleep(after)
		b.ReportMetric(memory, "before-MiB")
		b.ReportMetric(s.memory(b, "VmRSS"), "after-MiB")
		b.ReportMetric(float64(s.descriptors(b)-files), "descriptors-more")
		if p99["siege"] > 2*p99["beside"] {
			b.Errorf("p99 is %.2f ms, and %.2f ms while another is besieged; %.1f MiB", p99["siege"], p99["beside"], s.memory(b, "VmHWM"))
		}
		if most := s.memory(b, "VmHWM"); most > mostMemory {
			b.Errorf("the router needs %.1f MiB", most)
		}
	}
}

// peaceful is a publisher and a listener of a router.
type peaceful struct {
	publisher *sig.ClientRouter
	heard     chan time.Time
}

// besieged is a router with TLS and tokens, and those who use it.
func besieged(t testing.TB) (*server, *peaceful) {
	h := newHome(t)
	s := h.serveAt(t, program(t), "127.0.0.1:0", secured...)
	to := s.way(t)
	p := &peaceful{publisher: to.client(sig.ClientOptions{}), heard: make(chan time.Time, 100)}
	listener := to.client(sig.ClientOptions{})
	for _, c := range []*sig.ClientRouter{p.publisher, listener} {
		t.Cleanup(wait.Start(context.Background(), c.Run))
	}
	l := listener.AddRemoteListener("honest", "tick", func(sig.Event) { p.heard <- time.Now() })
	eventually(t, "a listener is registered", func() bool {
		status, _ := listener.Status(l)
		return status == sig.Active
	})
	p.during(t, 100*time.Millisecond) // until all that is needed for it is there
	return s, p
}

// during publishes an event again and again, and returns how long each took to its
// listener.
func (p *peaceful) during(t testing.TB, d time.Duration) (took []time.Duration) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_, err := p.publisher.Publish(ctx, sig.Publication{Sender: "honest", Event: "tick", Data: len(took)})
		cancel()
		if err != nil {
			t.Fatalf("event %d is not published: %v", len(took), err)
		}
		select {
		case at := <-p.heard:
			took = append(took, at.Sub(began))
		case <-time.After(patience):
			t.Fatalf("event %d has not come", len(took))
		}
	}
	return took
}

// siegeAll attacks a router until the process ends.
func siegeAll(to string) {
	words := strings.Split(to, " ")
	for _, a := range siege(way{words[0], words[1], words[2]}) {
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

// siege is by strangers and, where it needs a token, by somebody who has one. They come
// from an address of their own.
func siege(to way) []attacker {
	// within is plain with TLS.
	plain := func(d time.Duration, f func(net.Conn)) func(context.Context) { return visit(to.addr, d, f) }
	within := func(d time.Duration, f func(net.Conn)) func(context.Context) {
		return plain(d, func(conn net.Conn) { f(tls.Client(conn, &tls.Config{InsecureSkipVerify: true})) })
	}
	slowly := func(conn net.Conn, text string) {
		for i := 0; ; i++ {
			if _, err := conn.Write([]byte{text[i%len(text)]}); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	greet := func(conn net.Conn, token string) {
		fmt.Fprintf(conn, `{"id": 1, "method": "get_version", "params": {"features": ["stream", "replay"], "token": %q}}`, token)
		conn.Read(make([]byte, 1000))
	}
	header := "X-Padding: " + strings.Repeat("x", 1000) + "\r\n"
	endless := func(conn net.Conn) {
		_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n")
		for err == nil {
			_, err = io.WriteString(conn, header)
		}
	}
	garbage := func(conn net.Conn) {
		b := make([]byte, 10_000)
		rand.Read(b)
		b[0] = "{GP\x16\x00["[int(b[0])%6]
		conn.Write(b)
		conn.Read(b)
	}
	return []attacker{
		{100, plain(10*time.Second, garbage)},
		{20, within(10*time.Second, garbage)},
		{50, plain(20*time.Second, func(conn net.Conn) { slowly(conn, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") })},
		{50, plain(20*time.Second, func(conn net.Conn) { slowly(conn, "GET / HTTP/1.1\r\nX-A: b\r\n") })},
		{50, within(20*time.Second, func(conn net.Conn) { slowly(conn, `{"id": 1, "method": "get_version", "x": "`) })},
		{20, plain(10*time.Second, endless)},
		{20, within(10*time.Second, endless)},
		{20, within(5*time.Second, func(conn net.Conn) { greet(conn, "sigalert_wrong") })},
		{20, plain(5*time.Second, func(conn net.Conn) {
			io.WriteString(conn, "POST /me/hello HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer sigalert_wrong\r\nContent-Length: 0\r\n\r\n")
			conn.Read(make([]byte, 1000))
		})},
		{4, within(5*time.Second, func(conn net.Conn) { // more subscriptions than are allowed
			greet(conn, to.token)
			go io.Copy(io.Discard, conn)
			for i := range 20_000 {
				if _, err := fmt.Fprintf(conn, `{"id": %d, "method": "add_listener", "params": {"sender": "%d", "event": "%d"}}`+"\n", i, i, i); err != nil {
					return
				}
			}
		})},
		{1000, within(30*time.Second, func(conn net.Conn) { // streams of events
			fmt.Fprintf(conn, "GET /events?sender=nobody HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", to.token)
			io.Copy(io.Discard, conn)
		})},
	}
}
