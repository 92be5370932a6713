package sig_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// rawStream is a client that speaks the stream by hand.
type rawStream struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Scanner
}

// streamed is a message of a stream, signal or reply.
type streamed struct {
	ID     any
	Method string
	Params struct {
		ListenerIDs []uint64 `json:"listener_ids"`
		Seq         uint64
		Replayed    bool
		Missed      any
		Data        json.RawMessage
	}
	Status    any
	Exception string
	Response  json.RawMessage
}

func dialStream(t testing.TB, addr string) *rawStream {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	r := &rawStream{t, conn, bufio.NewScanner(conn)}
	r.in.Buffer(nil, sig.MaxMessage)
	r.send(`{"id": 1, "method": "get_version", "params": {"features": ["stream", "replay"]}}`)
	dec := json.NewDecoder(conn)
	var m streamed
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rawStream) send(text string) {
	r.t.Helper()
	if _, err := io.WriteString(r.conn, text+"\n"); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rawStream) next() streamed {
	r.t.Helper()
	r.conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if !r.in.Scan() {
		r.t.Fatalf("the stream ended: %v", r.in.Err())
	}
	var m streamed
	if err := json.Unmarshal(r.in.Bytes(), &m); err != nil {
		r.t.Fatalf("%s: %v", r.in.Text(), err)
	}
	return m
}

// A client that reads nothing costs the others nothing, and learns in the end
// how much it has missed, to the event.
func TestSlowStreamHarmsNobody(t *testing.T) {
	s, addr := serveWith(t, &sig.ServerOptions{Memory: 500, Queue: 100})
	slow := dialStream(t, addr)
	slow.send(`{"id": 2, "method": "subscribe", "params": {"listeners": [{"sender": "timer", "event": "tick"}]}}`)
	slow.next()
	timer, err := s.AddSender("timer", "tick", "tock")
	if err != nil {
		t.Fatal(err)
	}
	c, changed := run(t, tcp.NewClient(addr))
	heard := sigtest.NewRecorder()
	l := c.AddRemoteListener("timer", "tick", heard.Listen)
	until(t, changed, "active", isActive(c, l))

	const events = 20_000
	padding := strings.Repeat("x", 1000)
	for i := range events {
		for _, event := range []sig.Name{"tock", "tick"} {
			if err := timer.Trigger(event, fmt.Sprintf("%d %s", i, padding)); err != nil {
				t.Fatal(err)
			}
		}
		heard.Expect(t, fmt.Sprintf(`timer: tick "%d %s"`, i, padding))
	}
	got, missed := 0, 0
	for last := -1; last < events-1; {
		m := slow.next()
		if n, ok := m.Params.Missed.(float64); ok {
			missed += int(n)
		}
		if m.Method != "signal" {
			continue
		}
		var n int
		if _, err := fmt.Sscanf(string(m.Params.Data), `"%d `, &n); err != nil {
			t.Fatal(err)
		}
		if n <= last {
			t.Fatalf("event %d after %d", n, last)
		}
		last = n
		got++
	}
	if got+missed != events || missed == 0 {
		t.Errorf("the slow client got %d and missed %d of %d", got, missed, events)
	}
	if s.Dropped() != uint64(missed) {
		t.Errorf("%d dropped, %d missed", s.Dropped(), missed)
	}
}

