package sig_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// run runs a client until the test ends. The channel gets a token after each
// change.
func run(t testing.TB, carrier sig.ClientCarrier) (*sig.ClientRouter, <-chan struct{}) {
	t.Helper()
	return runWith(t, carrier, new(sig.ClientOptions))
}

// runWith is run with options, except Changed, which it sets itself.
func runWith(t testing.TB, carrier sig.ClientCarrier, opts *sig.ClientOptions) (*sig.ClientRouter, <-chan struct{}) {
	t.Helper()
	changed := wait.NewToken()
	opts.Changed = changed.Raise
	c := sig.NewClientRouter(carrier, opts)
	t.Cleanup(wait.Start(context.Background(), c.Run))
	return c, changed
}

// until waits for cond, which is checked after each change.
func until(t testing.TB, changed <-chan struct{}, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !cond() {
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("timed out: %s", what)
		}
	}
}

func isActive(c *sig.ClientRouter, l *sig.RemoteListener) func() bool {
	return func() bool {
		st, _ := c.Status(l)
		return st == sig.Active
	}
}

func isRefused(c *sig.ClientRouter, l *sig.RemoteListener) func() bool {
	return func() bool {
		st, err := c.Status(l)
		return st == sig.Refused && errors.Is(err, sig.ErrNotOffered)
	}
}

