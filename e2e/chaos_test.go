//go:build linux

package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
)

// often is how often a test does something: more often if the variable says so.
func often(variable string, n int) int {
	if more, err := strconv.Atoi(os.Getenv(variable)); err == nil {
		return more
	}
	return n
}

// crowd is publishers of numbered events, and listeners that must get each of them once.
type crowd struct {
	t          testing.TB
	listeners  int
	publishing context.Context
	stop       func() // ends the publishing
	publishers sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	sent   map[string]bool
	heard  []map[string]int
	epochs map[string]bool
}

// newCrowd begins publishing to a router.
func newCrowd(t testing.TB, to way, publishers, listeners int) *crowd {
	c := &crowd{t: t, listeners: listeners, sent: make(map[string]bool), epochs: make(map[string]bool)}
	c.publishing, c.stop = context.WithCancel(context.Background())
	t.Cleanup(c.stop)
	for i := range listeners {
		c.heard = append(c.heard, make(map[string]int))
		client := c.client(to)
		l := client.AddRemoteListener("n", "e", func(ev sig.Event) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.heard[i][fmt.Sprint(ev.Data.Value())]++
			if epoch := ev.Position().Epoch; epoch != "" {
				c.epochs[epoch] = true
			}
		})
		eventually(t, "a listener is registered", func() bool {
			status, _ := client.Status(l)
			return status == sig.Active
		})
	}
	for i := range publishers {
		client := c.client(to)
		c.publishers.Go(func() {
			for n := 0; c.publishing.Err() == nil; n++ {
				data := fmt.Sprintf("%d.%d", i, n)
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				_, err := client.Publish(ctx, sig.Publication{Sender: "n", Event: "e", Data: data})
				cancel()
				if err != nil {
					t.Errorf("%s is not published: %v", data, err)
					return
				}
				c.mu.Lock()
				c.sent[data] = true
				c.mu.Unlock()
				time.Sleep(rand.N(2 * time.Millisecond))
			}
		})
	}
	return c
}

func (c *crowd) client(to way) *sig.ClientRouter {
	client := to.client(sig.ClientOptions{
		Backoff: func(int, time.Duration) time.Duration { return rand.N(20 * time.Millisecond) },
		Missed:  func(n int) { c.t.Errorf("%d events are missed", n) },
	})
	c.t.Cleanup(wait.Start(context.Background(), client.Run))
	return client
}

// end ends the publishing, and proves that nothing was lost, doubled or stuck.
func (c *crowd) end() {
	c.t.Helper()
	c.stop()
	c.publishers.Wait()
	all := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, heard := range c.heard {
			for data := range c.sent {
				if heard[data] == 0 {
					return false
				}
			}
		}
		return true
	}
	for give := time.Now().Add(patience); !all() && time.Now().Before(give); {
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond) // for what may come twice
	c.mu.Lock()
	defer c.mu.Unlock()
	lost, doubled := 0, 0
	for _, heard := range c.heard {
		for data := range c.sent {
			if heard[data] == 0 {
				lost++
			}
		}
		for _, n := range heard {
			if n > 1 {
				doubled++
			}
		}
	}
	if lost+doubled > 0 || len(c.epochs) != 1 {
		c.t.Errorf("of %d events for %d listeners, %d are lost and %d came twice; epochs: %v", len(c.sent), c.listeners, lost, doubled, c.epochs)
	}
	c.t.Logf("%d events for %d listeners", len(c.sent), c.listeners)
}

// serveKeeping starts a router with a store, at an address.
func (h *home) serveKeeping(t testing.TB, bin, addr, folder string, more ...string) *server {
	t.Helper()
	s := &server{bin: bin, home: h, secured: slices.Contains(more, "--tls")}
	s.process = start(t, h.env, append([]string{bin, "serve", "--listen", addr, "--store", folder}, more...)...)
	_, m := s.await(t, `listening on (127\.0\.0\.1:\d+)`)
	s.addr = m[1]
	return s
}

// The router is killed between publishers and listeners, again and again, and ended now
// and then: what was answered comes, once, and nobody notices another router.
// SIGALERT_KILLS says how often.
func TestKilledRouterLosesNothing(t *testing.T) {
	for name, flags := range map[string][]string{
		"group":   nil,
		"each":    {"--sync", "each"},
		"secured": secured,
	} {
		t.Run(name, func(t *testing.T) {
			h, bin := newHome(t), program(t)
			addr, folder := free(t), filepath.Join(h.dir, "store")
			s := h.serveKeeping(t, bin, addr, folder, flags...)
			c := newCrowd(t, s.way(t), 4, 2)
			for n := range often("SIGALERT_KILLS", 20) {
				time.Sleep(rand.N(200 * time.Millisecond))
				s.kill()
				s = h.serveKeeping(t, bin, addr, folder, flags...)
				if n%5 == 0 {
					if code := s.terminate(t); code != 0 {
						t.Errorf("ends with %d", code)
					}
					s = h.serveKeeping(t, bin, addr, folder, flags...)
				}
			}
			c.end()
			if code := s.terminate(t); code != 0 {
				t.Errorf("ends with %d", code)
			}
		})
	}
}