// One message delivers an event, however many listeners match; a signal without
// an id gets no answer; a ping returns the number of the newest event.
func TestStreamByHand(t *testing.T) {
	s, addr := serve(t)
	r := dialStream(t, addr)
	for _, tc := range []struct{ send, want string }{
		{`{"id": 2, "method": "add_sender", "params": {"sender": "me", "events": ["e", "#c"]}}`, `{"status": 0, "id": 2, "response": null}`},
		{`{"id": "s", "method": "subscribe", "params": {"listeners": [{"sender": "me", "event": "e"}, {}, {"sender": "me", "event": "none"}, {"sender": {}}, 5]}}`,
			`{"status": 0, "id": "s", "response": {"listeners": [{"listener_id": 1}, {"listener_id": 2}, {"listener_id": 3, "offered": false}, {"exception": "\"{}\" cannot be a name: a name is a string, a number, true, false or null"}, {"exception": "a listener must be an object, not 5"}], "missed": 0, "seq": 1}}`},
		{`{"method": "signal", "params": {"info": {"sender": "me", "event": "e"}, "data": 1}}` + "\n" +
			`{"method": "signal", "params": {"info": {"sender": "me", "event": "unknown"}, "data": 2}}` + "\n" + `{"id": 3, "method": "ping"}`,
			`{"method":"signal","params":{"listener_ids":[2,1],"seq":2,"time":0,"info":{"sender": "me", "event": "e"},"data":1}}`},
		{``, `{"status": 0, "id": 3, "response": {"seq":2}}`},
		{`{"id": 4, "method": "subscribe", "params": {"listeners": [{"sender": null, "event": "e"}], "since": {"epoch": "EPOCH", "seq": 1}}}`,
			`{"status": 0, "id": 4, "response": {"listeners": [{"listener_id": 4}], "missed": 0, "seq": 1}}`},
		{``, `{"method":"signal","params":{"listener_ids":[4],"replayed":true,"seq":2,"time":0,"info":{"sender": "me", "event": "e"},"data":1}}`},
		{`{"id": 5, "method": "subscribe", "params": {"listeners": [{}], "since": {"epoch": "another", "seq": 1}}}`,
			`{"status": 0, "id": 5, "response": {"listeners": [{"listener_id": 5}], "missed": null, "seq": 0}}`},
		{``, `{"method":"signal","params":{"listener_ids":[5],"replayed":true,"seq":1,"time":0,"info":{"sender": "me", "event": "#connect"},"data":{"requests":null,"events":["e","#c","#disconnect","#connect"]}}}`},
		{``, `{"method":"signal","params":{"listener_ids":[5],"replayed":true,"seq":2,"time":0,"info":{"sender": "me", "event": "e"},"data":1}}`},
		{`{"id": 6, "method": "subscribe", "params": {"listeners": [{}], "since": {"epoch": "EPOCH", "seq": 99}}}`,
			`{"status": 0, "id": 6, "response": {"listeners": [{"listener_id": 6}], "missed": null, "seq": 2}}`},
		{`{"id": 7, "method": "subscribe", "params": {"listeners": 5}}`, `{"status": -2, "exception": "Invalid arguments", "id": 7}`},
		{`{"id": 8, "method": "subscribe", "params": {"listeners": [], "since": 5}}`, `{"status": -2, "exception": "since must be {\"epoch\": text, \"seq\": number}, not \"5\"", "id": 8}`},
		{`{"id": 9, "method": "remove_listener", "params": {"listener_id": 100000000000002}}`, `{"status": 0, "id": 9, "response": null}`},
		{`{"id": 10, "method": "nonsense"}`, `{"status": -1, "id": 10}`},
		{`{"id": 11, "method": "signal", "params": {"info": {"sender": "me", "event": "unknown"}}}`, `{"status": -2, "exception": "sender me does not offer unknown", "code": "not_offered", "id": 11}`},
		{`{"id": 12, "method": "add_sender", "params": {"sender": "me", "events": []}}`, `{"status": -2, "exception": "sender me is already connected", "code": "already_connected", "id": 12}`},
		{`{"id": 13, "method": "request", "params": {"sender": "me", "method": "m"}}`, `{"status": -2, "exception": "requests not supported", "code": "no_requests", "id": 13}`},
		{`{"id": 14, "method": "request", "params": {"sender": "nobody", "method": "m"}}`, `{"status": -2, "exception": "sender nobody not found", "code": "not_connected", "id": 14}`},
	} {
		if tc.send != "" {
			r.send(strings.ReplaceAll(tc.send, "EPOCH", r.epoch(addr)))
		}
		r.next()
		if got := plainStream(r.in.Text()); got != tc.want {
			t.Errorf("%s\ngot  %s\nwant %s", tc.send, got, tc.want)
		}
	}
	if s.Sender("me") == nil {
		t.Error("the sender is gone")
	}
}

// plainStream returns a message without what differs from run to run.
func plainStream(text string) string {
	text = regexp.MustCompile(`"time":\d+`).ReplaceAllString(text, `"time":0`)
	return regexp.MustCompile(`1000000000000(\d\d)`).ReplaceAllStringFunc(text, func(id string) string { return strings.TrimLeft(id[13:], "0") })
}

// epoch asks for the server's epoch on a connection of its own.
func (r *rawStream) epoch(addr string) string {
	r.t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, `{"id": 1, "method": "get_version", "params": {"features": []}}`)
	var m struct{ Response struct{ Epoch string } }
	if err := json.NewDecoder(conn).Decode(&m); err != nil {
		r.t.Fatal(err)
	}
	return m.Response.Epoch
}

// proxy passes TCP on. Cut ends the clients' sides only: the server does not
// learn of it.
type proxy struct {
	net.Listener
	tasks sync.WaitGroup

	mu      sync.Mutex // guards the field below
	clients []net.Conn
}