func pysig(t testing.TB, addr string) *sigtest.PysigServer {
	t.Helper()
	s, err := sigtest.NewPysigServer(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Four goroutines signal at once to a server that takes one recv for one
// message, and listen to it meanwhile.
func TestClientLosesNothingAtPysig(t *testing.T) {
	server := pysig(t, "127.0.0.1:0")
	atServer := sigtest.NewRecorder()
	if _, err := server.Router.AddListener("clock", "chime", atServer.Listen); err != nil {
		t.Fatal(err)
	}
	ticker, err := server.Router.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	c, changed := run(t, tcp.NewClient(server.Addr()))
	heard := sigtest.NewRecorder()
	l := c.AddRemoteListener("timer", "tick", heard.Listen)
	until(t, changed, "the listener is active", isActive(c, l))
	clock, err := c.AddRemoteSender(t.Context(), "clock", "chime")
	if err != nil {
		t.Fatal(err)
	}
	var threads sync.WaitGroup
	for range 4 {
		threads.Go(func() {
			for i := range 50 {
				if err := clock.Trigger(t.Context(), "chime", i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	threads.Go(func() {
		for i := range 50 {
			if err := ticker.Trigger("tick", i); err != nil {
				t.Error(err)
			}
		}
	})
	threads.Wait()
	for i := range 50 {
		heard.Expect(t, fmt.Sprintf("timer: tick %d", i))
	}
	counts := make(map[string]int)
	for range 200 {
		counts[sigtest.Text(atServer.Next(t))]++
	}
	for i := range 50 {
		if text := fmt.Sprintf("clock: chime %d", i); counts[text] != 4 {
			t.Errorf("%s came %d times, want 4", text, counts[text])
		}
	}
	if server.Lost() != 0 {
		t.Errorf("the server lost %d messages", server.Lost())
	}
}

func TestListenersReturnAfterReconnect(t *testing.T) {
	server := pysig(t, "127.0.0.1:0")
	ticker, err := server.Router.AddSender("timer", "tick", "#notify")
	if err != nil {
		t.Fatal(err)
	}
	c, changed := run(t, tcp.NewClient(server.Addr()))
	heard := sigtest.NewRecorder()
	specific := c.AddRemoteListener("timer", "tick", heard.Listen)
	channel := c.AddRemoteListener("", "#notify", heard.Listen)
	removed := c.AddRemoteListener("timer", "", func(ev sig.Event) { t.Errorf("a removed listener heard %s", sigtest.Text(ev)) })
	for _, l := range []*sig.RemoteListener{specific, channel, removed} {
		until(t, changed, "active", isActive(c, l))
	}
	c.RemoveRemoteListener(removed)
	for i := range 3 {
		since := c.Link().Since
		server.Cut()
		until(t, changed, "reconnected", func() bool {
			return c.Link().Connected && c.Link().Since.After(since) && isActive(c, specific)() && isActive(c, channel)()
		})
		if err := ticker.Trigger("tick", i); err != nil {
			t.Fatal(err)
		}
		if err := ticker.Trigger("#notify", i); err != nil {
			t.Fatal(err)
		}
		heard.Expect(t, fmt.Sprintf("timer: tick %d", i), fmt.Sprintf("timer: #notify %d", i))
	}
	heard.ExpectNone(t)
}

// pysig drops a listener for good when its sender comes without the event.
func TestListenerIsTakenUpWhenTheSenderOffersIt(t *testing.T) {
	server := pysig(t, "127.0.0.1:0")
	c, changed := run(t, tcp.NewClient(server.Addr()))
	heard := sigtest.NewRecorder()
	l := c.AddRemoteListener("timer", "tick", heard.Listen)
	until(t, changed, "waiting for the sender", isActive(c, l))
	for i := range 2 {
		s, err := server.Router.AddSender("timer", "other")
		if err != nil {
			t.Fatal(err)
		}
		until(t, changed, "the sender came without the event", isRefused(c, l))
		if err := server.Router.RemoveSender(s); err != nil {
			t.Fatal(err)
		}
		if s, err = server.Router.AddSender("timer", "tick"); err != nil {
			t.Fatal(err)
		}
		until(t, changed, "the sender came with the event", isActive(c, l))
		if err := s.Trigger("tick", i); err != nil {
			t.Fatal(err)
		}
		heard.Expect(t, fmt.Sprintf("timer: tick %d", i))
		if err := server.Router.RemoveSender(s); err != nil {
			t.Fatal(err)
		}
	}
	// Subscribed while the sender is there without the event.
	if _, err := server.Router.AddSender("clock", "chime"); err != nil {
		t.Fatal(err)
	}
	refused := c.AddRemoteListener("clock", "alarm", heard.Listen)
	until(t, changed, "refused", isRefused(c, refused))
}

// At pysig, a listener for a plain event of any sender never fires.
func TestPlainEventOfAnySender(t *testing.T) {
	server := pysig(t, "127.0.0.1:0")
	c, changed := run(t, tcp.NewClient(server.Addr()))
	heard := sigtest.NewRecorder()
	l := c.AddRemoteListener("", "tick", heard.Listen)
	until(t, changed, "active", isActive(c, l))
	for _, name := range []sig.Name{"a", "b"} {
		s, err := server.Router.AddSender(name, "tick", "tock")
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range []sig.Name{"tock", "tick"} {
			if err := s.Trigger(event, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	heard.Expect(t, "a: tick null", "b: tick null")
}

func TestSenderIsRefusedOrComesBack(t *testing.T) {
	s, addr := serve(t)
	if _, err := s.AddSender("timer", "tick"); err != nil {
		t.Fatal(err)
	}
	c, _ := run(t, tcp.NewClient(addr))
	if _, err := c.AddRemoteSender(t.Context(), "timer", "tick"); !errors.Is(err, sig.ErrAlreadyConnected) {
		t.Errorf("a taken name: %v", err)
	}
	clock, err := c.AddRemoteSender(t.Context(), "clock", "chime")
	if err != nil {
		t.Fatal(err)
	}
	if err := clock.Trigger(t.Context(), "alarm", nil); err == nil || !strings.Contains(err.Error(), "sender clock does not offer alarm") {
		t.Errorf("an event that is not offered: %v", err)
	}
	if err := clock.Trigger(t.Context(), "chime", strings.Repeat("x", 1<<20)); !errors.Is(err, sig.ErrTooLarge) ||
		!strings.Contains(err.Error(), "1048578") || !strings.Contains(err.Error(), "1048576") {
		t.Errorf("too long: %v", err)
	}
	if err := clock.Trigger(t.Context(), "chime", nil); err != nil {
		t.Errorf("after the refusals: %v", err)
	}
	if err := c.RemoveRemoteSender(t.Context(), clock); err != nil {
		t.Error(err)
	}
	if s.Sender("clock") != nil {
		t.Error("the removed sender is still there")
	}
}

func TestTooLongForPysig(t *testing.T) {
	c, _ := run(t, tcp.NewClient(pysig(t, "127.0.0.1:0").Addr()))
	clock, err := c.AddRemoteSender(t.Context(), "clock", "chime")
	if err != nil {
		t.Fatal(err)
	}
	err = clock.Trigger(t.Context(), "chime", strings.Repeat("x", 5000))
	if !errors.Is(err, sig.ErrTooLarge) || !strings.Contains(err.Error(), "4096") || !strings.Contains(err.Error(), "51") {
		t.Errorf("got %v", err)
	}
	if err := clock.Trigger(t.Context(), "chime", nil); err != nil {
		t.Errorf("after the refusal: %v", err)
	}
}

// A registration that fails is no concern of the others on the connection.
func TestOneBadRegistrationHarmsNoOther(t *testing.T) {
	s, addr := serve(t)
	ticker, err := s.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	c, changed := run(t, tcp.NewClient(addr))
	long := sig.Name(strings.Repeat("x", 5000))
	bad := c.AddRemoteListener(long, "e", func(sig.Event) {})
	heard := sigtest.NewRecorder()
	good := c.AddRemoteListener("timer", "tick", heard.Listen)
	until(t, changed, "active", isActive(c, good))
	until(t, changed, "refused", func() bool {
		st, err := c.Status(bad)
		return st == sig.Refused && errors.Is(err, sig.ErrTooLarge)
	})
	clock, err := c.AddRemoteSender(t.Context(), "clock", "chime")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddRemoteSender(t.Context(), long, "e"); !errors.Is(err, sig.ErrTooLarge) {
		t.Errorf("a name that is too long: %v", err)
	}
	for i := range 5 {
		if err := ticker.Trigger("tick", i); err != nil {
			t.Fatal(err)
		}
		if err := clock.Trigger(t.Context(), "chime", i); err != nil {
			t.Fatal(err)
		}
		heard.Expect(t, fmt.Sprintf("timer: tick %d", i))
	}
}

// What a hostile server sends ends the connection with a reason.
func TestClientDropsABadServer(t *testing.T) {
	for name, tc := range map[string]struct{ send, want string }{
		"garbage":    {"hello world", `not JSON: it begins with "hello world"`},
		"HTTP":       {"HTTP/1.1 400 Bad Request\r\n\r\n", "not JSON"},
		"NUL":        {"\x00\x00\x00", "not JSON"},
		"non-object": {"[1, 2]", "not a message"},
		"long":       {`{"x": "` + strings.Repeat("y", 3<<20), "message too large"},
		"closed":     {"", "the server closed the connection"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					conn.Read(make([]byte, 4096)) // what it says does not matter
					conn.Write([]byte(tc.send))
					conn.Close()
				}
			}()
			c, changed := run(t, tcp.NewClient(l.Addr().String()))
			c.AddRemoteListener("", "", func(sig.Event) {})
			until(t, changed, tc.want, func() bool {
				st := c.Link()
				return !st.Connected && st.Err != nil && strings.Contains(st.Err.Error(), tc.want)
			})
		})
	}
}

// A signal may come before the reply that gives its listener's id.
func TestSignalBeforeItsListenerID(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	answers := make(chan string, 10)
	registered := make(chan struct{})
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		dec := json.NewDecoder(conn)
		next := func() {
			var m json.RawMessage
			if dec.Decode(&m) == nil {
				answers <- string(m)
			}
		}
		next()
		fmt.Fprint(conn, `{"status": 0, "id": 1, "response": "1.01"}`)
		next()
		fmt.Fprint(conn, `{"id": 7, "method": "signal", "params": {"listener_id": "L", "info": {"sender": "s", "event": "e"}, "data": NaN}}`+
			`{"id": 8, "method": "signal", "params": {"listener_id": "other", "info": {"sender": "s", "event": "e"}}}`)
		next()
		next()
		fmt.Fprint(conn, `{"status": 0.0, "id": 2.0, "response": {"listener_id": "L"}}`)
		<-registered
		fmt.Fprint(conn, `{"id": 9, "method": "signal", "params": {"listener_id": "other", "info": {}}}{"id": 10, "method": "get_version"}`)
		next()
		next()
		next()
	}()
	c, changed := run(t, tcp.NewClient(l.Addr().String()))
	heard := sigtest.NewRecorder()
	until(t, changed, "active", isActive(c, c.AddRemoteListener("s", "", heard.Listen)))
	close(registered)
	heard.Expect(t, "s: e null")
	for _, want := range []string{
		`{"params": {"features": ["stream", "replay", "publish"], "client": "…"}, "method": "get_version", "id": 1}`,
		`{"params": {"sender": "s", "event": null}, "method": "add_listener", "id": 2}`,
		`{"status": 0, "id": 7, "response": null}`,
		`{"status": 0, "id": 8, "response": null}`,
		`{"status": -2, "exception": "listener id other not found", "id": 9}`,
		`{"status": -1, "id": 10}`,
	} {
		if got := identity.ReplaceAllString(<-answers, `"client": "…"`); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	heard.ExpectNone(t)
}

var identity = regexp.MustCompile(`"client": "\w+"`)

// A server that answers the greeting and goes away: at no time may the client
// take the dead connection for a good one and stay with it.
func TestConnectionThatEndsWithTheGreeting(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			fmt.Fprint(conn, `{"status": 0, "id": 1, "response": "1.01"}`)
			conn.Close()
		}
	}()
	for range 20 {
		tried := make(chan struct{}, 1)
		ctx, cancel := context.WithCancel(t.Context())
		var c *sig.ClientRouter
		c = sig.NewClientRouter(tcp.NewClient(l.Addr().String()), &sig.ClientOptions{
			Backoff: func(int, time.Duration) time.Duration {
				if c.Link().Connected {
					t.Error("connected, while the client waits for the next attempt")
				}
				tried <- struct{}{}
				return time.Hour
			},
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.Run(ctx)
		}()
		c.AddRemoteListener("", "", func(sig.Event) {})
		<-tried
		cancel()
		<-done
	}
}

func TestTriggerTellsThatTheConnectionEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		go sig.NewServerRouter(nil).Serve(t.Context(), network.Up())
		c, _ := run(t, network.Client())
		clock, err := c.AddRemoteSender(t.Context(), "clock", "chime")
		if err != nil {
			t.Fatal(err)
		}
		network.Freeze(true)
		var tasks sync.WaitGroup
		start := time.Now()
		tasks.Go(func() { err = clock.Trigger(t.Context(), "chime", nil) })
		synctest.Wait()
		network.Cut()
		tasks.Wait()
		if !errors.Is(err, sig.ErrNotConnected) || time.Since(start) > time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		network.Freeze(false)
	})
}

// A name that its caller has given up must not stay taken.
func TestGivenUpSenderIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		server := sig.NewServerRouter(nil)
		c, _ := run(t, network.Client())
		ctx, cancel := context.WithCancel(t.Context())
		// Its #connect is delivered within add_sender: the caller gives up then.
		if _, err := server.AddListener("clock", sig.EventConnect, func(sig.Event) {
			cancel()
			time.Sleep(time.Second)
		}); err != nil {
			t.Fatal(err)
		}
		go server.Serve(t.Context(), network.Up())
		if _, err := c.AddRemoteSender(ctx, "clock", "chime"); !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
		time.Sleep(time.Minute)
		if server.Sender("clock") != nil {
			t.Error("the server still has it")
		}
	})
}

func TestReconnectsWithBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		c, _ := run(t, network.Client())
		heard := sigtest.NewRecorder()
		l := c.AddRemoteListener("timer", "tick", heard.Listen)
		synctest.Wait()
		if st := c.Link(); st.Connected || st.Err == nil {
			t.Errorf("a server that is down: %+v", st)
		}
		time.Sleep(10 * time.Minute)
		if n := network.Dials(); n < 200 || n > 400 {
			t.Errorf("%d attempts in 10 minutes, not about 280: one every second in the first minute, then one every 2.5 s", n)
		}

		s := sig.NewServerRouter(nil)
		carrier := network.Up()
		go s.Serve(t.Context(), carrier)
		ticker, err := s.AddSender("timer", "tick")
		if err != nil {
			t.Fatal(err)
		}
		c.Reconnect()
		time.Sleep(100 * time.Millisecond) // three requests, 10 ms apart
		if !isActive(c, l)() {
			t.Error("Reconnect did not connect at once")
		}

		// A server that is frozen: it neither answers nor closes the connection.
		time.Sleep(5 * time.Minute)
		if err := ticker.Trigger("tick", 1); err != nil {
			t.Fatal(err)
		}
		heard.Expect(t, "timer: tick 1")
		dials := network.Dials()
		network.Freeze(true)
		time.Sleep(50 * time.Second)
		if st := c.Link(); st.Connected || !errors.Is(st.Err, sig.ErrNoAnswer) {
			t.Errorf("50 s after the server froze: %+v", st)
		}
		network.Freeze(false)
		time.Sleep(10 * time.Second)
		if !isActive(c, l)() || network.Dials() == dials {
			t.Errorf("not back: %+v", c.Link())
		}
	})
}

