package sig_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"slices"
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

// served is a server and a way to connect to it.
func served(t *testing.T) (*sig.ServerRouter, func(greeting string) *fuzzConn) {
	server := sig.NewServerRouter(nil)
	network := newFuzzCarrier()
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(ctx, network) })
	t.Cleanup(func() { cancel(); serving.Wait() })
	return server, func(greeting string) *fuzzConn {
		c := newFuzzConn(t, func(map[string]json.RawMessage) {})
		network.accept <- c
		c.feed([]byte(greeting))
		synctest.Wait()
		return c
	}
}

const asksStream = `{"id": 0, "method": "get_version", "params": {"features": ["stream", "replay"]}}`

// White space in data may be a newline, which ends a stream's message.
func TestNewlineInDataStaysInItsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, dial := served(t)
		c := dial(asksStream)
		c.feed([]byte(`{"id": 1, "method": "subscribe", "params": {"listeners": [{}]}}`))
		synctest.Wait()
		s, err := server.AddSender("s", "e")
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Trigger("e", sig.JSONData([]byte("{\n\"a\": 1}")))
		synctest.Wait()
	})
}

func TestNewlineInRequestStaysInItsLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, dial := served(t)
		provider, pysig := dial(asksStream), dial(`{"id": 1, "method": "get_version"}`)
		provider.feed([]byte(`{"id": 3, "method": "add_sender", "params": {"sender": "s", "events": [], "requests": ["m"]}}`))
		synctest.Wait()
		pysig.feed([]byte("{\"id\": 8, \"method\": \"request\", \"params\": {\"sender\": \"s\", \"method\": \"m\", \"params\": [\n]}}"))
		synctest.Wait()
	})
}

// A client may ask for a stream with its first message: later, a signal in
// pysig's form could be under way.
func TestStreamIsAgreedOnFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, dial := served(t)
		s, err := server.AddSender("s", "e")
		if err != nil {
			t.Fatal(err)
		}
		c := dial(`{"id": 5, "method": "add_listener"}`)
		_ = s.Trigger("e", nil)
		synctest.Wait()
		c.feed([]byte(`{"id": 6, "method": "remove_listener", "params": {"listener_id": 100000000000001}}`))
		synctest.Wait()
		c.feed([]byte(asksStream))
		synctest.Wait()
		c.feed([]byte(`{"id": 9, "method": "ping"}`))
		synctest.Wait()
		c.feed([]byte(`{"status": 0, "id": 1}`))
		synctest.Wait()
	})
}

// A client that sends many requests, reads nothing, and goes away.
func TestClientThatReadsNothingIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, dial := served(t)
		c := dial(asksStream)
		c.feed([]byte(`{"id": 3, "method": "add_sender", "params": {"sender": "s", "events": []}}`))
		synctest.Wait()
		c.stop(true)
		id := strings.Repeat("x", 1000)
		for range 900 {
			c.feed([]byte(`{"id": "` + id + `", "method": "ping"}`))
		}
		synctest.Wait()
		c.Close()
		time.Sleep(time.Minute)
		if server.Connected() != 0 || server.Sender("s") != nil {
			t.Errorf("a minute after it is gone: %d clients, its sender is %v", server.Connected(), server.Sender("s"))
		}
		if server.Unread() != 0 {
			t.Errorf("%d bytes wait for nobody", server.Unread())
		}
	})
}

// A client that greets again while another takes over from it: neither may wait
// for the other to go.
func TestTakeoverIsForTheFirstGreeting(t *testing.T) {
	s, addr := serve(t)
	greet := func(c net.Conn, id string) {
		fmt.Fprintf(c, `{"id": 1, "method": "get_version", "params": {"features": [], "client": %q}}`, id)
	}
	for i := range 300 {
		id := fmt.Sprint("client", i)
		var conns [2]net.Conn
		for i := range conns {
			var err error
			if conns[i], err = net.Dial("tcp", addr); err != nil {
				t.Fatal(err)
			}
			defer conns[i].Close()
		}
		greet(conns[1], id)
		if _, err := conns[1].Read(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		go greet(conns[0], id)
		for range 4 {
			greet(conns[1], id)
		}
		time.Sleep(5 * time.Millisecond)
		conns[0].Close()
		conns[1].Close()
	}
	eventually(t, "the clients are gone", func() bool { return s.Connected() == 0 })
}

// A sender whose #connect would be too large for any client.
func TestSenderThatNobodyCouldBeToldOfIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, dial := served(t)
		c := dial(asksStream)
		events := make([]string, 25_500)
		for i := range events {
			events[i] = fmt.Sprintf(`"%040d"`, i)
		}
		var status string
		c.said = func(m map[string]json.RawMessage) { status = string(m["status"]) + string(m["exception"]) }
		c.feed([]byte(`{"id": 3, "method": "add_sender", "params": {"sender": "s", "events": [` + strings.Join(events, ",") + `]}}`))
		synctest.Wait()
		if (status == "0") != (server.Sender("s") != nil) {
			t.Errorf("answered %s, and the sender is %v", status, server.Sender("s") != nil)
		}
	})
}

