package sig_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// Nobody needs to own a name to publish under it, whether or not it is taken.
func TestPublish(t *testing.T) {
	s, addr := serve(t)
	owner, _ := run(t, tcp.NewClient(addr))
	if _, err := owner.AddRemoteSender(t.Context(), "me", "other"); err != nil {
		t.Fatal(err)
	}
	listener, changed := run(t, tcp.NewClient(addr))
	heard := sigtest.NewRecorder()
	for _, topic := range [][2]sig.Name{{"me", "hello"}, {"me", ""}, {"", "#all"}} {
		l := listener.AddRemoteListener(topic[0], topic[1], heard.Listen)
		until(t, changed, "the listener is registered", func() bool {
			return isActive(listener, l)() || isRefused(listener, l)() // the owner does not offer hello
		})
	}
	publisher, _ := run(t, tcp.NewClient(addr))
	done, err := publisher.Publish(t.Context(), sig.Publication{Sender: "me", Event: "hello", Data: 1})
	if err != nil || done.Listeners != 2 {
		t.Errorf("published: %+v, %v", done, err)
	}
	ev := heard.Next(t)
	if got := sigtest.Text(ev); got != "me: hello 1" || ev.Seq != done.Seq {
		t.Errorf("heard %s with number %d, published with %d", got, ev.Seq, done.Seq)
	}
	heard.Expect(t, "me: hello 1") // the other listener
	_, err = publisher.Publish(t.Context(),
		sig.Publication{Sender: "nobody", Event: "#all", Data: "a"},
		sig.Publication{Sender: "me", Data: map[string]int{"n": 2}},
		sig.Publication{Sender: sig.Number(5), Event: "#all"})
	if err != nil {
		t.Fatal(err)
	}
	heard.Expect(t, `nobody: #all "a"`, `me:  {"n":2}`, "5: #all null")
	if s.Sender("nobody") != nil {
		t.Error("publishing has made a sender")
	}
	if done, err = s.Publish(sig.Publication{Sender: "me", Event: "hello"}); err != nil || done.Listeners != 2 {
		t.Errorf("published at the server itself: %+v, %v", done, err)
	}
	heard.Expect(t, "me: hello null", "me: hello null")
}

// A batch is taken whole or refused whole.
func TestPublishRefused(t *testing.T) {
	s, addr := serve(t)
	heard := sigtest.NewRecorder()
	if _, err := s.AddListener("", "", heard.Listen); err != nil {
		t.Fatal(err)
	}
	c, _ := run(t, tcp.NewClient(addr))
	good := sig.Publication{Sender: "me", Event: "hello"}
	for _, tc := range []struct {
		bad  sig.Publication
		want string
	}{
		{sig.Publication{Event: "hello"}, "event 2 of 2: the sender is missing"},
		{sig.Publication{Sender: "me", Event: sig.EventConnect}, "event 2 of 2: #connect cannot be published: a sender has it by connecting"},
		{sig.Publication{Sender: "me", ID: strings.Repeat("x", 129)}, "event 2 of 2: an id of 129 bytes: at most 128 are allowed"},
		{sig.Publication{Sender: "me", Data: strings.Repeat("x", sig.MaxData)}, "event 2 of 2: message too large: data of 1048578 bytes, the limit is 1048576"},
		{sig.Publication{Sender: "me", Data: func() {}}, "event 2 of 2: json: unsupported type: func()"},
	} {
		for from, publish := range map[string]func(...sig.Publication) (sig.Published, error){
			"client": func(all ...sig.Publication) (sig.Published, error) { return c.Publish(t.Context(), all...) },
			"server": s.Publish,
		} {
			if _, err := publish(good, tc.bad); err == nil || err.Error() != tc.want {
				t.Errorf("%s: %v, want %s", from, err, tc.want)
			}
		}
	}
	// On the wire, in either form.
	pysig, stream := dial(t, addr, nil), dialStream(t, addr)
	for _, tc := range []struct{ params, want string }{
		{`{"events": [{"info": {"sender": "me"}}, {"info": {}}]}`, "event 2: the sender is missing"},
		{`{"events": [{"info": {"sender": "me"}}, {}]}`, "event 2: info is missing: it must be an object"},
		{`{"events": [{"info": {"sender": "me"}, "id": []}]}`, "event 1: an id is a text or a number, not \"[]\""},
		{`{"events": [7]}`, "event 1: it must be an object, not 7"},
		{`{}`, `publish requires {"events": [{"info": {"sender": …, "event": …}, "data": …}]}`},
		{`{"events": [` + strings.Repeat(`{"info":{"sender":"me"}},`, 1000) + `{"info":{"sender":"me"}}]}`, "1001 events at once: at most 1000 can be published"},
	} {
		stream.send(`{"id": 2, "method": "publish", "params": ` + tc.params + `}`)
		if got := stream.next().Exception; got != tc.want {
			t.Errorf("publish %.80s: %s, want %s", tc.params, got, tc.want)
		}
	}
	heard.ExpectNone(t)
	if _, err := pysig.Call("publish", map[string]any{"events": []any{map[string]any{"info": map[string]any{"sender": "p", "event": "e", "more": 1}, "data": 5}}}); err != nil {
		t.Error(err)
	}
	ev := heard.Next(t)
	if got := sigtest.Text(ev) + string(ev.Extra()); got != `p: e 5{"more": 1}` {
		t.Errorf("heard %s", got)
	}
}