// An agent with a router of its own is killed: its router goes on where it was.
func TestKilledAgentsRouterLosesNothing(t *testing.T) {
	h, bin := newHome(t), program(t)
	addr := free(t)
	config := fmt.Sprintf("router: {listen: %q}\nsubscriptions: [{sender: n}]\nhistory: {listen: '127.0.0.1:0'}\n", addr)
	a := h.startAgent(t, bin, config)
	a.await(t, subscribedLine)
	c := newCrowd(t, way{addr: addr}, 2, 2)
	for range 5 {
		time.Sleep(rand.N(500 * time.Millisecond))
		a.kill()
		a = h.startAgent(t, bin, config)
		a.await(t, subscribedLine)
	}
	c.end()
	if _, err := os.Stat(filepath.Join(h.dir, "state", "sigalert", "router", strings.ReplaceAll(addr, ":", "_"), "0000000001.events")); err != nil {
		t.Error(err)
	}
}

// faulty is a proxy before a router, on whose connections everything happens.
type faulty struct {
	net.Listener
	target string
	ended  sync.WaitGroup

	mu    sync.Mutex // guards the field below
	links []*faultyLink
}

// faultyLink is a client's connection through the proxy.
type faultyLink struct {
	client, server *net.TCPConn

	mu    sync.Mutex // guards the fields below
	until time.Time  // nothing passes until then
	delay time.Duration
	piece int  // how much passes at once; 0: everything
	torn  bool // of what comes next, only a part passes
	blind bool // what comes from the client goes nowhere
}

func newFaulty(t testing.TB, target string) *faulty {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	f := &faulty{Listener: l, target: target}
	f.ended.Go(f.accept)
	t.Cleanup(func() {
		l.Close()
		for _, link := range f.all() {
			link.end(false)
		}
		f.ended.Wait()
	})
	return f
}

func (f *faulty) accept() {
	for {
		client, err := f.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", f.target)
		if err != nil {
			client.Close()
			continue
		}
		link := &faultyLink{client: client.(*net.TCPConn), server: server.(*net.TCPConn)}
		f.mu.Lock()
		f.links = append(f.links, link)
		f.mu.Unlock()
		f.ended.Go(func() { link.pass(link.client, link.server, true) })
		f.ended.Go(func() {
			link.pass(link.server, link.client, false)
			f.mu.Lock()
			defer f.mu.Unlock()
			for i, l := range f.links {
				if l == link {
					f.links = append(f.links[:i:i], f.links[i+1:]...)
					break
				}
			}
		})
	}
}

func (f *faulty) all() []*faultyLink {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*faultyLink(nil), f.links...)
}

func (l *faultyLink) pass(from, to *net.TCPConn, up bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		l.mu.Lock()
		hold, delay, piece, torn, blind := time.Until(l.until), l.delay, l.piece, l.torn, l.blind
		l.mu.Unlock()
		time.Sleep(max(hold, 0) + delay)
		if torn {
			n /= 2
			err = net.ErrClosed
		}
		for text := buffer[:n]; len(text) > 0 && !(blind && up); {
			part := text
			if piece > 0 {
				part = text[:min(piece, len(text))]
			}
			if _, werr := to.Write(part); werr != nil {
				err = werr
				break
			}
			text = text[len(part):]
		}
		if err != nil {
			l.mu.Lock()
			blind := l.blind
			l.mu.Unlock()
			if !blind || up { // of a half-open link, the client learns nothing
				l.end(false)
			}
			return
		}
	}
}

// end ends the connection at both ends.
func (l *faultyLink) end(reset bool) {
	if reset {
		_ = l.client.SetLinger(0)
		_ = l.server.SetLinger(0)
	}
	l.client.Close()
	l.server.Close()
}

// fault does something to the connection, and says what.
func (l *faultyLink) fault(r *rand.Rand) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch r.IntN(7) {
	case 0:
		l.end(false)
		return "cut"
	case 1:
		l.end(true)
		return "reset"
	case 2:
		l.torn = true
		return "truncated"
	case 3:
		l.until = time.Now().Add(time.Duration(r.IntN(400)) * time.Millisecond)
		return "stalled"
	case 4:
		l.delay = time.Duration(r.IntN(20)) * time.Millisecond
		return "delayed"
	case 5:
		l.piece = 1 + r.IntN(100)
		return "in pieces"
	default:
		l.blind = true
		l.server.Close()
		time.AfterFunc(time.Duration(r.IntN(500))*time.Millisecond, func() { l.end(true) })
		return "half-open"
	}
}

// Publishers and listeners reach a router through a network on which everything goes
// wrong, and the router is killed now and then. Nothing is lost, doubled or stuck, and
// the router ends with as many descriptors as it had. SIGALERT_FAULTS says how often.
func TestChaos(t *testing.T) {
	t.Run("plain", func(t *testing.T) { chaos(t) })
	t.Run("secured", func(t *testing.T) { chaos(t, secured...) })
}