// A listener with something wrong with it misses nothing.
func TestFaultyListenerMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := sig.NewServerRouter(&sig.ServerOptions{Memory: 1})
		network := newFuzzCarrier()
		ctx, cancel := context.WithCancel(t.Context())
		var serving sync.WaitGroup
		serving.Go(func() { _ = server.Serve(ctx, network) })
		defer serving.Wait()
		defer cancel()
		s, err := server.AddSender("s", "e", "other")
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			err = errors.Join(err, s.Trigger("e", nil))
		}
		var got struct {
			Epoch  string
			Missed int
		}
		c := newFuzzConn(t, func(m map[string]json.RawMessage) { _ = json.Unmarshal(m["response"], &got) })
		network.accept <- c
		c.feed([]byte(asksStream))
		synctest.Wait()
		c.feed([]byte(`{"id": 10, "method": "subscribe", "params": {"listeners": [{"sender": "s", "event": "other"}, {"sender": []}], "since": {"epoch": "` + got.Epoch + `", "seq": 1}}}`))
		synctest.Wait()
		if got.Missed != 0 {
			t.Errorf("missed %d events, none of which was for it", got.Missed)
		}
	})
}

// counted is a carrier that counts the connections that somebody still keeps.
type counted struct {
	*tcp.Server
	kept atomic.Int64
}

func (c *counted) Accept() (sig.Conn, error) {
	conn, err := c.Server.Accept()
	if err != nil {
		return nil, err
	}
	kept := &struct{ sig.StreamConn }{conn.(sig.StreamConn)}
	c.kept.Add(1)
	runtime.AddCleanup(kept, func(kept *atomic.Int64) { kept.Add(-1) }, &c.kept)
	return kept, nil
}

// Clients that have left are kept neither by what they listened to and has not
// been fired since, nor by the events that are remembered of them.
func TestServerForgetsClientsThatLeft(t *testing.T) {
	listener, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	carrier := &counted{Server: listener}
	s := sig.NewServerRouter(nil)
	t.Cleanup(wait.Start(context.Background(), func(ctx context.Context) { _ = s.Serve(ctx, carrier) }))
	timer, err := s.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		c := sig.NewClientRouter(tcp.NewClient(listener.Addr()), nil)
		stop := wait.Start(t.Context(), c.Run)
		var heard atomic.Bool
		c.AddRemoteListener("timer", "tick", func(sig.Event) { heard.Store(true) })
		c.AddRemoteListener("", "", func(sig.Event) {})
		own, err := c.AddRemoteSender(t.Context(), sig.Name(fmt.Sprint("sender", i)), "e")
		if err != nil {
			t.Fatal(err)
		}
		if err := own.Trigger(t.Context(), "e", i); err != nil {
			t.Fatal(err)
		}
		for !heard.Load() { // the listener may not be there yet
			fire(t, timer, "tick", i)
			time.Sleep(time.Millisecond)
		}
		stop()
	}
	eventually(t, "all connections are forgotten", func() bool {
		runtime.GC()
		return carrier.kept.Load() == 0
	})
}

