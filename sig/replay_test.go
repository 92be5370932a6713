package sig_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// cutter is a carrier whose connections can be cut.
type cutter struct {
	sig.ClientCarrier

	mu    sync.Mutex // guards the field below
	conns []sig.Conn
}

func (c *cutter) Dial(ctx context.Context) (sig.Conn, error) {
	conn, err := c.ClientCarrier.Dial(ctx)
	if err == nil {
		c.mu.Lock()
		c.conns = append(c.conns, conn)
		c.mu.Unlock()
	}
	return conn, err
}

func (c *cutter) cut() {
	c.mu.Lock()
	conns := c.conns
	c.conns = nil
	c.mu.Unlock()
	for _, conn := range conns {
		conn.Close()
	}
}

// resumed runs a client that is cut off again and again while events pass. It
// returns how many events came, in order and once each, how many were missed,
// and whether any gap was of unknown size.
func resumed(t *testing.T, memory, events, cuts int) (heard, missed int, unknown bool) {
	s, addr := serveWith(t, &sig.ServerOptions{Memory: memory, Queue: 64})
	ctx, cancel := context.WithCancel(t.Context())
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	timer, err := s.AddSender("timer", "tick", "other")
	if err != nil {
		t.Fatal(err)
	}
	link := &cutter{ClientCarrier: tcp.NewClient(addr)}
	changed := wait.NewToken()
	var last, lost atomic.Int64
	var gaps atomic.Bool
	count := 0
	c := sig.NewClientRouter(link, &sig.ClientOptions{
		Backoff: func(int, time.Duration) time.Duration { return time.Millisecond },
		Queue:   100,
		Changed: changed.Raise,
		Missed: func(n int) {
			if n < 0 {
				gaps.Store(true)
				return
			}
			lost.Add(int64(n))
		},
	})
	all := make(chan struct{})
	listen := func(ev sig.Event) {
		var n int64
		if err := ev.Data.Decode(&n); err != nil {
			t.Error(err)
		}
		if n <= last.Load() {
			t.Errorf("event %d came after %d", n, last.Load())
		}
		count++
		if last.Store(n); n == int64(events) {
			close(all)
		}
	}
	l := c.AddRemoteListener("timer", "tick", listen)
	tasks.Go(func() { c.Run(ctx) })
	until(t, changed, "active", isActive(c, l))
	for i := range events {
		if err := timer.Trigger("other", i); err != nil {
			t.Fatal(err)
		}
		if err := timer.Trigger("tick", i+1); err != nil {
			t.Fatal(err)
		}
		if i%(events/cuts) == 0 {
			link.cut()
		}
	}
	// The last event is sent again, so that the end is recognised even if it
	// was forgotten.
	select {
	case <-all:
	case <-time.After(60 * time.Second):
		t.Fatalf("the last event has not come: heard %d up to %d, missed %d", count, last.Load(), lost.Load())
	}
	cancel()
	tasks.Wait()
	return count, int(lost.Load()), gaps.Load()
}

// A listener that is cut off a hundred times loses nothing that the server
// remembers.
func TestResumeLosesNothing(t *testing.T) {
	const events = 100_000
	if heard, missed, unknown := resumed(t, 4*events, events, 100); heard != events || missed != 0 || unknown {
		t.Errorf("heard %d of %d, missed %d, unknown %v", heard, events, missed, unknown)
	}
}

// The server says how many events it has forgotten.
func TestResumeTellsWhatWasMissed(t *testing.T) {
	const events = 20_000
	heard, missed, unknown := resumed(t, 50, events, 100)
	if heard+missed != events || missed == 0 || unknown {
		t.Errorf("heard %d and missed %d of %d, unknown %v", heard, missed, events, unknown)
	}
}

// pair is a server and a client on an in-memory network.
type pair struct {
	t       *testing.T
	network *sigtest.Network
	opts    *sig.ServerOptions
	server  *sig.ServerRouter
	client  *sig.ClientRouter
	missed  []int
	stop    func()
}