func TestBackoff(t *testing.T) {
	for _, test := range []struct {
		attempt    int
		away, most time.Duration
	}{
		{1, 0, 250 * time.Millisecond},
		{1, time.Hour, 250 * time.Millisecond},
		{2, 200 * time.Millisecond, 500 * time.Millisecond},
		{10, 5 * time.Second, time.Second},
		{20, 10 * time.Second, 2 * time.Second},
		{60, 59 * time.Second, 2 * time.Second},
		{61, time.Minute, 5 * time.Second},
		{300, 599 * time.Second, 5 * time.Second},
		{301, 10 * time.Minute, 30 * time.Second},
		{10_000, 24 * time.Hour, 30 * time.Second},
	} {
		longest := time.Duration(0)
		for range 1000 {
			longest = max(longest, sig.Backoff(test.attempt, test.away))
		}
		if longest > test.most || longest < test.most*9/10 {
			t.Errorf("attempt %d after %s waits at most %s, not %s", test.attempt, test.away, longest, test.most)
		}
	}
}

// Listeners and senders have a connection each. When one is back, the other
// does not wait until its own next attempt is due.
func TestConnectionThatIsBackEndsTheWaitOfTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		server := sig.NewServerRouter(nil)
		carrier := network.Up()
		go server.Serve(t.Context(), carrier)
		var attempts atomic.Int64
		c, _ := runWith(t, network.Client(), &sig.ClientOptions{Backoff: func(int, time.Duration) time.Duration {
			if attempts.Add(1)%2 == 0 {
				return time.Hour
			}
			return time.Second
		}})
		c.AddRemoteListener("timer", "tick", func(sig.Event) {})
		if _, err := c.AddRemoteSender(t.Context(), "clock", "chime"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		carrier.Close()
		network.Cut()
		synctest.Wait()
		if c.Link().Connected || attempts.Load() != 2 {
			t.Fatalf("the server is gone: %+v, %d waits", c.Link(), attempts.Load())
		}
		go server.Serve(t.Context(), network.Up())
		time.Sleep(1100 * time.Millisecond)
		if st := c.Link(); !st.Connected {
			t.Errorf("one connection is back, the other is not: %+v", st)
		}
	})
}