// What clients leave unread is bounded for each of them, and for all; when they
// read again, they get each answer.
func TestUnreadAnswersAreBounded(t *testing.T) {
	for _, test := range []struct {
		clients, most int
	}{
		{40, 40 * (256<<10 + 2000)},
		{300, 64<<20 + 300*2000},
	} {
		synctest.Test(t, func(t *testing.T) {
			const pings = 400
			server, dial := served(t)
			clients := make([]*fuzzConn, test.clients)
			answered := make([]int, test.clients)
			for i := range clients {
				clients[i] = dial(asksStream)
				clients[i].said = func(map[string]json.RawMessage) { answered[i]++ }
				clients[i].stop(true)
			}
			ping := []byte(`{"id": "` + strings.Repeat("x", 1000) + `", "method": "ping"}`)
			for range pings {
				for _, c := range clients {
					c.feed(ping)
				}
			}
			synctest.Wait()
			if n := server.Unread(); n > test.most || n < test.most*8/10 {
				t.Errorf("%d clients have %d bytes unread, not about %d", test.clients, n, test.most)
			}
			for _, c := range clients {
				c.stop(false)
			}
			synctest.Wait()
			for i, n := range answered {
				if n != pings {
					t.Fatalf("client %d got %d answers of %d", i, n, pings)
				}
			}
			if n := server.Unread(); n != 0 {
				t.Errorf("all is read, and %d bytes are not", n)
			}
		})
	}
}

// While too much waits for others, a long answer becomes a refusal, and the client
// stays connected.
func TestLongAnswersAreRefusedWhenCrowded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, dial := served(t)
		if _, err := server.AddSender("s", sig.Name(strings.Repeat("a", 1000)), sig.Name(strings.Repeat("b", 1000)),
			sig.Name(strings.Repeat("c", 1000)), sig.Name(strings.Repeat("d", 1000)), sig.Name(strings.Repeat("e", 1000))); err != nil {
			t.Fatal(err)
		}
		hoarders := make([]*fuzzConn, 300)
		for i := range hoarders {
			hoarders[i] = dial(asksStream)
			hoarders[i].stop(true)
		}
		for range 270 {
			for _, c := range hoarders {
				c.feed([]byte(`{"id": "` + strings.Repeat("x", 1000) + `", "method": "ping"}`))
			}
		}
		c := dial(asksStream)
		var said []string
		c.said = func(m map[string]json.RawMessage) { said = append(said, string(m["exception"])) }
		ask := func() {
			c.feed([]byte(`{"id": 1, "method": "list_senders", "params": {"list_events": true}}`))
			synctest.Wait()
		}
		ask()
		for _, h := range hoarders {
			h.Close()
		}
		synctest.Wait()
		ask()
		want := []string{`"the answer cannot wait to be read: too much is waiting for other clients: try again"`, ""}
		if !slices.Equal(said, want) {
			t.Errorf("it says %q, not %q", said, want)
		}
	})
}

// An id is repeated in the answer: one that is too long gets a refusal without.
func TestLongIDIsRefused(t *testing.T) {
	for _, greeting := range []string{`{"id": 1, "method": "get_version"}`, asksStream} {
		synctest.Test(t, func(t *testing.T) {
			_, dial := served(t)
			c := dial(greeting)
			var said []string
			c.said = func(m map[string]json.RawMessage) { said = append(said, string(m["id"])+string(m["exception"])) }
			c.feed([]byte(`{"id": "` + strings.Repeat("x", 4080) + `", "method": "get_version"}`))
			synctest.Wait()
			c.feed([]byte(`{"id": 2, "method": "get_version"}`))
			synctest.Wait()
			if want := []string{`null"an id of 4082 bytes: at most 1024 are allowed"`, "2"}; !slices.Equal(said, want) {
				t.Errorf("it says %q, not %q", said, want)
			}
		})
	}
}

// failing is a carrier whose Accept fails so many times before it works.
type failing struct {
	sig.ServerCarrier
	failures int
	tries    []time.Time
}

func (f *failing) Accept() (sig.Conn, error) {
	f.tries = append(f.tries, time.Now())
	if f.failures--; f.failures >= 0 {
		return nil, errors.New("too many open files")
	}
	return f.ServerCarrier.Accept()
}

// However long there was no file descriptor, the server looks for one at least
// once a second.
func TestAcceptIsTriedEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		carrier := &failing{ServerCarrier: network.Up(), failures: 100}
		var logged strings.Builder
		server := sig.NewServerRouter(&sig.ServerOptions{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		c, _ := run(t, network.Client())
		l := c.AddRemoteListener("timer", "tick", func(sig.Event) {})
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if !isActive(c, l)() {
			t.Error("nobody was accepted afterwards")
		}
		for i := range carrier.failures + 100 {
			if wait := carrier.tries[i+1].Sub(carrier.tries[i]); wait > time.Second {
				t.Fatalf("try %d came after %s", i+1, wait)
			}
		}
		if n := strings.Count(logged.String(), "cannot accept a client"); n != 7 {
			t.Errorf("of 100 failures %d are logged, not the first, second, fourth and so on", n)
		}
	})
}