func newPair(t *testing.T) *pair { return newPairWith(t, nil) }

func newPairWith(t *testing.T, opts *sig.ServerOptions) *pair {
	p := &pair{t: t, network: new(sigtest.Network), opts: opts}
	p.up()
	p.client = sig.NewClientRouter(p.network.Client(), &sig.ClientOptions{Missed: func(n int) { p.missed = append(p.missed, n) }})
	stop := wait.Start(t.Context(), p.client.Run)
	t.Cleanup(func() {
		stop()
		p.stop()
	})
	return p
}

// up starts a server that remembers nothing of the one before.
func (p *pair) up() {
	p.server = sig.NewServerRouter(p.opts)
	server, carrier := p.server, p.network.Up()
	p.stop = wait.Start(p.t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) })
}

func (p *pair) add(name sig.Name, events ...sig.Name) *sig.Sender {
	p.t.Helper()
	s, err := p.server.AddSender(name, events...)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

func fire(t *testing.T, s *sig.Sender, event sig.Name, data any) {
	t.Helper()
	if err := s.Trigger(event, data); err != nil {
		t.Fatal(err)
	}
}

func TestGapIsReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		timer := p.add("timer", "tick", "tock", "#beat")
		heard := sigtest.NewRecorder()
		listen := func(ev sig.Event) {
			if ev.Seq == 0 || time.Since(ev.Time) > time.Hour {
				t.Errorf("event without its number or time: %+v", ev)
			}
			if ev.Replayed {
				ev.Event += "*"
			}
			heard.Listen(ev)
		}
		p.client.AddRemoteListener("timer", "tick", listen)
		p.client.AddRemoteListener("", "#beat", listen)
		time.Sleep(time.Second)
		fire(t, timer, "tick", 1)
		time.Sleep(time.Second)
		heard.Expect(t, "timer: tick 1")
		p.network.Cut()
		fire(t, timer, "tick", 2)
		fire(t, timer, "tock", 3)
		fire(t, timer, "#beat", 4)
		late := sigtest.NewRecorder()
		p.client.AddRemoteListener("timer", "tock", late.Listen) // asks for nothing from before
		time.Sleep(time.Second)
		fire(t, timer, "tick", 5)
		fire(t, timer, "tock", 6)
		time.Sleep(time.Second)
		heard.Expect(t, "timer: tick* 2", "timer: #beat* 4", "timer: tick 5")
		late.Expect(t, "timer: tock 6")
		heard.ExpectNone(t)
		late.ExpectNone(t)
		if p.missed != nil {
			t.Errorf("events reported missed: %v", p.missed)
		}
	})
}

// A server that is restarted has forgotten what was before, and nobody can say
// how much that is. What it has taken since comes first.
func TestAnotherEpochIsAnUnknownGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		heard := sigtest.NewRecorder()
		p.client.AddRemoteListener("timer", "", heard.Listen)
		time.Sleep(time.Second)
		for i := range 5 {
			fire(t, p.add(sig.Number(float64(i)), "e"), "e", i)
		}
		p.stop()
		p.up()
		timer := p.add("timer", "tick") // before the client is back
		fire(t, timer, "tick", 1)
		time.Sleep(time.Minute)
		fire(t, timer, "tick", 2)
		time.Sleep(time.Second)
		heard.Expect(t, `timer: #connect {"requests":null,"events":["tick","#disconnect","#connect"]}`, "timer: tick 1", "timer: tick 2")
		if len(p.missed) != 1 || p.missed[0] >= 0 {
			t.Errorf("missed: %v, want one gap of unknown size", p.missed)
		}
		p.network.Cut()
		fire(t, timer, "tick", 3)
		time.Sleep(time.Minute)
		heard.Expect(t, "timer: tick 3")
		heard.ExpectNone(t)
		if len(p.missed) != 1 {
			t.Errorf("missed: %v", p.missed)
		}
	})
}

// turning is a carrier to one of two servers.
type turning struct {
	both [2]*sigtest.Network
	to   int
}

