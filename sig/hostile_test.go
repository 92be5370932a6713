package sig_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/sig"
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
		id := strings.Repeat("x", 1<<20)
		for range 20 {
			c.feed([]byte(`{"id": "` + id + `", "method": "ping"}`))
		}
		synctest.Wait()
		c.Close()
		time.Sleep(time.Minute)
		if server.Clients() != 0 || server.Sender("s") != nil {
			t.Errorf("a minute after it is gone: %d clients, its sender is %v", server.Clients(), server.Sender("s"))
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
	eventually(t, "the clients are gone", func() bool { return s.Clients() == 0 })
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