func newProxy(t *testing.T, addr string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l}
	servers := make(chan net.Conn, 10_000)
	p.tasks.Go(func() {
		defer close(servers)
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			servers <- server
			p.mu.Lock()
			p.clients = append(p.clients, client)
			p.mu.Unlock()
			p.tasks.Go(func() { _, _ = io.Copy(server, client) })
			p.tasks.Go(func() { _, _ = io.Copy(client, server) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.cut()
		for s := range servers {
			s.Close()
		}
		p.tasks.Wait()
	})
	return p
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.clients {
		c.Close()
	}
	p.clients = nil
}

// An owner whose link died, and which the server believes to be still there,
// gets its names back at once; nobody else does.
func TestOwnerTakesItsNamesOver(t *testing.T) {
	s, addr := serve(t)
	p := newProxy(t, addr)
	owner, changed := run(t, tcp.NewClient(p.Addr().String()))
	timer, err := owner.AddRemoteSender(t.Context(), "timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	heard := sigtest.NewRecorder()
	if _, err := s.AddListener("timer", "tick", heard.Listen); err != nil {
		t.Fatal(err)
	}
	p.cut()
	stranger, _ := run(t, tcp.NewClient(addr))
	if _, err := stranger.AddRemoteSender(t.Context(), "timer", "tick"); !errors.Is(err, sig.ErrAlreadyConnected) {
		t.Errorf("a stranger takes the name: %v", err)
	}
	until(t, changed, "the owner has its name again", func() bool { return timer.Trigger(t.Context(), "tick", 1) == nil })
	heard.Expect(t, "timer: tick 1")
}

// A sender that the server's program has removed is no longer its client's: the
// client may add it again, and so may another, which then owns it alone.
func TestServerTakesAClientsSenderOff(t *testing.T) {
	s, addr := serve(t)
	const add = `{"id": 2, "method": "add_sender", "params": {"sender": "timer", "events": ["tick"]}}`
	const signal = `{"id": 3, "method": "signal", "params": {"info": {"sender": "timer", "event": "tick"}}}`
	ask := func(r *rawStream, text string) string {
		t.Helper()
		r.send(text)
		return r.next().Exception
	}
	first, second := dialStream(t, addr), dialStream(t, addr)
	if _, err := s.AddListener("timer", "", func(sig.Event) {}); err != nil { // the record stays
		t.Fatal(err)
	}
	takeOff := func() {
		t.Helper()
		if err := s.RemoveSender(s.Sender("timer")); err != nil {
			t.Fatal(err)
		}
	}
	if got := ask(first, add) + ask(first, signal); got != "" {
		t.Fatal(got)
	}
	takeOff()
	if got := ask(first, add) + ask(first, signal); got != "" {
		t.Errorf("its client adds it again: %s", got)
	}
	takeOff()
	if got := ask(second, add) + ask(second, signal); got != "" {
		t.Errorf("another adds it: %s", got)
	}
	if got := ask(first, signal); got != "sender timer belongs to another client" {
		t.Errorf("the first signals: %q", got)
	}
	first.conn.Close()
	for s.Connected() > 1 {
		time.Sleep(time.Millisecond)
	}
	if got := ask(second, signal); got != "" {
		t.Errorf("after the first has gone: %s", got)
	}
}

// Anyone who hears that a sender is gone finds its name free, here and at a
// client.
func TestNameIsFreeAtDisconnect(t *testing.T) {
	s, addr := serve(t)
	err := errors.New("not heard")
	if _, e := s.AddListener("timer", sig.EventDisconnect, func(sig.Event) { _, err = s.AddSender("timer", "tick") }); e != nil {
		t.Fatal(e)
	}
	timer, e := s.AddSender("timer", "tick")
	if e != nil {
		t.Fatal(e)
	}
	r := dialStream(t, addr)
	r.send(`{"id": 2, "method": "subscribe", "params": {"listeners": [{"sender": "timer"}]}}`)
	r.next()
	if e := s.RemoveSender(timer); e != nil || err != nil {
		t.Errorf("removal: %v, addition within #disconnect: %v", e, err)
	}
	r.next()
	if r.next(); !strings.Contains(r.in.Text(), `"event": "#connect"`) {
		t.Errorf("after #disconnect came %s", r.in.Text())
	}
}

// Requests that a provider does not read hold up neither it nor others: any
// more of them are refused.
func TestFloodOfRequests(t *testing.T) {
	_, addr := serve(t)
	provider := dialStream(t, addr)
	provider.send(`{"id": 2, "method": "add_sender", "params": {"sender": "p", "events": ["e"], "requests": ["m"]}}`)
	provider.next()
	asker := dialStream(t, addr)
	big := strings.Repeat("x", 1<<20)
	for range 30 {
		asker.send(`{"id": 3, "method": "request", "params": {"sender": "p", "method": "m", "params": "` + big + `"}}`)
	}
	if got := asker.next().Exception; got != "the sender does not keep up with its requests" {
		t.Errorf("got %q", got)
	}
	provider.send(`{"id": 4, "method": "signal", "params": {"info": {"sender": "p", "event": "e"}}}`)
	for provider.next().Method == "request" {
	}
}
