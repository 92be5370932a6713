package sig_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// serve runs a server on real TCP until the test ends.
func serve(t testing.TB) (*sig.ServerRouter, string) {
	t.Helper()
	return serveWith(t, nil)
}

func serveWith(t testing.TB, opts *sig.ServerOptions) (*sig.ServerRouter, string) {
	t.Helper()
	carrier, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := sig.NewServerRouter(opts)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, carrier) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s, carrier.Addr()
}

func TestListSenders(t *testing.T) {
	s, addr := serve(t)
	if _, err := s.AddSender("timer", "tick"); err != nil {
		t.Fatal(err)
	}
	p := dial(t, addr, nil)
	if _, err := p.Call("add_listener", map[string]any{"sender": "ghost", "event": "boo"}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		events bool
		want   string
	}{
		{false, `[{"connected":true,"sender":"timer"},{"connected":false,"sender":"ghost"},{"connected":true,"sender":null}]`},
		{true, `[{"connected":true,"sender":"timer","events":[{"event":"tick"},{"event":"#disconnect"},{"event":null},{"event":"#connect"}]},` +
			`{"connected":false,"sender":"ghost","events":[{"event":"boo"},{"event":"#disconnect"},{"event":null},{"event":"#connect"}]},` +
			`{"connected":true,"sender":null,"events":[{"event":"#disconnect"},{"event":null},{"event":"#connect"}]}]`},
	} {
		got, err := p.Call("list_senders", map[string]any{"list_events": tc.events})
		if err != nil || string(got) != tc.want {
			t.Errorf("got %s, %v", got, err)
		}
	}
}

// However many senders there are, and whatever their names and events, each client
// can list them: a stream all, in pages, a pysig client what fits into a message.
func TestLongListOfSenders(t *testing.T) {
	s, addr := serve(t)
	const waitedFor, events = 3000, 60_000
	c, changed := run(t, tcp.NewClient(addr))
	for i := range waitedFor {
		l := c.AddRemoteListener(sig.Name(fmt.Sprintf("%01000d", i)), "", func(sig.Event) {})
		if i == waitedFor-1 {
			until(t, changed, "active", isActive(c, l))
		}
	}
	names := make([]sig.Name, events)
	for i := range names {
		names[i] = sig.Name(fmt.Sprintf("event %d", i))
	}
	if _, err := s.AddSender("many", names...); err != nil {
		t.Fatal(err)
	}
	for _, withEvents := range []bool{false, true} {
		all, err := c.Senders(t.Context(), withEvents)
		if err != nil || len(all) != waitedFor+2 {
			t.Fatalf("%d senders, %v", len(all), err)
		}
		for _, st := range all {
			if st.Sender == "many" && withEvents && (st.LeftOut == 0 || len(st.Events)+st.LeftOut != events+3) {
				t.Errorf("%d events, %d left out", len(st.Events), st.LeftOut)
			}
		}
	}
	old := dial(t, addr, nil)
	got, err := old.Call("list_senders", map[string]any{"list_events": false})
	if err != nil || !strings.HasPrefix(string(got), `[{"connected":true,"sender":"many"},`) {
		t.Errorf("a pysig client gets %.100s, %v", got, err)
	}
}