func (*turning) String() string { return "one of two" }

func (c *turning) Dial(ctx context.Context) (sig.Conn, error) { return c.both[c.to].Client().Dial(ctx) }

// A server that takes another's place, and later gives it back, has the client go on
// where it was: with what happened since, each once.
func TestEpochThatComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		carrier := &turning{both: [2]*sigtest.Network{{}, {}}}
		var senders [2]*sig.Sender
		for i, network := range carrier.both {
			p := &pair{t: t, network: network, opts: &sig.ServerOptions{Memory: 3}}
			p.up()
			t.Cleanup(p.stop)
			senders[i] = p.add("timer", "tick")
		}
		var missed []int
		client := sig.NewClientRouter(carrier, &sig.ClientOptions{Missed: func(n int) { missed = append(missed, n) }})
		t.Cleanup(wait.Start(t.Context(), client.Run))
		heard := sigtest.NewRecorder()
		client.AddRemoteListener("timer", "tick", heard.Listen)
		time.Sleep(time.Second)
		turn := func() {
			carrier.to = 1 - carrier.to
			carrier.both[1-carrier.to].Cut()
			time.Sleep(time.Second)
		}
		expect := func(gaps int, want ...string) {
			t.Helper()
			time.Sleep(time.Second)
			heard.Expect(t, want...)
			heard.ExpectNone(t)
			if len(missed) != gaps {
				t.Errorf("missed: %v, want %d gaps", missed, gaps)
			}
		}
		fire(t, senders[0], "tick", "a1")
		fire(t, senders[1], "tick", "b1")
		expect(0, `timer: tick "a1"`)
		turn()
		expect(1, `timer: tick "b1"`) // all that it remembers, as of any new server
		fire(t, senders[0], "tick", "a2")
		turn()
		expect(1, `timer: tick "a2"`)
		for _, data := range []string{"b2", "b3", "b4", "b5"} { // of which it remembers three
			fire(t, senders[1], "tick", data)
		}
		turn()
		expect(2, `timer: tick "b3"`, `timer: tick "b4"`, `timer: tick "b5"`)
		if missed[0] != -1 || missed[1] != 1 {
			t.Errorf("missed: %v", missed)
		}
	})
}

// A client whose subscriptions are quiet moves on with its pings: what it does
// not listen to must not count as missed.
func TestQuietClientMovesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		timer, noise := p.add("timer", "tick"), p.add("noise", "n")
		heard := sigtest.NewRecorder()
		p.client.AddRemoteListener("timer", "tick", heard.Listen)
		time.Sleep(time.Second)
		for round := range 40 {
			for i := range 10_000 {
				fire(t, noise, "n", i)
			}
			fire(t, timer, "tick", round)
			time.Sleep(time.Minute)
		}
		for i := range 40 {
			heard.Expect(t, fmt.Sprintf("timer: tick %d", i))
		}
		for range 40 { // more than the server knows of what it has forgotten
			for i := range 10_000 {
				fire(t, noise, "n", i)
			}
			time.Sleep(time.Minute)
		}
		p.network.Cut()
		time.Sleep(time.Minute)
		fire(t, timer, "tick", 99)
		time.Sleep(time.Second)
		heard.Expect(t, "timer: tick 99")
		if p.missed != nil {
			t.Errorf("events reported missed: %v", p.missed)
		}
	})
}

// A sender that connects with another event, fires and leaves, again and again,
// while the client is cut off now and then: a listener that was dropped gets
// each event that is for it, once.
func TestFlappingSenderLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		heard := sigtest.NewRecorder()
		p.client.AddRemoteListener("timer", "tick", heard.Listen)
		p.client.AddRemoteListener("timer", "tock", heard.Listen)
		time.Sleep(time.Second)
		const rounds = 300
		for i := range rounds {
			for _, event := range []sig.Name{"tick", "tock"} {
				s := p.add("timer", event)
				fire(t, s, event, i)
				if i%7 == 3 {
					p.network.Cut()
				}
				fire(t, s, event, i+1000)
				if err := p.server.RemoveSender(s); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(i%5) * time.Millisecond)
			}
		}
		time.Sleep(time.Minute)
		want, got := make(map[string]int), make(map[string]int)
		for i := range rounds {
			for _, event := range []string{"tick", "tock"} {
				want[fmt.Sprintf("timer: %s %d", event, i)]++
				want[fmt.Sprintf("timer: %s %d", event, i+1000)]++
			}
		}
		for range 4 * rounds {
			got[sigtest.Text(heard.Next(t))]++
		}
		heard.ExpectNone(t)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if p.missed != nil {
			t.Errorf("events reported missed: %v", p.missed)
		}
	})
}

