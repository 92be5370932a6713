package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/gateway"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// routerItself serves on a port of its own, which answers HTTP as well.
func routerItself(t *testing.T) (addr string, server *sig.ServerRouter) {
	t.Helper()
	l, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server = sig.NewServerRouter(nil)
	t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = gateway.Serve(ctx, server, l, nil) }))
	return l.Addr(), server
}

// startRouter is one that records what arrives under the name load.
func startRouter(t *testing.T) (addr string, got func() []string) {
	t.Helper()
	addr, server := routerItself(t)
	var mu sync.Mutex
	var all []string
	server.AddListener("load", "", func(ev sig.Event) {
		text, _ := ev.Data.JSON()
		mu.Lock()
		defer mu.Unlock()
		all = append(all, string(text))
	})
	return addr, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// send runs a command line, and returns what it prints.
func send(stdin io.Reader, args ...string) (code int, text string) {
	var out bytes.Buffer
	code = Main(append([]string{"send"}, args...), stdin, &out, &out)
	return code, out.String()
}

// Whoever sends under one name at the same time is in nobody's way.
func TestManySendUnderOneName(t *testing.T) {
	t.Parallel()
	addr, got := startRouter(t)
	const senders, each = 50, 20
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			for j := range each {
				if code, text := send(nil, "--server", addr, "load", "one", fmt.Sprint(i*each+j)); code != 0 || text != "" {
					t.Errorf("exit code %d: %s", code, text)
				}
			}
		})
	}
	all.Wait()
	once(t, got(), senders*each)
}

// once checks that the numbers from 0 to n-1 have arrived once each.
func once(t *testing.T, got []string, n int) {
	t.Helper()
	seen := make(map[string]int)
	for _, text := range got {
		seen[text]++
	}
	for i := range n {
		if k := seen[fmt.Sprint(i)]; k != 1 {
			t.Errorf("%d has arrived %d times", i, k)
		}
	}
	if len(got) != n {
		t.Errorf("%d have arrived, not %d", len(got), n)
	}
}

func numbers(n int) io.Reader {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintln(&b, i)
	}
	return &b
}

func inOrder(t *testing.T, got []string, n int) {
	t.Helper()
	if len(got) != n {
		t.Fatalf("%d lines have arrived, not %d", len(got), n)
	}
	for i, text := range got {
		if text != fmt.Sprint(i) {
			t.Fatalf("line %d is %s", i, text)
		}
	}
}

func TestManyLines(t *testing.T) {
	t.Parallel()
	addr, got := startRouter(t)
	const n = 100_000
	begun := time.Now()
	if code, text := send(numbers(n), "--server", addr, "load", "line", "--lines"); code != 0 || text != "" {
		t.Fatalf("exit code %d: %s", code, text)
	}
	t.Logf("%.0f lines/s", n/time.Since(begun).Seconds())
	inOrder(t, got(), n)
}

// cutter passes connections on to a server, and cuts each after so many of the
// server's bytes.
func cutter(t *testing.T, server string, after int64, most int32) (addr string, cuts *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	cuts = new(atomic.Int32)
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", server)
			if err != nil {
				near.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(far, near)
				far.Close()
			}()
			go func() {
				defer near.Close()
				defer far.Close()
				if cuts.Load() >= most {
					_, _ = io.Copy(near, far)
				} else if _, err := io.CopyN(near, far, after); err == nil {
					cuts.Add(1)
				}
			}()
		}
	}()
	return l.Addr().String(), cuts
}

// Lines go on over connections that are cut, before an answer or within it.
func TestLinesOverCutConnections(t *testing.T) {
	t.Parallel()
	server, got := startRouter(t)
	addr, cuts := cutter(t, server, 700, 12)
	const n = 20_000
	lines, w := io.Pipe()
	go func() {
		for i := range n {
			if i%300 == 0 && i > 0 {
				time.Sleep(time.Millisecond) // so that there are batches enough
			}
			fmt.Fprintln(w, i)
		}
		w.Close()
	}()
	if code, text := send(lines, "--server", addr, "load", "line", "--lines"); code != 0 || text != "" {
		t.Fatalf("exit code %d: %s", code, text)
	}
	t.Logf("%d cuts", cuts.Load())
	if cuts.Load() < 12 {
		t.Errorf("only %d cuts", cuts.Load())
	}
	inOrder(t, got(), n)
}

// Single events, too.
func TestSendOverCutConnections(t *testing.T) {
	t.Parallel()
	server, got := startRouter(t)
	for i := range 40 {
		addr, cuts := cutter(t, server, int64(150+10*i), 1) // in the greeting, in the answer, after it
		code, text := send(nil, "--server", addr, "load", "one", fmt.Sprint(i), "--wait", "20s")
		if code != 0 || text != "" {
			t.Errorf("%d cuts: exit code %d: %s", cuts.Load(), code, text)
		}
	}
	once(t, got(), 40)
}