// from is a carrier whose clients come from these addresses, in turn.
type from struct {
	sig.ServerCarrier
	hosts []string
	n     int
}

type fromConn struct {
	sig.Conn
	peer string
}

func (c fromConn) Peer() string { return c.peer }

func (f *from) Accept() (sig.Conn, error) {
	conn, err := f.ServerCarrier.Accept()
	if err != nil {
		return nil, err
	}
	f.n++
	return fromConn{conn, net.JoinHostPort(f.hosts[f.n%len(f.hosts)], fmt.Sprint(f.n))}, nil
}

// One address can neither take all the places, nor hold many without a word.
func TestAddressIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		carrier := &from{ServerCarrier: network.Up(), hosts: []string{"192.0.2.1"}}
		server := sig.NewServerRouter(&sig.ServerOptions{Limits: sig.Limits{Clients: 400}})
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		dial := func() sig.Conn {
			conn, err := network.Client().Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return conn
		}
		first := dial()
		for range 256 {
			dial()
		}
		if _, err := first.ReadMessage(); err == nil || server.Connected() != 256 {
			t.Errorf("%d clients say nothing; the oldest reads %v", server.Connected(), err)
		}
		for range 45 { // the first of them makes the oldest that is silent give way
			if err := dial().WriteMessage([]byte(`{"id": 1, "method": "get_version"}`)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		text, _ := dial().ReadMessage()
		if want := `{"status": -2, "exception": "the server takes at most 300 clients from one address", "id": null}`; string(text) != want {
			t.Errorf("one too many from its address reads %s", text)
		}
		synctest.Wait()
		carrier.hosts = []string{"192.0.2.2"}
		other := dial()
		if err := other.WriteMessage([]byte(`{"id": 1, "method": "get_version"}`)); err != nil {
			t.Fatal(err)
		}
		if text, err := other.ReadMessage(); err != nil || !strings.Contains(string(text), "1.01") {
			t.Errorf("from another address: %s, %v", text, err)
		}
	})
}

// Clients that were not admitted count as those that have said nothing.
func TestStrangersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		carrier := &from{ServerCarrier: network.Up(), hosts: []string{"192.0.2.1"}}
		access := badges{}
		access.add(t, "right", "*", "*")
		server := sig.NewServerRouter(&sig.ServerOptions{Access: access, Limits: sig.Limits{Clients: 400}})
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		greet := func(token string) sig.Conn {
			conn, err := network.Client().Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := conn.WriteMessage([]byte(`{"id": 1, "method": "get_version", "params": {"token": "` + token + `"}}`)); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.ReadMessage(); err != nil {
				t.Fatal(err)
			}
			return conn
		}
		first := greet("wrong")
		greet("right")
		for range 280 {
			greet("")
		}
		synctest.Wait()
		if _, err := first.ReadMessage(); err == nil || server.Connected() != 257 {
			t.Errorf("%d clients are there; the first reads %v", server.Connected(), err)
		}
	})
}

// Whoever has a network of IPv6 has no more places than whoever has an address.
func TestNetworkIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		carrier := &from{ServerCarrier: network.Up(), hosts: []string{"2001:db8::1", "2001:db8::2", "2001:db8::a:b%eth0"}}
		server := sig.NewServerRouter(&sig.ServerOptions{Limits: sig.Limits{Clients: 8}})
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		clients := func() int {
			if _, err := network.Client().Dial(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return server.Connected()
		}
		for _, want := range []int{1, 2, 3, 4, 5, 6, 6, 6} {
			if n := clients(); n != want {
				t.Errorf("%d clients of one network, want %d", n, want)
			}
		}
		for i, host := range []string{"2001:db8:0:1::1", "::ffff:192.0.2.1"} {
			carrier.hosts = []string{host}
			if n := clients(); n != 7+i {
				t.Errorf("%d clients with one of %s", n, host)
			}
		}
	})
}