// A listener that blocks holds up the server's events, and loses none; what it
// asks the server meanwhile is answered.
func TestSlowListenerLosesNothing(t *testing.T) {
	s, addr := serve(t)
	timer, err := s.AddSender("timer", "tick")
	if err != nil {
		t.Fatal(err)
	}
	var missed atomic.Int64
	c := sig.NewClientRouter(tcp.NewClient(addr), &sig.ClientOptions{
		Queue:  10,
		Missed: func(n int) { missed.Add(1) },
	})
	begin, all := make(chan struct{}), make(chan struct{})
	const events = 5000
	next := 0
	l := c.AddRemoteListener("timer", "tick", func(ev sig.Event) {
		<-begin
		var n int
		if err := ev.Data.Decode(&n); err != nil || n != next {
			t.Errorf("got %d, want %d (%v)", n, next, err)
		}
		if next++; next%1000 == 1 {
			if _, err := c.Senders(t.Context(), false); err != nil {
				t.Error(err)
			}
		}
		if next == events {
			close(all)
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	tasks.Go(func() { c.Run(ctx) })
	for !isActive(c, l)() {
		time.Sleep(time.Millisecond)
	}
	for i := range events {
		if err := timer.Trigger("tick", i); err != nil {
			t.Fatal(err)
		}
	}
	close(begin)
	select {
	case <-all:
	case <-time.After(30 * time.Second):
		t.Fatal("not all events have come")
	}
	if missed.Load() != 0 || c.Dropped() != 0 {
		t.Errorf("missed %d, dropped %d", missed.Load(), c.Dropped())
	}
}

// wireTap sees what a client writes before it goes out.
type wireTap struct {
	sig.ClientCarrier
	dials int
	see   func(dial int, text string, conn sig.Conn)
}

func (w *wireTap) Dial(ctx context.Context) (sig.Conn, error) {
	conn, err := w.ClientCarrier.Dial(ctx)
	if err != nil {
		return nil, err
	}
	w.dials++
	return &tapped{conn, w, w.dials}, nil
}

type tapped struct {
	sig.Conn
	tap  *wireTap
	dial int
}

func (c *tapped) WriteMessage(text []byte) error {
	c.tap.see(c.dial, string(text), c.Conn)
	return c.Conn.WriteMessage(text)
}

// Many listeners resume in two messages; the connection ends between them. What
// the first one brought must not move the others past the gap.
func TestResumeInTwoMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		first, last := p.add("s0", "e"), p.add("s1000", "e")
		subscribes := 0
		c := sig.NewClientRouter(&wireTap{ClientCarrier: p.network.Client(), see: func(dial int, text string, conn sig.Conn) {
			if dial != 2 || !strings.Contains(text, `"subscribe"`) {
				return
			}
			if subscribes++; subscribes == 2 {
				time.Sleep(100 * time.Millisecond) // what the first message brings has time to come
				conn.Close()
			}
		}}, nil)
		heard := sigtest.NewRecorder()
		for i := range 1001 {
			c.AddRemoteListener(sig.Name(fmt.Sprint("s", i)), "", heard.Listen)
		}
		runUntilCleanup(t, c)
		time.Sleep(time.Second)
		fire(t, first, "e", 1)
		fire(t, last, "e", 2)
		time.Sleep(time.Second)
		heard.Expect(t, "s0: e 1", "s1000: e 2")
		p.network.Cut()
		fire(t, last, "e", 3)
		fire(t, first, "e", 4)
		time.Sleep(time.Minute)
		fire(t, last, "e", 5)
		time.Sleep(time.Second)
		// The position after an event is reported once everything before it has
		// come.
		told := uint64(0)
		for i, want := range []string{"s0: e 4", "s1000: e 3", "s1000: e 5"} {
			ev := heard.Next(t)
			p := ev.Position()
			if got := sigtest.Text(ev); got != want || (p.Seq == 0) != (i == 0) || p.Seq < told {
				t.Errorf("event %d is %q at %+v, want %q", i, got, p, want)
			}
			told = p.Seq
		}
		heard.ExpectNone(t)
		if subscribes != 2 {
			t.Errorf("%d messages subscribed on the second connection, want 2", subscribes)
		}
	})
}

