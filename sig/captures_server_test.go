package sig_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"sigalert/sig"
	"sigalert/sig/tcp"
)

// serverRow is a session of pysig's clients, replayed by raw ones that say to
// our server what those said to pysig's.
//
// A message from the server is named after the connection, its kind and its id:
// "client reply 4", "listener signal 1"; another one of the same name has " #2"
// appended. "client end" is what comes after everything that was recorded.
type serverRow struct {
	name string
	// offers are the server's own senders. Default: timer with tick.
	offers  map[sig.Name][]sig.Name
	prepare func(*serverReplay)
	// before is done when this message is due: things that only the server's
	// own program can do.
	before  map[string]func(*serverReplay)
	differs map[string]difference
	// ends: the server ends the connection because of its first message.
	ends  string
	after func(*serverReplay)
}

func TestServerReplaysRecordings(t *testing.T) {
	for _, row := range serverRows() {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			r := newServerReplay(t, row)
			for _, l := range session(t, recordings(t, row.name)...) {
				r.line(l)
			}
			if row.after != nil {
				row.after(r)
			}
			r.expectNoMore()
			for name, d := range row.differs {
				if !r.told[name] && !strings.HasSuffix(name, " end") {
					t.Errorf("nothing is recorded as %s (%s)", name, d.why)
				}
			}
			for name := range row.before {
				if !r.told[name] {
					t.Errorf("nothing is recorded as %s", name)
				}
			}
		})
	}
}

type serverReplay struct {
	*testing.T
	row    serverRow
	server *sig.ServerRouter
	addr   string
	stop   func()
	conns  map[string]*replayConn
	told   map[string]bool // the names of the recorded messages
	asked  chan result     // of the server's own request
}

// replayConn is a recorded client's connection to our server.
type replayConn struct {
	*receiver
	who       string
	listeners map[string]string // the recorded listener's id: ours
	ids       map[string]string // the recorded request's id: ours; "": there is none
	requests  int               // how many came
	early     []message         // replies that came before those that are expected
	closed    bool              // by the recorded client
	over      bool              // nothing more is to be replayed
}

func newServerReplay(t *testing.T, row serverRow) *serverReplay {
	carrier, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &serverReplay{T: t, row: row, server: sig.NewServerRouter(nil), addr: carrier.Addr(),
		conns: make(map[string]*replayConn), told: make(map[string]bool), asked: make(chan result, 1)}
	offers := row.offers
	if offers == nil {
		offers = map[sig.Name][]sig.Name{"timer": {"tick"}}
	}
	if row.prepare != nil {
		row.prepare(r)
	} else {
		for sender, events := range offers {
			if _, err := r.server.AddSender(sender, events...); err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.server.Serve(ctx, carrier) }()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
		done <- nil
	}
	t.Cleanup(r.stop)
	return r
}

func (r *serverReplay) line(l recorded) {
	r.Helper()
	c := r.conns[l.who]
	switch {
	case l.Dir == "c2s" && l.Ev == "open":
		if c == nil || c.closed {
			r.open(l.who)
		}
	case c.over:
	case l.Dir == "c2s" && l.Ev != "":
		if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			r.Fatal(err)
		}
		c.closed = true
	case l.Ev != "" && c.closed:
		c.expectEnd(r.T)
		c.over = true
	case l.Ev != "": // there the recorded server ended
		c.over = true
	case l.Dir == "c2s":
		c.say(r.T, l.bytes())
		if r.row.ends != "" {
			for _, want := range r.row.differs[l.who+" end"].want {
				c.expect(r.T, l.who+" end", mustParse(r.T, want))
			}
			c.expectEnd(r.T)
			c.over, c.closed = true, true
		}
	default:
		r.expect(c, mustParse(r.T, l.Data))
	}
}

func (r *serverReplay) open(who string) {
	r.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.Fatal(err)
	}
	r.conns[who] = &replayConn{receiver: receive(r.T, conn), who: who, listeners: make(map[string]string), ids: make(map[string]string)}
}

// say sends what the recorded client sent, with our ids in place of pysig's.
func (c *replayConn) say(t *testing.T, text []byte) {
	t.Helper()
	said := string(text)
	for pysigs, ours := range c.listeners {
		said = strings.ReplaceAll(said, pysigs, ours)
	}
	if m, ok := parse(text); ok && m.isReply() {
		switch ours, known := c.ids[m.id()]; {
		case known && ours == "":
			return // an answer to what did not come
		case known && ours != m.id():
			said = strings.Replace(said, `"id": `+m.id(), `"id": `+ours, 1)
		}
	}
	c.write(t, said)
}

// expect takes the recorded message, or what comes in its place.
func (r *serverReplay) expect(c *replayConn, recorded message) {
	r.Helper()
	name := c.who + " signal " + recorded.id()
	if recorded.isReply() {
		name = c.who + " reply " + recorded.id()
	} else if recorded.members["method"] == "request" {
		name = c.who + " request " + recorded.id()
	}
	for n, first := 2, name; r.told[name]; n++ {
		name = fmt.Sprintf("%s #%d", first, n)
	}
	r.told[name] = true
	if before := r.row.before[name]; before != nil {
		before(r)
	}
	d, differs := r.row.differs[name]
	if !differs {
		c.expect(r.T, name, recorded)
		return
	}
	if !recorded.isReply() {
		c.ids[recorded.id()] = ""
	}
	for _, want := range d.want {
		c.expect(r.T, name+" ("+d.why+")", mustParse(r.T, want))
	}
}

