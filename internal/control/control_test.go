package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
)

// methods are what most tests ask.
var methods = map[string]Method{
	"echo": func(_ context.Context, params json.RawMessage) (any, error) { return params, nil },
	"add": Handler(func(_ context.Context, p struct{ A, B int }) (any, error) {
		return p.A + p.B, nil
	}),
	"fail": func(context.Context, json.RawMessage) (any, error) { return nil, errors.New("it <fails>") },
	"long": func(context.Context, json.RawMessage) (any, error) { return strings.Repeat("x", maxAnswer), nil },
}

// folder is one whose path is short enough for a socket, as t.TempDir's is not.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "control")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// serve runs a server until the test ends, or stop is called.
func serve(t *testing.T, path string) (stop func()) {
	t.Helper()
	s, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	stop = wait.Start(t.Context(), func(ctx context.Context) { s.Serve(ctx, methods) })
	t.Cleanup(stop)
	return stop
}

func TestCall(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "s.sock")
	serve(t, path)
	for _, tc := range []struct {
		method string
		params any
		want   string // the answer, or the error
	}{
		{"echo", "ü < >", `"ü < >"`},
		{"echo", nil, `null`},
		{"add", map[string]int{"a": 1, "b": 2}, `3`},
		{"add", nil, `0`},
		{"add", map[string]int{"a": 1, "c": 2}, `params: json: unknown field "c"`},
		{"add", "1 2", `params: json: cannot unmarshal string into Go value of type struct { A int; B int }`},
		{"fail", nil, `it <fails>`},
		{"long", nil, `the answer is longer than 4 MiB`},
		{"new", nil, `unknown method "new": the methods are add, echo, fail, long`},
		{"echo", strings.Repeat("x", maxRequest), `the request is longer than 64 KiB`},
	} {
		var got json.RawMessage
		err := Call(t.Context(), path, tc.method, tc.params, &got)
		if _, refused := errors.AsType[*Refused](err); refused {
			got = []byte(err.Error())
		} else if err != nil {
			t.Errorf("%s: %v", tc.method, err)
		}
		if string(got) != tc.want {
			t.Errorf("%s: %.100s, want %s", tc.method, got, tc.want)
		}
	}
}

func TestNobody(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "s.sock")
	if err := Call(t.Context(), path, "echo", nil, nil); !errors.Is(err, ErrNobody) {
		t.Errorf("without a socket: %v", err)
	}
	serve(t, path)()
	if err := Call(t.Context(), path, "echo", nil, nil); !errors.Is(err, ErrNobody) {
		t.Errorf("after the end: %v", err)
	}
}

// A socket of a server that was killed, or is another's, is taken over. The end of the
// first leaves the second's alone.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "s.sock")
	first := serve(t, path)
	serve(t, path)
	first()
	if err := Call(t.Context(), path, "echo", nil, nil); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// What is no socket stays, and so does a folder that others can change.
