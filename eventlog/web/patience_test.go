package web_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/eventlog"
	"sigalert/eventlog/web"
	"sigalert/sig"
)

var errEnded = errors.New("the listener has ended")

// memory is a listener whose connections are in memory, so that time can be a
// bubble's.
type memory chan net.Conn

func (m memory) Accept() (net.Conn, error) {
	conn := <-m
	if conn == nil {
		return nil, errEnded
	}
	return conn, nil
}

func (m memory) Close() error {
	close(m)
	return nil
}

func (m memory) Addr() net.Addr { return &net.TCPAddr{} }

// dial asks for an address, and returns the connection.
func (m memory) dial(t *testing.T, address string) net.Conn {
	t.Helper()
	near, far := net.Pipe()
	m <- far
	if _, err := fmt.Fprintf(near, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", address); err != nil {
		t.Fatal(err)
	}
	return near
}

// ask returns what an address answers.
func (m memory) ask(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	conn := m.dial(t, address)
	return answerOf(t, address, conn, conn)
}

// askSlowly returns what an address answers, read by 16 KiB a second.
func (m memory) askSlowly(t *testing.T, address string) (*http.Response, string) {
	t.Helper()
	conn := m.dial(t, address)
	return answerOf(t, address, conn, slow{conn})
}

func answerOf(t *testing.T, address string, conn io.Closer, from io.Reader) (*http.Response, string) {
	t.Helper()
	defer conn.Close()
	response, err := http.ReadResponse(bufio.NewReaderSize(from, 16<<10), nil)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	if err != nil {
		t.Errorf("%s: %d bytes, then %v", address, len(all), err)
	}
	return response, string(all)
}

// slow reads at most 16 KiB a second.
type slow struct{ io.Reader }

func (s slow) Read(b []byte) (int, error) {
	time.Sleep(time.Second)
	return s.Reader.Read(b[:min(len(b), 16<<10)])
}

// silent is a source without a server.
type silent struct{}

func (silent) Server() string                         { return "nowhere" }
func (silent) Link() sig.LinkStatus                   { return sig.LinkStatus{} }
func (silent) Subscriptions() []eventlog.Subscription { return nil }

// late is a source that takes its time.
type late struct{ silent }

func (late) Subscriptions() []eventlog.Subscription {
	time.Sleep(time.Minute)
	return nil
}

// inBubble runs a test with a log that is served in memory.
func inBubble(t *testing.T, opts web.Options, test func(t *testing.T, log *eventlog.Log, m memory)) {
	synctest.Test(t, func(t *testing.T) {
		log, err := eventlog.Open(nil)
		if err != nil {
			t.Fatal(err)
		}
		serve(t, log, opts, test)
	})
}

// serve serves a log in memory for the time of a test.
func serve(t *testing.T, log *eventlog.Log, opts web.Options, test func(t *testing.T, log *eventlog.Log, m memory)) {
	t.Helper()
	if opts.Source == nil {
		opts.Source = silent{}
	}
	handler, err := web.New(log, opts)
	if err != nil {
		t.Fatal(err)
	}
	m := make(memory)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- handler.Serve(ctx, m) }()
	written := make(chan struct{})
	go func() {
		defer close(written)
		log.Run(ctx)
	}()
	defer func() {
		cancel()
		<-written
		if err := <-served; err != nil {
			t.Error(err)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}()
	test(t, log, m)
}