// lateReader reads the answer to the second connection's subscription, and what
// comes after it, and hands them over only when the connection has ended.
type lateReader struct {
	*sigtest.Network
	client *sig.ClientRouter
	dials  int
}

type lateConn struct {
	sig.Conn
	reader *lateReader
	held   [][]byte
}

func (*lateReader) String() string { return "late" }

func (r *lateReader) Dial(ctx context.Context) (sig.Conn, error) {
	conn, err := r.Client().Dial(ctx)
	if r.dials++; err != nil || r.dials != 2 {
		return conn, err
	}
	return &lateConn{Conn: conn, reader: r}, nil
}

func (c *lateConn) ReadMessage() ([]byte, error) {
	if len(c.held) > 0 {
		text := c.held[0]
		c.held = c.held[1:]
		return text, nil
	}
	text, err := c.Conn.ReadMessage()
	if err != nil || !strings.Contains(string(text), `"listeners"`) {
		return text, err
	}
	for range 2 {
		more, err := c.Conn.ReadMessage()
		if err != nil {
			return nil, err
		}
		c.held = append(c.held, bytes.Clone(more))
	}
	c.Conn.Close()
	c.reader.client.Reconnect() // a ping finds that out
	time.Sleep(time.Second)
	return text, nil
}

// What is read from a connection after its end comes again on the next one: it
// must not count as received.
func TestReadAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		timer := p.add("timer", "tick")
		heard := sigtest.NewRecorder()
		r := &lateReader{Network: p.network}
		r.client = sig.NewClientRouter(r, nil)
		r.client.AddRemoteListener("timer", "tick", heard.Listen)
		runUntilCleanup(t, r.client)
		time.Sleep(time.Second)
		fire(t, timer, "tick", 1)
		time.Sleep(time.Second)
		p.network.Cut()
		fire(t, timer, "tick", 2)
		fire(t, timer, "tick", 3)
		time.Sleep(time.Minute)
		fire(t, timer, "tick", 4)
		time.Sleep(time.Second)
		heard.Expect(t, "timer: tick 1", "timer: tick 2", "timer: tick 3", "timer: tick 4")
		heard.ExpectNone(t)
		if r.dials != 3 {
			t.Errorf("%d connections, want 3", r.dials)
		}
	})
}

func runUntilCleanup(t *testing.T, c *sig.ClientRouter) {
	t.Cleanup(wait.Start(t.Context(), c.Run))
}