func chaos(t *testing.T, flags ...string) {
	h, bin := newHome(t), program(t)
	addr, folder := free(t), filepath.Join(h.dir, "store")
	s := h.serveKeeping(t, bin, addr, folder, flags...)
	to := s.way(t)
	before := s.descriptors(t)
	f := newFaulty(t, addr)
	to.addr = f.Addr().String()
	c := newCrowd(t, to, 4, 3)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r, done := rand.New(rand.NewPCG(seed, 1)), make(map[string]int)
	faults := often("SIGALERT_FAULTS", 60)
	for n := 0; n < faults; {
		time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
		links := f.all()
		if len(links) == 0 {
			continue
		}
		done[links[r.IntN(len(links))].fault(r)]++
		if n++; n%25 == 0 {
			s.kill()
			s = h.serveKeeping(t, bin, addr, folder, flags...)
		}
	}
	c.end()
	t.Logf("faults: %v", done)
	for _, l := range f.all() {
		l.end(false)
	}
	f.Close()
	eventually(t, "the router has as many descriptors as before", func() bool { return s.descriptors(t) <= before })
	if code := s.terminate(t); code != 0 {
		t.Errorf("ends with %d", code)
	}
}

// While the store's disk is full or cannot be written, events flow on, and one line says
// so; when it can be written again, they are kept, and a restart loses none.
func TestStoreCannotBeWritten(t *testing.T) {
	if os.Geteuid() != 0 {
		leaveOut(t, "needs root, to mount a small disk")
	}
	for _, how := range []string{"full", "read-only"} {
		t.Run(how, func(t *testing.T) {
			h, bin := newHome(t), program(t)
			disk := filepath.Join(h.dir, "disk")
			check(t, os.Mkdir(disk, 0o700))
			if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256k"); err != nil {
				leaveOut(t, "cannot mount: "+err.Error())
			}
			t.Cleanup(func() { syscall.Unmount(disk, syscall.MNT_DETACH) })
			addr, folder, fill := free(t), filepath.Join(disk, "store"), filepath.Join(disk, "fill")
			s := h.serveKeeping(t, bin, addr, folder)
			c := newCrowd(t, way{addr: addr}, 2, 2)
			time.Sleep(200 * time.Millisecond)
			if how == "full" {
				_ = os.WriteFile(fill, make([]byte, 1<<20), 0o600) // as much as fits
			} else {
				s.kill() // a disk with a file that is open cannot become read-only
				check(t, syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""))
				s = h.serveKeeping(t, bin, addr, folder)
			}
			eventually(t, "it says so", func() bool { return strings.Contains(s.text(), "cannot write the store") })
			time.Sleep(2500 * time.Millisecond)
			check(t, syscall.Mount("", disk, "", syscall.MS_REMOUNT, "size=8m"))
			s.await(t, "the store is written again")
			if n := strings.Count(s.text(), "cannot write the store"); n != 1 {
				t.Errorf("said %d times", n)
			}
			s.kill()
			h.serveKeeping(t, bin, addr, folder)
			c.end()
		})
	}
}

// A router with a store, TLS and tokens that takes a thousand events a second needs no more memory and no
// more descriptors as time goes by. SIGALERT_SOAK says for how long.
func TestSoak(t *testing.T) {
	long := 10 * time.Second
	if os.Getenv("CI") == "true" {
		long = 2 * time.Minute
	}
	if longer, err := time.ParseDuration(os.Getenv("SIGALERT_SOAK")); err == nil {
		long = longer
	}
	h, bin := newHome(t), program(t)
	s := h.serveKeeping(t, bin, free(t), filepath.Join(h.dir, "store"), append([]string{"--max-events", "0"}, secured...)...) // as it begins, there are more
	client := s.way(t).client(sig.ClientOptions{})
	t.Cleanup(wait.Start(context.Background(), client.Run))
	var heard atomic.Int64
	client.AddRemoteListener("n", "", func(sig.Event) { heard.Add(1) })
	publish := func(n int) {
		events := make([]sig.Publication, n)
		for i := range events {
			events[i] = sig.Publication{Sender: "n", Event: "e", Data: strings.Repeat("x", 100)}
		}
		_, err := client.Publish(t.Context(), events...)
		check(t, err)
	}
	for range 450 { // until everything that is bounded is full
		publish(1000)
	}
	var memory []float64
	files, sent := s.descriptors(t), 0
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < long; {
		<-tick.C
		publish(10)
		if sent += 10; sent%500 == 0 {
			memory = append(memory, s.memory(t, "VmRSS"))
		}
	}
	third := len(memory) / 3
	early, late := slices.Max(memory[:third]), slices.Max(memory[len(memory)-third:])
	t.Logf("%d events in %v: memory %.1f MiB, then %.1f MiB; %d and %d descriptors", sent, long, early, late, files, s.descriptors(t))
	if late > early*1.05+1 {
		t.Errorf("memory grows from %.1f to %.1f MiB", early, late)
	}
	eventually(t, "the descriptors are as many as before", func() bool { return s.descriptors(t) <= files })
}