// Lines with large data stay within what a message may hold.
func TestLargeLines(t *testing.T) {
	t.Parallel()
	addr, got := startRouter(t)
	var b strings.Builder
	for range 12 { // one is a batch, or three are
		fmt.Fprintf(&b, "%s\n%s\n", strings.Repeat("x", sig.MaxData-2), strings.Repeat("y", 100<<10))
	}
	for range 12 {
		fmt.Fprintf(&b, "%s\n", strings.Repeat("z", 100<<10))
	}
	name := strings.Repeat("n", 1000)
	if code, text := send(strings.NewReader(b.String()), "--server", addr, "load", name, "--lines"); code != 0 {
		t.Fatalf("exit code %d: %s", code, text)
	}
	if n := len(got()); n != 36 {
		t.Errorf("%d of 36 have arrived", n)
	}
}

// At a pysig server a name belongs to one at a time: who comes later waits for it.
func TestSendAtPysig(t *testing.T) {
	t.Parallel()
	server, err := sigtest.NewPysigServer("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	var arrived atomic.Int32
	listener := sig.NewClientRouter(tcp.NewClient(server.Addr()), nil)
	t.Cleanup(wait.Start(t.Context(), listener.Run))
	l := listener.AddRemoteListener("load", "#one", func(sig.Event) { arrived.Add(1) })
	until := func(what string, cond func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !cond(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
		}
	}
	until("no listener", func() bool { st, _ := listener.Status(l); return st == sig.Active })
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if code, text := send(nil, "--server", server.Addr(), "load", "#one", "-v", "--wait", "1m"); code != 0 || text != "sent\n" {
				t.Errorf("exit code %d: %s", code, text)
			}
		})
	}
	all.Wait()
	if code, text := send(numbers(30), "--server", server.Addr(), "load", "#one", "--lines", "-v"); code != 0 || text != "sent 30 events\n" {
		t.Errorf("lines: exit code %d: %s", code, text)
	}
	until("not all have arrived", func() bool { return arrived.Load() == 40 })

	if _, err := listener.AddRemoteSender(t.Context(), "load"); err != nil {
		t.Fatal(err)
	}
	if code, text := send(nil, "--server", server.Addr(), "load", "#one", "--wait", "1s"); code != 1 || !strings.Contains(text, "sender load is already connected") {
		t.Errorf("a name that stays taken: exit code %d: %s", code, text)
	}
}

func TestTail(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"nothing":        {"", ""},
		"little":         {"a\nb\n", "a\nb"},
		"many lines":     {strings.Repeat("x\n", 30), strings.TrimSuffix(strings.Repeat("x\n", 20), "\n")},
		"long lines":     {strings.Repeat("a", 5000) + "\n" + strings.Repeat("b", 1000) + "\nend", strings.Repeat("b", 1000) + "\nend"},
		"one long line":  {strings.Repeat("a", 5000), strings.Repeat("a", 4096)},
		"not UTF-8":      {"a\xffb", "a\uFFFDb"},
		"exactly enough": {strings.Repeat("a", 4096), strings.Repeat("a", 4096)},
	} {
		for _, step := range []int{1, 7, 100_000} {
			var last tail
			for rest := []byte(tc.in); len(rest) > 0; {
				n := min(step, len(rest))
				_, _ = last.Write(rest[:n])
				rest = rest[n:]
			}
			if got := last.text(); got != tc.want {
				t.Errorf("%s, %d bytes at once: %d bytes, %.60q", name, step, len(got), got)
			}
		}
	}
}

func TestCommandLine(t *testing.T) {
	if got, want := commandLine([]string{"a-b", "c d", "", "it's", "x=1", "$y", "ü"}), `a-b 'c d' '' 'it'\''s' x=1 '$y' ü`; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

func TestPayload(t *testing.T) {
	p := hints{title: `a "b"`, urgency: "3"}
	for text, want := range map[string]string{
		``: `{"title":"a \"b\"","urgency":"normal"}`, `null`: `{"title":"a \"b\"","urgency":"normal"}`,
		`{}`:                                `{"title":"a \"b\"","urgency":"normal"}`,
		`{"urgency":"low","\u0062": [ 2 ]}`: `{"b":[ 2 ],"title":"a \"b\"","urgency":"normal"}`,
		`[1,2]`:                             `{"message":"[1,2]","title":"a \"b\"","urgency":"normal"}`,
		"bad \xff":                          `{"message":"bad \ufffd","title":"a \"b\"","urgency":"normal"}`,
	} {
		got, err := p.data(text).JSON()
		if err != nil || string(got) != want {
			t.Errorf("%q: %q, not %q (%v)", text, got, want, err)
		}
	}
}