// add logs entries, and returns when they are in the log.
func add(t *testing.T, log *eventlog.Log, entries ...eventlog.Entry) {
	t.Helper()
	for _, e := range entries {
		if err := log.Add(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(time.Second)
}

// A stream lasts as long as its client.
func TestStreamLasts(t *testing.T) {
	inBubble(t, web.Options{}, func(t *testing.T, log *eventlog.Log, m memory) {
		conn := m.dial(t, "/api/stream")
		defer conn.Close()
		lines := make(chan string, 1000)
		go func() {
			defer close(lines)
			for scan := bufio.NewScanner(conn); scan.Scan(); {
				lines <- scan.Text()
			}
		}()
		time.Sleep(10 * time.Minute)
		log.Offer(entry("a", "x", `"late"`))
		for line := range lines {
			if strings.Contains(line, `"late"`) {
				return
			}
		}
		t.Error("the stream has ended")
	})
}

// Whoever follows a log from the first is told what the limit took before it was
// read, and not what had gone before.
func TestStreamFromTheFirstTellsWhatIsMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, err := eventlog.Open(&eventlog.Options{Path: filepath.Join(t.TempDir(), "log.db"), Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		serve(t, log, web.Options{}, func(t *testing.T, log *eventlog.Log, m memory) {
			numbers := func(from, to int) (all []eventlog.Entry) {
				for n := from; n <= to; n++ {
					all = append(all, entry("a", "x", fmt.Sprint(n)))
				}
				return all
			}
			for _, c := range []struct {
				before, while []eventlog.Entry // it takes nothing
				want          string
			}{
				{nil, numbers(1, 8), "missed 5}6}7}8}"},
				{numbers(9, 9), nil, "7}8}9}"},
			} {
				add(t, log, c.before...)
				conn := m.dial(t, "/api/stream?since=0")
				synctest.Wait() // the stream has begun
				add(t, log, c.while...)
				got := ""
				for scan := bufio.NewScanner(conn); !strings.HasPrefix(scan.Text(), ": still"); scan.Scan() {
					if name, ok := strings.CutPrefix(scan.Text(), "event: "); ok {
						got += name + " "
					}
					if data, ok := strings.CutPrefix(scan.Text(), "data: "); ok {
						got += data[strings.LastIndexAny(data, ": ")+1:] // of {… "data":6} and {"count": 5}
					}
				}
				conn.Close()
				if got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
			}
		})
	})
}

// A slow client gets all of an answer, however large, as long as it takes some.
func TestSlowClients(t *testing.T) {
	inBubble(t, web.Options{}, func(t *testing.T, log *eventlog.Log, m memory) {
		data := `"` + strings.Repeat("x", 60_000) + `"`
		for range 20 {
			add(t, log, entry("a", "x", data))
		}
		for _, address := range []string{"/?fmt=plain", "/api/events"} {
			if response, text := m.askSlowly(t, address); response.StatusCode != 200 || strings.Count(text, data) != 20 {
				t.Errorf("%s: %s, %d bytes", address, response.Status, len(text))
			}
		}
	})
}

// What takes long to come is answered all the same.
func TestSlowAnswer(t *testing.T) {
	inBubble(t, web.Options{Source: late{}}, func(t *testing.T, log *eventlog.Log, m memory) {
		for _, address := range []string{"/regs", "/regs?fmt=plain", "/config", "/metrics"} {
			if response, _ := m.ask(t, address); response.StatusCode != 200 {
				t.Errorf("%s: %s", address, response.Status)
			}
		}
	})
}

// A client that takes nothing is left, and one that says nothing.
func TestIdleClients(t *testing.T) {
	inBubble(t, web.Options{}, func(t *testing.T, log *eventlog.Log, m memory) {
		for name, conn := range map[string]net.Conn{
			"a stream that is not read": m.dial(t, "/api/stream"),
			"a page that is not read":   m.dial(t, "/"),
			"a request without an end":  m.dial(t, "/ HTTP/1.1\r\nX: "+strings.Repeat("x", 100)),
		} {
			time.Sleep(time.Minute)
			_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // fails where it has been left
			if _, err := io.Copy(io.Discard, conn); err != nil {
				t.Errorf("%s is not left: %v", name, err)
			}
			conn.Close()
		}
		if response, _ := m.ask(t, "/healthz"); response.StatusCode != 200 {
			t.Errorf("afterwards: %s", response.Status)
		}
	})
}