func dial(t testing.TB, addr string, handle func(string, json.RawMessage) (any, error)) *sigtest.Peer {
	t.Helper()
	p, err := sigtest.DialPeer(addr, handle)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// A pysig client that signals from four threads at once, and listens meanwhile:
// each reply and each signal must be alone in what it reads.
func TestPysigClientLosesNothing(t *testing.T) {
	_, addr := serve(t)
	var heard atomic.Int64
	p := dial(t, addr, func(method string, _ json.RawMessage) (any, error) {
		if method == "signal" {
			heard.Add(1)
		}
		return nil, nil
	})
	listener := dial(t, addr, nil)
	if _, err := listener.Call("add_sender", map[string]any{"sender": "other", "events": []string{"e"}}); err != nil {
		t.Fatal(err)
	}
	must := func(_ json.RawMessage, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(p.Call("add_sender", map[string]any{"sender": "clock", "events": []string{"chime"}}))
	must(p.Call("add_listener", map[string]any{"sender": "other", "event": "e"}))
	signal := func(p *sigtest.Peer, sender, event string, data int) error {
		_, err := p.Call("signal", map[string]any{"info": map[string]string{"sender": sender, "event": event}, "data": data})
		return err
	}
	var threads sync.WaitGroup
	for thread := range 4 {
		threads.Go(func() {
			for i := range 50 {
				if err := signal(p, "clock", "chime", thread*100+i); err != nil {
					t.Errorf("signal %d of thread %d: %v", i, thread, err)
				}
			}
		})
	}
	threads.Go(func() {
		for i := range 50 {
			if err := signal(listener, "other", "e", i); err != nil {
				t.Error(err)
			}
		}
	})
	threads.Wait()
	deadline := time.Now().Add(10 * time.Second)
	for heard.Load() < 50 && time.Now().Before(deadline) {
		must(p.Call("get_version", nil))
	}
	if p.Lost() != 0 || listener.Lost() != 0 || heard.Load() != 50 {
		t.Errorf("lost %d and %d messages, heard %d of 50 signals", p.Lost(), listener.Lost(), heard.Load())
	}
}

// A pysig client reads nothing while one of its callbacks runs. What it is sent
// meanwhile must still come to it alone.
func TestPysigClientThatIsBusyLosesNothing(t *testing.T) {
	_, addr := serve(t)
	heard := make(chan struct{}, 1000)
	p := dial(t, addr, func(method string, _ json.RawMessage) (any, error) {
		time.Sleep(15 * time.Millisecond) // the callback
		heard <- struct{}{}
		return nil, nil
	})
	if _, err := p.Call("add_sender", map[string]any{"sender": "clock", "events": []string{"chime"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Call("add_listener", map[string]any{"sender": "other"}); err != nil {
		t.Fatal(err)
	}
	other := dial(t, addr, nil)
	if _, err := other.Call("add_sender", map[string]any{"sender": "other", "events": []string{"e"}}); err != nil {
		t.Fatal(err)
	}
	const n = 100
	var threads sync.WaitGroup
	for who, peer := range map[string]*sigtest.Peer{"clock": p, "other": other} {
		threads.Go(func() {
			event := map[string]string{"clock": "chime", "other": "e"}[who]
			for i := range n {
				if _, err := peer.Call("signal", map[string]any{"info": map[string]string{"sender": who, "event": event}, "data": i}); err != nil {
					t.Errorf("%s, signal %d: %v", who, i, err)
				}
			}
		})
	}
	threads.Wait()
	for range n + 1 { // with the #connect
		<-heard
	}
	if p.Lost() != 0 {
		t.Errorf("lost %d messages", p.Lost())
	}
}

func TestOnlyTheOwnerSignalsAndRemoves(t *testing.T) {
	_, addr := serve(t)
	owner, stranger := dial(t, addr, nil), dial(t, addr, nil)
	if _, err := owner.Call("add_sender", map[string]any{"sender": "clock", "events": []string{"chime"}}); err != nil {
		t.Fatal(err)
	}
	const want = "status -2: sender clock belongs to another client"
	if _, err := stranger.Call("remove_sender", map[string]any{"sender": "clock"}); err == nil || err.Error() != want {
		t.Errorf("remove_sender: %v", err)
	}
	info := map[string]any{"info": map[string]string{"sender": "clock", "event": "chime"}}
	if _, err := stranger.Call("signal", info); err == nil || err.Error() != want {
		t.Errorf("signal: %v", err)
	}
	if _, err := owner.Call("signal", info); err != nil {
		t.Errorf("the owner's signal: %v", err)
	}
}

// One client that answers nothing must not cost the others anything.
func TestMuteClientHoldsNobodyUp(t *testing.T) {
	s, addr := serve(t)
	sender, err := s.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	mute, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	fmt.Fprint(mute, `{"id": 1, "method": "add_listener", "params": {}}`)
	if _, err := mute.Read(make([]byte, 4096)); err != nil {
		t.Fatal(err)
	}
	heard := make(chan json.RawMessage, 100)
	p := dial(t, addr, func(_ string, params json.RawMessage) (any, error) {
		heard <- params
		return nil, nil
	})
	if _, err := p.Call("add_listener", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for i := range 20 {
		if err := sender.Trigger("tick", i); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		select {
		case params := <-heard:
			if want := fmt.Sprintf(`"data": %d}`, i); !strings.HasSuffix(string(params), want) {
				t.Fatalf("got %s, want %s", params, want)
			}
		case <-time.After(9 * time.Second):
			t.Fatalf("event %d did not come within %s", i, time.Since(start))
		}
	}
}

// The caller may go on using what it gave to Trigger; the race detector knows
// if it may not.
func TestDataMayChangeAfterTrigger(t *testing.T) {
	s, addr := serve(t)
	sender, err := s.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 10)
	p := dial(t, addr, func(_ string, params json.RawMessage) (any, error) {
		heard <- string(params)
		return nil, nil
	})
	if _, err := p.Call("add_listener", map[string]any{}); err != nil {
		t.Fatal(err)
	}
	data := map[string]int{"n": 1}
	if err := sender.Trigger("tick", data); err != nil {
		t.Fatal(err)
	}
	data["n"] = 2
	if got := <-heard; !strings.Contains(got, `{"n":1}`) {
		t.Errorf("heard %s", got)
	}
	if err := sender.Trigger("tick", func() {}); err == nil {
		t.Error("a function has been made JSON")
	}
}

func TestTooLongForPysigIsCounted(t *testing.T) {
	s, addr := serve(t)
	sender, err := s.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan json.RawMessage, 10)
	p := dial(t, addr, func(_ string, params json.RawMessage) (any, error) {
		heard <- params
		return nil, nil
	})
	if _, err := p.Call("add_listener", map[string]any{"sender": "timer"}); err != nil {
		t.Fatal(err)
	}
	for _, data := range []string{strings.Repeat("x", 5000), "short"} {
		if err := sender.Trigger("tick", data); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-heard; !strings.Contains(string(got), "short") {
		t.Errorf("got %.60s", got)
	}
	if s.Dropped() != 1 || p.Lost() != 0 {
		t.Errorf("dropped %d, want 1; the peer lost %d", s.Dropped(), p.Lost())
	}
}

// Whatever comes, the server carries on; what cannot be JSON ends only its own
// connection.
func TestServerSurvivesBadInput(t *testing.T) {
	_, addr := serve(t)
	for name, in := range map[string]string{
		"garbage": "hello world\r\n", "HTTP": "GET / HTTP/1.1\r\n\r\n", "NUL": "\x00\x00\x00",
		"bad UTF-8": "{\"id\": \"\xff\"}", "number": "5 ", "half": `{"id": 1, "method": }`,
		"deep": strings.Repeat("[", 100_000), "long": `{"x": "` + strings.Repeat("y", 2<<20),
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = conn.Write([]byte(in)) // the server may close before it has all
		if _, err := conn.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
			t.Errorf("%s: the connection is open: %v", name, err)
		}
		conn.Close()
	}
	for name, in := range map[string]string{
		"array": "[1, 2]", "joined": "{\"id\": 1, \"method\": \"get_version\"}\n", "list id": `{"id": [], "status": 0}`,
		"method list": `{"id": [], "method": []}`, "late reply": `{"id": 700, "status": 0}`,
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		fmt.Fprint(conn, in+`{"id": 99, "method": "get_version"}`)
		dec := json.NewDecoder(conn)
		var m struct{ ID any }
		for m.ID != 99.0 {
			if err := dec.Decode(&m); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		conn.Close()
	}
}