// expect takes the next message of the kind of want, and learns its ids.
func (c *replayConn) expect(t *testing.T, name string, want message) {
	t.Helper()
	var got message
	if want.isReply() {
		got = c.nextReply(t, name, want.id())
	} else {
		got = next(t, c.receiver.requests, name)
	}
	if where, pysigs := want.listenerID(); where != nil {
		_, ours := got.listenerID()
		if want.isReply() && ours != "" && len(pysigs) > 9 { // those that can only be one
			c.listeners[pysigs] = ours
		}
		if known := c.listeners[pysigs]; known != "" {
			pysigs = known
		}
		where["listener_id"] = pysigs
		if where, ours := got.listenerID(); where != nil {
			where["listener_id"] = ours
		}
	}
	if !want.isReply() {
		c.requests++
		if got.id() != fmt.Sprint(c.requests) {
			t.Errorf("%s has the id %s, want %d", name, got.id(), c.requests)
		}
		c.ids[want.id()] = got.id()
		delete(want.members, "id")
		delete(got.members, "id")
	}
	if text, ok := want.members["exception"].(string); ok && strings.HasSuffix(text, "...") {
		gotText, _ := got.members["exception"].(string)
		got.members["exception"] = gotText[:min(len(gotText), len(text)-3)] + "..."
	}
	if got.String() != want.String() {
		t.Errorf("%s\ngot  %s\nwant %s", name, got, want)
	}
}

// nextReply returns the next reply with this id. Replies come in the order in
// which they are ready.
func (c *replayConn) nextReply(t *testing.T, name, id string) message {
	t.Helper()
	for {
		for i, m := range c.early {
			if m.id() == id {
				c.early = slices.Delete(c.early, i, i+1)
				return m
			}
		}
		c.early = append(c.early, next(t, c.replies, name))
	}
}

// expectNoMore proves that nothing came except what was expected: the next
// thing heard is a sender of its own.
func (r *serverReplay) expectNoMore() {
	r.Helper()
	for _, c := range r.conns {
		if c.closed {
			continue
		}
		if c.requests > 0 { // it may not have been answered
			c.answer(r.T)
		}
		for _, want := range r.row.differs[c.who+" end"].want {
			c.expect(r.T, c.who+" end", mustParse(r.T, want))
			if !mustParse(r.T, want).isReply() {
				c.answer(r.T)
			}
		}
		c.write(r.T, `{"id": "marker", "method": "add_listener", "params": {"sender": "marker", "event": "done"}}`)
		c.nextReply(r.T, "answer to the marker", `"marker"`)
		for _, m := range c.early {
			r.Errorf("%s: unexpected %s", c.who, m.text)
		}
	}
	marker, err := r.server.AddSender("marker", "done")
	if err != nil {
		r.Fatal(err)
	}
	if err := marker.Trigger("done", nil); err != nil {
		r.Fatal(err)
	}
	for _, c := range r.conns {
		for !c.closed {
			m := next(r.T, c.receiver.requests, "marker")
			info, _ := m.object("params")["info"].(map[string]any)
			if info["sender"] != "marker" {
				r.Errorf("%s: unexpected %s", c.who, m.text)
			}
			if info["event"] == "done" {
				break
			}
			c.requests++
			c.answer(r.T)
		}
	}
}

// answer answers the last request.
func (c *replayConn) answer(t *testing.T) {
	t.Helper()
	c.write(t, fmt.Sprintf(`{"status": 0, "id": %d, "response": null}`, c.requests))
}

// trigger is a signal of the server's own timer.
func trigger(event sig.Name, data string) func(*serverReplay) {
	return func(r *serverReplay) {
		if err := r.server.Sender("timer").Trigger(event, sig.JSONData([]byte(data))); err != nil {
			r.Fatal(err)
		}
	}
}

func tick(data string) func(*serverReplay) { return trigger("tick", data) }

func inOrder(steps ...func(*serverReplay)) func(*serverReplay) {
	return func(r *serverReplay) {
		for _, step := range steps {
			step(r)
		}
	}
}

// says makes a client send something that it did not send in the recording.
func says(who, text string) func(*serverReplay) {
	return func(r *serverReplay) { r.conns[who].write(r.T, text) }
}

// resets ends a connection as a host does that no longer knows of it.
func resets(who string) func(*serverReplay) {
	return func(r *serverReplay) {
		c := r.conns[who]
		if err := c.Conn.(*net.TCPConn).SetLinger(0); err != nil {
			r.Fatal(err)
		}
		c.Close()
		c.closed = true
	}
}

// frees waits until the name of a client that is gone can be taken.
func frees(name sig.Name) func(*serverReplay) {
	return func(r *serverReplay) {
		eventually(r.T, string(name)+" is free", func() bool {
			_, err := r.server.AddSender(name, "chime")
			return err == nil
		})
	}
}

// stops ends the server, and with it all connections.
func stops(r *serverReplay) {
	r.stop()
	for _, c := range r.conns {
		c.expectEnd(r.T)
		c.closed = true
	}
}

func drops(n uint64) func(*serverReplay) {
	return func(r *serverReplay) {
		eventually(r.T, fmt.Sprintf("%d signals were dropped", n), func() bool { return r.server.Dropped() == n })
	}
}