func TestPlaces(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := filepath.Join(dir, "open")
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o770); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		file:                                  file + " is in the way: it is not a socket",
		filepath.Join(open, "s"):              "the folder " + open + " can be changed by other users: chmod go-w would forbid that",
		filepath.Join(file, "s"):              file + " is not a folder",
		filepath.Join(dir, "a/s"):             "no such file or directory",
		dir + strings.Repeat("/.", 60) + "/s": "is too long for a socket: it may have about 100 characters",
	} {
		s, err := Listen(path)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

// Everything that is not a request gets an error, and the next request its answer.
func TestGarbage(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "s.sock")
	serve(t, path)
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewScanner(conn)
	for _, garbage := range []string{
		"", "\x00\xff", "start 1234", "null", "[]", "{}", `{"method": 5}`, `{"method": "echo"} x`,
		`{"method": "echo", "id": 1}`, strings.Repeat("[", 60000), `{"method": "` + strings.Repeat("é", 20000) + `"}`,
	} {
		if _, err := fmt.Fprintf(conn, "%s\n", garbage); err != nil {
			t.Fatal(err)
		}
		if !answers.Scan() || !strings.HasPrefix(answers.Text(), `{"error":"`) {
			t.Errorf("%.20q: %.100s, %v", garbage, answers.Text(), answers.Err())
		}
		fmt.Fprintln(conn, `{"method": "add", "params": {"a": 1}}`)
		if !answers.Scan() || answers.Text() != `{"result":1}` {
			t.Errorf("after %.20q: %.100s, %v", garbage, answers.Text(), answers.Err())
		}
	}
	// A line that has no end.
	go func() { _, _ = io.Copy(conn, endless{}) }()
	if !answers.Scan() || answers.Text() != `{"error":"the request is longer than 64 KiB"}` {
		t.Errorf("%.100s, %v", answers.Text(), answers.Err())
	}
	if answers.Scan() {
		t.Errorf("then: %s", answers.Text())
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// Many that are silent, or do not read their answers, keep nobody from being answered.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	path := filepath.Join(folder(t), "s.sock")
	stop := serve(t, path)
	for i := range 100 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		switch i % 3 {
		case 0:
			fmt.Fprint(conn, `{"method":`)
		case 1:
			fmt.Fprintln(conn, `{"method": "echo", "params": 1}`) // and reads nothing
		}
	}
	for range 10 {
		began := time.Now()
		if err := Call(t.Context(), path, "echo", nil, nil); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > askTime/2 {
			t.Errorf("it took %s", took)
		}
	}
	began := time.Now()
	stop()
	if took := time.Since(began); took > askTime/2 {
		t.Errorf("the end took %s", took)
	}
}

// hall is a listener whose connections are within the process, so that a test may have
// a clock of its own.
type hall struct {
	conns chan net.Conn
	close func()
	done  <-chan struct{}
}

func newHall(t *testing.T) *hall {
	ctx, cancel := context.WithCancel(t.Context())
	return &hall{make(chan net.Conn), cancel, ctx.Done()}
}

func (h *hall) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

func (h *hall) Close() error   { h.close(); return nil }
func (h *hall) Addr() net.Addr { return nil }

// enter is a connection to the server.
func (h *hall) enter(t *testing.T) net.Conn {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { ours.Close() })
	select {
	case h.conns <- theirs:
	case <-h.done:
		t.Fatal("the server has ended")
	}
	return ours
}

// ends is how long it takes until the server closes a connection.
func ends(conn net.Conn) time.Duration {
	began := time.Now()
	_, _ = io.Copy(io.Discard, conn)
	return time.Since(began)
}

func TestDeadlines(t *testing.T) {
	for name, tc := range map[string]struct {
		client func(net.Conn)
		want   time.Duration
	}{
		"silent":      {func(net.Conn) {}, askTime},
		"half a line": {func(c net.Conn) { fmt.Fprint(c, "{") }, askTime},
		"drop by drop": {func(c net.Conn) {
			for _, err := fmt.Fprint(c, " "); err == nil; _, err = fmt.Fprint(c, " ") {
				time.Sleep(3 * time.Second)
			}
		}, 12 * time.Second}, // when it notices
		"does not read": {func(c net.Conn) {
			fmt.Fprintln(c, `{"method": "echo"}`)
			time.Sleep(readTime + time.Second)
		}, readTime + time.Second},
		"asks again": {func(c net.Conn) {
			for range 3 {
				time.Sleep(askTime - time.Second)
				fmt.Fprintln(c, `{"method": "echo"}`)
				_, _ = bufio.NewReader(c).ReadString('\n')
			}
		}, 3*(askTime-time.Second) + askTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHall(t)
				s := newServer(h)
				defer wait.Start(t.Context(), func(ctx context.Context) { s.Serve(ctx, methods) })()
				conn, began := h.enter(t), time.Now()
				tc.client(conn)
				ends(conn)
				if got := time.Since(began); got != tc.want {
					t.Errorf("it has ended after %s, want %s", got, tc.want)
				}
			})
		})
	}
}