// A server that remembers, then pysig's, then one that remembers again, all at
// one address: each has its own numbers, or none.
func TestPysigServerBetweenOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		timer := p.add("timer", "tick")
		heard := sigtest.NewRecorder()
		p.client.AddRemoteListener("timer", "tick", heard.Listen)
		time.Sleep(time.Second)
		for i := range 50 {
			fire(t, timer, "tick", i)
			heard.Expect(t, fmt.Sprintf("timer: tick %d", i))
		}
		p.stop()
		pysig := p.network.Up()
		go func() { // one that greets as pysig does, refuses everything else, and goes away
			conn, err := pysig.Accept()
			for err == nil {
				var text []byte
				if text, err = conn.ReadMessage(); err == nil {
					var m struct{ ID int }
					_ = json.Unmarshal(text, &m)
					reply := fmt.Sprintf(`{"status": 0, "id": %d, "response": "1.01"}`, m.ID)
					if !strings.Contains(string(text), "get_version") {
						reply = fmt.Sprintf(`{"status": -2, "id": %d, "exception": "no"}`, m.ID)
					}
					err = conn.WriteMessage([]byte(reply))
				}
			}
		}()
		time.Sleep(time.Minute)
		pysig.Close()
		p.network.Cut()
		p.up()
		timer = p.add("timer", "tick")
		time.Sleep(time.Minute)
		for i := range 30 {
			fire(t, timer, "tick", 100+i)
		}
		time.Sleep(time.Second)
		for i := range 30 {
			heard.Expect(t, fmt.Sprintf("timer: tick %d", 100+i))
		}
	})
}

// A notice of missed events does not take an event's place.
func TestMissedAndFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPairWith(t, &sig.ServerOptions{Memory: 10})
		timer := p.add("timer", "tick")
		missed, heard := 0, 0
		begin := make(chan struct{})
		c := sig.NewClientRouter(p.network.Client(), &sig.ClientOptions{Queue: 10, Missed: func(n int) { missed += n }})
		c.AddRemoteListener("timer", "tick", func(sig.Event) {
			<-begin
			heard++
		})
		runUntilCleanup(t, c)
		time.Sleep(time.Second)
		const cuts, events = 6, 100
		for i := range cuts * events {
			fire(t, timer, "tick", i)
			if i%events == events-1 {
				time.Sleep(time.Second)
				p.network.Cut()
				time.Sleep(time.Minute)
			}
		}
		close(begin)
		time.Sleep(time.Minute)
		synctest.Wait()
		if heard+missed != cuts*events || missed == 0 || c.Dropped() != 0 {
			t.Errorf("fired %d, heard %d, missed %d, dropped %d", cuts*events, heard, missed, c.Dropped())
		}
	})
}