// A publication that is repeated is delivered once, and answered as the first time.
func TestPublishAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sig.NewServerRouter(nil)
		heard := sigtest.NewRecorder()
		if _, err := s.AddListener("me", "", heard.Listen); err != nil {
			t.Fatal(err)
		}
		publish := func(id string, data any) sig.Published {
			done, err := s.Publish(sig.Publication{Sender: "me", Event: "e", Data: data, ID: id})
			if err != nil {
				t.Fatal(err)
			}
			return done
		}
		first := publish("a", 1)
		publish("b", 2)
		time.Sleep(10 * time.Minute)
		if again := publish("a", 1); again != first {
			t.Errorf("answered with %+v, at first with %+v", again, first)
		}
		heard.Expect(t, "me: e 1", "me: e 2")
		heard.ExpectNone(t)
		time.Sleep(time.Second)
		publish("a", 3) // by now, the first ids are forgotten, although none has come since
		publish("c", 4)
		publish("b", 5)
		publish("a", 6)
		heard.Expect(t, "me: e 3", "me: e 4", "me: e 5")
		heard.ExpectNone(t)
	})
}

// A publication that is repeated while the first is still on its way is delivered once.
func TestPublishTwiceAtOnce(t *testing.T) {
	r := new(sig.Router)
	heard := sigtest.NewRecorder()
	if _, err := r.AddListener("me", "", heard.Listen); err != nil {
		t.Fatal(err)
	}
	var under sync.WaitGroup
	under.Add(2)
	r.Intercept(func(ev sig.Event) (sig.Event, bool) {
		under.Done()
		under.Wait()
		return ev, true
	})
	var answers [2]sig.Published
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			var err error
			if answers[i], err = r.Publish(sig.Publication{Sender: "me", Event: "e", Data: 1, ID: "a"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	heard.Expect(t, "me: e 1")
	heard.ExpectNone(t)
	if answers[0] != answers[1] {
		t.Errorf("two answers: %+v", answers)
	}
}

// Many publishers under one name, over connections that are cut all the time: each
// event arrives once.
func TestPublishOverCuts(t *testing.T) {
	const publishers, each = 20, 300
	s, addr := serve(t)
	var mu sync.Mutex
	heard := make(map[string]int)
	if _, err := s.AddListener("me", "e", func(ev sig.Event) {
		mu.Lock()
		defer mu.Unlock()
		heard[fmt.Sprint(ev.Data.Value())]++
	}); err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, addr)
	ended := make(chan struct{})
	var cutter sync.WaitGroup
	cutter.Go(func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(50 * time.Millisecond):
				p.cut()
			}
		}
	})
	var all sync.WaitGroup
	for i := range publishers {
		c, _ := runWith(t, tcp.NewClient(p.Addr().String()), &sig.ClientOptions{Backoff: func(int, time.Duration) time.Duration { return time.Millisecond }})
		all.Go(func() {
			for j := range each {
				if _, err := c.Publish(t.Context(), sig.Publication{Sender: "me", Event: "e", Data: fmt.Sprintf("%d.%d", i, j)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	close(ended)
	cutter.Wait()
	mu.Lock()
	defer mu.Unlock()
	if len(heard) != publishers*each {
		t.Errorf("%d of %d arrived", len(heard), publishers*each)
	}
	for data, n := range heard {
		if n != 1 {
			t.Errorf("%s arrived %d times", data, n)
		}
	}
}

// What is published while a listener is away is replayed.
func TestPublishedIsReplayed(t *testing.T) {
	s, addr := serve(t)
	p := newProxy(t, addr)
	c, changed := run(t, tcp.NewClient(p.Addr().String()))
	heard := sigtest.NewRecorder()
	until(t, changed, "the listener is registered", isActive(c, c.AddRemoteListener("me", "e", heard.Listen)))
	for i := range 3 {
		p.cut()
		if _, err := s.Publish(sig.Publication{Sender: "me", Event: "e", Data: i}); err != nil {
			t.Fatal(err)
		}
	}
	heard.Expect(t, "me: e 0", "me: e 1", "me: e 2")
}

func TestPublishAtPysig(t *testing.T) {
	c, _ := run(t, tcp.NewClient(pysig(t, "127.0.0.1:0").Addr()))
	if _, err := c.Publish(t.Context(), sig.Publication{Sender: "me", Event: "e"}); err != sig.ErrNoPublish {
		t.Errorf("error: %v", err)
	}
}

// Where nobody answers, the error says whether the events may have arrived.
func TestPublishInVain(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	c, _ := run(t, tcp.NewClient(silent.Addr().String()))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.Publish(ctx, sig.Publication{Sender: "me"})
	if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, sig.ErrNoAnswer) {
		t.Errorf("nobody there: %v", err)
	}
	_, addr := serve(t)
	lossy := swallower{tcp.NewClient(addr), "publish"}
	c, _ = run(t, lossy)
	if err := c.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = c.Publish(ctx, sig.Publication{Sender: "me"})
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, sig.ErrNoAnswer) {
		t.Errorf("no answer: %v", err)
	}
	p := newProxy(t, addr)
	c, _ = run(t, swallower{tcp.NewClient(p.Addr().String()), "publish"})
	if err := c.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Close()
	time.AfterFunc(50*time.Millisecond, p.cut)
	ctx, cancel = context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err = c.Publish(ctx, sig.Publication{Sender: "me"})
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, sig.ErrNoAnswer) {
		t.Errorf("the server ended: %v", err)
	}
}

// swallower loses the requests of one method on their way.
type swallower struct {
	sig.ClientCarrier
	method string
}

func (s swallower) Dial(ctx context.Context) (sig.Conn, error) {
	conn, err := s.ClientCarrier.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return swallowing{conn, s.method}, nil
}

type swallowing struct {
	sig.Conn
	method string
}

func (c swallowing) WriteMessage(text []byte) error {
	if strings.Contains(string(text), `"method":"`+c.method+`"`) {
		return nil
	}
	return c.Conn.WriteMessage(text)
}