// Where every connection is taken, the one that has been silent for longest makes way;
// those that are being answered do not.
func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		s := newServer(h)
		busy, let := atomic.Int32{}, make(chan struct{})
		all := map[string]Method{"wait": func(context.Context, json.RawMessage) (any, error) {
			busy.Add(1)
			<-let
			return "done", nil
		}}
		defer wait.Start(t.Context(), func(ctx context.Context) { s.Serve(ctx, all) })()
		silent := h.enter(t)
		var waiting []net.Conn
		for range maxConns {
			conn := h.enter(t)
			fmt.Fprintln(conn, `{"method": "wait"}`)
			synctest.Wait()
			waiting = append(waiting, conn)
		}
		if took := ends(silent); took != 0 {
			t.Errorf("the silent one has ended after %s", took)
		}
		if busy.Load() != maxConns {
			t.Errorf("%d are being answered", busy.Load())
		}
		text, _ := bufio.NewReader(h.enter(t)).ReadString('\n')
		if want := `{"error":"too many requests at once: try again"}` + "\n"; text != want {
			t.Errorf("one too many: %s", text)
		}
		close(let)
		for _, conn := range waiting {
			if text, err := bufio.NewReader(conn).ReadString('\n'); text != `{"result":"done"}`+"\n" {
				t.Errorf("%s, %v", text, err)
			}
		}
		synctest.Wait()
		if len(s.owing) != maxConns || s.busy != 0 {
			t.Errorf("%d owe a request, %d are busy", len(s.owing), s.busy)
		}
	})
}

// Large answers that nobody reads are few, and keep no other from being answered.
func TestLargeAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		s := newServer(h)
		s.Large = []string{"entries"}
		asked := atomic.Int32{}
		all := map[string]Method{"status": methods["echo"], "entries": func(context.Context, json.RawMessage) (any, error) {
			asked.Add(1)
			return "large", nil
		}}
		defer wait.Start(t.Context(), func(ctx context.Context) { s.Serve(ctx, all) })()
		ask := func(method string) *bufio.Reader {
			conn := h.enter(t)
			fmt.Fprintf(conn, "{\"method\": %q}\n", method)
			synctest.Wait()
			return bufio.NewReader(conn)
		}
		expect := func(from *bufio.Reader, want string) {
			t.Helper()
			if text, err := from.ReadString('\n'); text != want+"\n" {
				t.Errorf("%q, %v, want %s", text, err, want)
			}
		}
		first := ask("entries")
		for range 2 * maxLarge {
			ask("entries")
		}
		if n := asked.Load(); n != maxLarge {
			t.Errorf("%d are under way, want %d", n, maxLarge)
		}
		expect(ask("status"), `{"result":null}`)
		expect(ask("entries"), `{"error":"too many requests at once: try again"}`)
		expect(first, `{"result":"large"}`)
		synctest.Wait()
		expect(ask("entries"), `{"result":"large"}`)
		time.Sleep(readTime + time.Second)
		expect(ask("entries"), `{"result":"large"}`)
	})
}

// At the end, what is being answered is answered, unless the client does not read, and
// whoever owes a request is not waited for.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(t)
		s := newServer(h)
		all := map[string]Method{"quit": func(ctx context.Context, _ json.RawMessage) (any, error) {
			<-ctx.Done()
			return nil, nil
		}}
		h.conns = make(chan net.Conn, 3)
		silent, reads, deaf := h.enter(t), h.enter(t), h.enter(t)
		stop := wait.Start(t.Context(), func(ctx context.Context) { s.Serve(ctx, all) })
		fmt.Fprintln(deaf, `{"method": "quit"}`)
		fmt.Fprintln(reads, `{"method": "quit"}`)
		synctest.Wait()
		began, ended := time.Now(), make(chan time.Duration)
		go func() {
			stop()
			ended <- time.Since(began)
		}()
		if text, err := bufio.NewReader(reads).ReadString('\n'); text != `{"result":null}`+"\n" {
			t.Errorf("%s, %v", text, err)
		}
		if took := <-ended; took != lastTime {
			t.Errorf("it took %s", took)
		}
		if took := ends(silent); took != 0 {
			t.Errorf("the silent one has ended after %s", took)
		}
	})
}