// A server that greets and then ends the connection is not flooded with
// attempts, although each greeting ends the wait of the other connection.
func TestConnectionsThatDieYoungBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		carrier := network.Up()
		go func() {
			for {
				conn, err := carrier.Accept()
				if err != nil {
					return
				}
				_, _ = conn.ReadMessage()
				_ = conn.WriteMessage([]byte(`{"status": 0, "id": 1, "response": "1.01"}`))
				conn.Close()
			}
		}()
		defer carrier.Close()
		c, _ := runWith(t, network.Client(), &sig.ClientOptions{
			Backoff: func(int, time.Duration) time.Duration { return time.Second },
		})
		c.AddRemoteListener("timer", "tick", func(sig.Event) {})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := c.AddRemoteSender(ctx, "clock", "chime"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a server that answers nothing else: %v", err)
		}
		if n := network.Dials(); n > 4*60+4 {
			t.Errorf("%d attempts in a minute, with waits of a second", n)
		}
	})
}

// A listener whose name no server would read is refused, and its status says
// so.
func TestListenerThatIsTooLong(t *testing.T) {
	sigtest.EachServer(t, func(t *testing.T, s sigtest.Server) {
		c, changed := run(t, tcp.NewClient(s.Addr))
		until(t, changed, "active", isActive(c, c.AddRemoteListener("timer", "", func(sig.Event) {})))
		l := c.AddRemoteListener(sig.Name(strings.Repeat("n", 5000)), "", func(sig.Event) {})
		until(t, changed, "refused", func() bool {
			st, err := c.Status(l)
			return st == sig.Refused && errors.Is(err, sig.ErrTooLarge)
		})
	})
}