// A server with a limit on clients refuses one more, and says why.
func TestTooManyClients(t *testing.T) {
	_, addr := serveWith(t, &sig.ServerOptions{Limits: sig.Limits{Clients: 1}})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(`{"id": 1, "method": "get_version"}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	c, changed := run(t, tcp.NewClient(addr))
	c.AddRemoteListener("", "", func(sig.Event) {})
	until(t, changed, "the client gets the reason", func() bool {
		err := c.Link().Err
		return err != nil && err.Error() == addr+": the server is full: it takes at most 1 clients"
	})
}

// A client that begins where an earlier one ended misses nothing in between,
// and learns what the server has forgotten.
func TestSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPairWith(t, &sig.ServerOptions{Memory: 10})
		timer := p.add("timer", "tick")
		heard := sigtest.NewRecorder()
		p.client.AddRemoteListener("timer", "tick", heard.Listen)
		time.Sleep(time.Second)
		fire(t, timer, "tick", 1)
		time.Sleep(time.Second)
		since := new(heard.Next(t).Position())
		if since.Epoch == "" || since.Seq == 0 {
			t.Fatalf("%+v", since)
		}
		fire(t, timer, "tick", 2)
		fire(t, timer, "tick", 3)

		begin := func(since *sig.Position) (heard *sigtest.Recorder, c *sig.ClientRouter, missed func() string) {
			words := make(chan int, 10)
			c = sig.NewClientRouter(p.network.Client(), &sig.ClientOptions{Since: since, Missed: func(n int) { words <- n }})
			heard = sigtest.NewRecorder()
			c.ResumeRemoteListener("timer", "tick", heard.Listen)
			fresh := sigtest.NewRecorder()
			c.AddRemoteListener("timer", "", fresh.Listen)
			runUntilCleanup(t, c)
			time.Sleep(time.Second)
			fresh.ExpectNone(t)
			return heard, c, func() (all string) {
				for range len(words) {
					all += fmt.Sprint(<-words, " ")
				}
				return all
			}
		}
		heard, c, missed := begin(since)
		late := sigtest.NewRecorder()
		c.ResumeRemoteListener("", "", late.Listen) // too late to resume
		time.Sleep(time.Second)
		fire(t, timer, "tick", 4)
		time.Sleep(time.Second)
		heard.Expect(t, "timer: tick 2", "timer: tick 3", "timer: tick 4")
		heard.ExpectNone(t)
		late.Expect(t, "timer: tick 4")
		late.ExpectNone(t)
		p.network.Cut()
		fire(t, timer, "tick", 5)
		time.Sleep(time.Minute)
		heard.Expect(t, "timer: tick 5")
		heard.ExpectNone(t)
		if got := missed(); got != "" {
			t.Errorf("missed: %s", got)
		}

		for n := range 20 {
			fire(t, timer, "tick", n)
		}
		if _, _, missed := begin(since); missed() != "14 " { // of 24, 10 are remembered
			t.Error("what is forgotten is not reported, or not exactly")
		}
		if _, _, missed := begin(&sig.Position{Epoch: "another", Seq: 3}); missed() != "-1 15 " { // of its 25, 10 are remembered
			t.Error("what another server has forgotten is not reported, or not exactly")
		}
		heard, _, missed = begin(nil)
		heard.ExpectNone(t)
		if got := missed(); got != "" {
			t.Errorf("missed by a client that starts afresh: %s", got)
		}
	})
}

// If events are searched for a listener, how far they have got is reported even
// when none was for it.
func TestPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		timer, other := p.add("timer", "tick"), p.add("other", "x")
		places := make(chan sig.Position, 100)
		c := sig.NewClientRouter(p.network.Client(), &sig.ClientOptions{Passed: func(p sig.Position) { places <- p }})
		heard := sigtest.NewRecorder()
		c.AddRemoteListener("", "tick", heard.Listen) // not a channel: the server is asked for every event
		runUntilCleanup(t, c)
		time.Sleep(time.Second)
		begin := <-places
		fire(t, timer, "tick", 1)
		time.Sleep(time.Second)
		at := heard.Next(t).Position()
		if at.Epoch != begin.Epoch || at.Seq <= begin.Seq || len(places) > 0 {
			t.Errorf("begun at %+v, an event at %+v, and passed %d times", begin, at, len(places))
		}
		for range 3 {
			fire(t, other, "x", nil)
		}
		time.Sleep(time.Second)
		var last sig.Position
		for range len(places) {
			last = <-places
		}
		if want := (sig.Position{Epoch: at.Epoch, Seq: at.Seq + 3}); last != want {
			t.Errorf("passed %+v, want %+v", last, want)
		}
	})
}

// More listeners than one message registers come back to a server that was
// restarted, and the connection ends at some point in between: each gets each
// event once.
func TestRestartInterrupted(t *testing.T) {
	for cut := time.Duration(0); cut < 60*time.Millisecond; cut += 5 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			const listeners = 2500
			p := newPair(t)
			count := make([]int, listeners)
			events := make([]sig.Name, listeners)
			for i := range listeners {
				events[i] = sig.Name(fmt.Sprint(i))
				p.client.AddRemoteListener("s", events[i], func(sig.Event) { count[i]++ })
			}
			p.add("s", events...)
			time.Sleep(time.Minute)
			p.stop()
			p.up()
			s := p.add("s", events...)
			for _, e := range events {
				fire(t, s, e, nil)
			}
			p.network.Delay(time.Millisecond)
			for dials := p.network.Dials(); p.network.Dials() == dials; {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(cut)
			p.network.Cut()
			p.network.Delay(0)
			time.Sleep(time.Minute)
			synctest.Wait()
			for i, n := range count {
				if n != 1 {
					t.Fatalf("cut off after %s: event %d came %d times", cut, i, n)
				}
			}
			if len(p.missed) == 0 || p.missed[0] != -1 {
				t.Errorf("missed: %v", p.missed)
			}
		})
	}
}
