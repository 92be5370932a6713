package sig_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/store"
	"sigalert/sig/tcp"
)

// memorable is a server on a network whose store outlives it.
type memorable struct {
	*sig.ServerRouter
	network *sigtest.Network
	store   *store.Store
	stop    func()
}

// remembering starts a server with the store in a folder.
func remembering(t *testing.T, network *sigtest.Network, dir string, opts sig.ServerOptions) *memorable {
	t.Helper()
	kept, err := store.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	opts.Store = kept
	m := &memorable{ServerRouter: sig.NewServerRouter(&opts), network: network, store: kept}
	carrier := network.Up()
	stopStore := wait.Start(context.Background(), func(ctx context.Context) {
		if err := kept.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	stopServer := wait.Start(t.Context(), func(ctx context.Context) { _ = m.Serve(ctx, carrier) })
	m.stop = func() {
		stopServer()
		stopStore()
		if err := kept.Close(); err != nil {
			t.Error(err)
		}
	}
	return m
}

func (m *memorable) publish(t *testing.T, id string, data any) sig.Published {
	t.Helper()
	done, err := m.Publish(sig.Publication{Sender: "me", Event: "e", Data: data, ID: id})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// A server that is started again is the same to its clients: those that stayed and
// those that come back get each event once, and none is missed. What is published
// again is still the same, however long the server was away.
func TestRestartIsNotNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, dir := new(sigtest.Network), t.TempDir()
		m := remembering(t, network, dir, sig.ServerOptions{})
		missed := 0
		opts := sig.ClientOptions{Missed: func(n int) { missed++ }}
		c, _ := runWith(t, network.Client(), &opts)
		heard := sigtest.NewRecorder()
		c.AddRemoteListener("me", "", heard.Listen)
		time.Sleep(time.Minute)
		first := m.publish(t, "a", 1)
		m.publish(t, "b", 2)
		heard.Expect(t, "me: e 1", "me: e 2")
		network.Cut()
		m.publish(t, "c", json.RawMessage(`{"x": "é"}`)) // comes after the restart
		m.stop()
		time.Sleep(12 * time.Hour)
		m = remembering(t, network, dir, sig.ServerOptions{})
		time.Sleep(time.Minute)
		if again := m.publish(t, "a", 1); again != first {
			t.Errorf("answered with %+v, at first with %+v", again, first)
		}
		m.publish(t, "d", 4)
		heard.Expect(t, `me: e {"x": "é"}`, "me: e 4")
		time.Sleep(10*time.Minute + time.Second)
		m.publish(t, "a", 5) // it has been forgotten
		heard.Expect(t, "me: e 5")
		m.stop()
		time.Sleep(time.Hour)
		m = remembering(t, network, dir, sig.ServerOptions{})
		time.Sleep(time.Minute)
		heard.ExpectNone(t)
		if missed > 0 {
			t.Error("events are missed")
		}
		m.stop()
	})
}

// A server may have lost the latest numbers of its epoch: its store is a copy, or could
// not be written from start to end. Clients are told that events may be missing, and get
// the next ones, although they have had events of these numbers.
func TestNumbersGoBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, dir, saved := new(sigtest.Network), t.TempDir(), t.TempDir()
		m := remembering(t, network, dir, sig.ServerOptions{})
		var missed []int
		opts := sig.ClientOptions{Missed: func(n int) { missed = append(missed, n) }}
		c, _ := runWith(t, network.Client(), &opts)
		heard := sigtest.NewRecorder()
		c.AddRemoteListener("me", "", heard.Listen)
		time.Sleep(time.Minute)
		m.publish(t, "", 1)
		m.stop()
		if err := os.CopyFS(saved, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		m = remembering(t, network, dir, sig.ServerOptions{})
		time.Sleep(time.Minute)
		for n := 2; n < 10; n++ {
			m.publish(t, "", n)
		}
		time.Sleep(time.Minute)
		m.stop()
		heard.Expect(t, "me: e 1", "me: e 2", "me: e 3", "me: e 4", "me: e 5", "me: e 6", "me: e 7", "me: e 8", "me: e 9")
		m = remembering(t, network, saved, sig.ServerOptions{})
		time.Sleep(time.Minute)
		m.publish(t, "", "again")
		heard.Expect(t, `me: e "again"`)
		network.Cut()
		m.publish(t, "", "meanwhile")
		time.Sleep(time.Minute)
		heard.Expect(t, `me: e "meanwhile"`)
		if !slices.Equal(missed, []int{-1}) {
			t.Errorf("missed: %v", missed)
		}
		m.stop()
	})
}

// What the memory has forgotten by the restart is counted.
func TestForgottenOverRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network, dir := new(sigtest.Network), t.TempDir()
		m := remembering(t, network, dir, sig.ServerOptions{Memory: 10})
		var missed []int
		c, _ := runWith(t, network.Client(), &sig.ClientOptions{Missed: func(n int) { missed = append(missed, n) }})
		heard := sigtest.NewRecorder()
		c.AddRemoteListener("me", "e", heard.Listen)
		time.Sleep(time.Minute)
		m.publish(t, "", 0)
		heard.Expect(t, "me: e 0")
		network.Cut()
		for i := range 100 {
			m.publish(t, "", i)
			if _, err := m.Publish(sig.Publication{Sender: "you", Event: "e"}); err != nil {
				t.Fatal(err)
			}
		}
		m.stop()
		m = remembering(t, network, dir, sig.ServerOptions{Memory: 10})
		time.Sleep(time.Minute)
		heard.Expect(t, "me: e 95", "me: e 96", "me: e 97", "me: e 98", "me: e 99")
		heard.ExpectNone(t)
		if !slices.Equal(missed, []int{95}) {
			t.Errorf("missed: %v", missed)
		}
		m.stop()
	})
}

// script is a store that has what a test says, and keeps what it allows.
type script struct {
	state  sig.StoreState
	events []sig.StoredEvent

	mu       sync.Mutex // guards the fields below
	appended []sig.StoredEvent
	pledges  []func()
	kept     bool          // at once
	handed   chan struct{} // closed: everything is
}

func (s *script) Load(add func(sig.StoredEvent)) sig.StoreState {
	for _, e := range s.events {
		add(e)
	}
	return s.state
}

func (s *script) Append(e sig.StoredEvent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.appended = append(s.appended, e)
}

func (s *script) Kept(_ uint64, done func()) {
	s.mu.Lock()
	kept := s.kept
	if !kept {
		s.pledges = append(s.pledges, done)
	}
	s.mu.Unlock()
	if kept {
		done()
	}
}

func (s *script) keep() {
	s.mu.Lock()
	pledges := s.pledges
	s.pledges, s.kept = nil, true
	s.mu.Unlock()
	for _, done := range pledges {
		done()
	}
}

func (s *script) Handed(uint64) { <-s.handed }

func (s *script) Failing() error { return nil }

// Publishers are answered once their events are kept, and listeners get them once they
// are handed over; neither holds up anybody else.
func TestAnswersWaitForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{state: sig.StoreState{Epoch: "e"}, handed: make(chan struct{})}
		network := new(sigtest.Network)
		server, carrier := sig.NewServerRouter(&sig.ServerOptions{Store: s}), network.Up()
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		heard, here := sigtest.NewRecorder(), sigtest.NewRecorder()
		if _, err := server.AddListener("me", "", here.Listen); err != nil {
			t.Fatal(err)
		}
		listening, _ := run(t, network.Client())
		listening.AddRemoteListener("me", "e", heard.Listen)
		publishing, _ := run(t, network.Client())
		time.Sleep(time.Second)
		var answered sync.WaitGroup
		defer answered.Wait()
		defer s.keep()
		answers := make(chan string, 10)
		ask := func(what string, f func() error) {
			answered.Go(func() {
				if err := f(); err != nil {
					what += ": " + err.Error()
				}
				answers <- what
			})
			time.Sleep(time.Second)
		}
		publish := func(r interface {
			Publish(context.Context, ...sig.Publication) (sig.Published, error)
		}) error {
			_, err := r.Publish(t.Context(), sig.Publication{Sender: "me", Event: "e", Data: 1})
			return err
		}
		ask("published", func() error { return publish(publishing) })
		sender, err := publishing.AddRemoteSender(t.Context(), "me", "e")
		if err != nil {
			t.Fatal(err)
		}
		ask("triggered", func() error { return sender.Trigger(t.Context(), "e", 2) })
		ask("published here", func() error {
			_, err := server.Publish(sig.Publication{Sender: "me", Event: "e", Data: 3})
			return err
		})
		here.Expect(t, "me: e 1", `me: #connect {"requests":null,"events":["e","#disconnect","#connect"]}`, "me: e 2", "me: e 3")
		heard.ExpectNone(t)
		if len(answers) > 0 {
			t.Errorf("it is answered: %s", <-answers)
		}
		if _, err := publishing.Senders(t.Context(), false); err != nil {
			t.Errorf("other requests: %v", err)
		}
		close(s.handed)
		heard.Expect(t, "me: e 1", "me: e 2", "me: e 3")
		s.keep()
		answered.Wait()
		close(answers)
		if got := slices.Sorted(func(yield func(string) bool) {
			for a := range answers {
				_ = yield(a)
			}
		}); !slices.Equal(got, []string{"published", "published here", "triggered"}) {
			t.Errorf("answered: %q", got)
		}
	})
}

// A sender of pysig's that has waited for a slow listener is answered once its event is
// kept, too.
func TestSlowedSenderWaitsForTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{state: sig.StoreState{Epoch: "e"}, kept: true, handed: make(chan struct{})}
		close(s.handed)
		network := new(sigtest.Network)
		server, carrier := sig.NewServerRouter(&sig.ServerOptions{Store: s, Queue: 4}), network.Up()
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		newOldPeer(t, network).ask(`{"id": 1, "method": "add_listener", "params": {"sender": null, "event": "#e"}}`)
		p := newOldPeer(t, network)
		p.ask(`{"id": 1, "method": "add_sender", "params": {"sender": "s", "events": ["#e"]}}`)
		signal := `{"id": 2, "method": "signal", "params": {"info": {"sender": "s", "event": "#e"}, "data": null}}`
		for p.ask(signal) == 0 {
		}
		s.mu.Lock()
		s.kept = false
		s.mu.Unlock()
		time.AfterFunc(9*time.Second, s.keep)
		if took := p.ask(signal); took != 9*time.Second {
			t.Errorf("the answer came after %v", took)
		}
	})
}

// What a store could not keep counts as missed by those that it was for; what may be
// missing makes the count unknown, for those that were not there.
func TestGapsOfTheStore(t *testing.T) {
	event := func(seq uint64, sender sig.Name, lost bool) sig.StoredEvent {
		return sig.StoredEvent{Seq: seq, Time: time.Now(), Sender: sender, Event: "e", ForSender: sender, ForEvent: "e", Data: []byte("1"), Lost: lost}
	}
	s := &script{
		state: sig.StoreState{Epoch: "e", Last: 100, Unknown: []sig.Span{{From: 3, To: 5}}},
		events: []sig.StoredEvent{
			event(1, "me", false), event(2, "me", false), event(6, "me", false), event(7, "me", true),
			event(8, "you", true), event(9, "me", true), event(10, "me", false),
		},
		kept: true, handed: make(chan struct{}),
	}
	s.events[6].Data = []byte("{") // no JSON: as good as lost
	close(s.handed)
	_, addr := serveWith(t, &sig.ServerOptions{Store: s})
	for since, want := range map[uint64]string{
		0:  `"missed": null, "seq": 0`,
		4:  `"missed": null, "seq": 4`,
		5:  `"missed": 3, "seq": 5`,
		7:  `"missed": 2, "seq": 7`,
		10: `"missed": 0, "seq": 10`,
		99: `"missed": 0, "seq": 99`,
	} {
		r := dialStream(t, addr)
		r.send(fmt.Sprintf(`{"id":2,"method":"subscribe","params":{"listeners":[{"sender":"me"}],"since":{"epoch":"e","seq":%d}}}`, since))
		if got := string(r.next().Response); !strings.Contains(got, want) {
			t.Errorf("since %d: %s, not %s", since, got, want)
		}
	}
}

// BenchmarkPublish publishes from a client, by many goroutines that wait for the answers.
func BenchmarkPublish(b *testing.B) {
	for _, mode := range []string{"nowhere", "none", "group", "each"} {
		for _, publishers := range []int{1, 100} {
			b.Run(fmt.Sprintf("store=%s/publishers=%d", mode, publishers), func(b *testing.B) {
				_, addr := serveWith(b, storing(b, mode))
				c, _ := run(b, tcp.NewClient(addr))
				data := sig.JSONData([]byte(`"` + strings.Repeat("x", 126) + `"`))
				next := make(chan struct{}, publishers)
				var all sync.WaitGroup
				for range publishers {
					all.Go(func() {
						for range next {
							if _, err := c.Publish(b.Context(), sig.Publication{Sender: "me", Event: "e", Data: data}); err != nil {
								b.Error(err)
							}
						}
					})
				}
				b.ReportAllocs()
				for b.Loop() {
					next <- struct{}{}
				}
				close(next)
				all.Wait()
			})
		}
	}
}

// BenchmarkDelivered takes one event at a time from a client through the server to a
// listener.
func BenchmarkDelivered(b *testing.B) {
	for _, mode := range []string{"nowhere", "none", "group", "each"} {
		b.Run("store="+mode, func(b *testing.B) {
			_, addr := serveWith(b, storing(b, mode))
			sender, _ := run(b, tcp.NewClient(addr))
			timer, err := sender.AddRemoteSender(b.Context(), "timer", "tick")
			if err != nil {
				b.Fatal(err)
			}
			c, changed := run(b, tcp.NewClient(addr))
			heard := make(chan struct{})
			until(b, changed, "active", isActive(c, c.AddRemoteListener("timer", "tick", func(sig.Event) { heard <- struct{}{} })))
			b.ReportAllocs()
			for b.Loop() {
				if err := timer.Post(b.Context(), "tick", 1); err != nil {
					b.Fatal(err)
				}
				<-heard
			}
		})
	}
}

// storing returns options with a store of this mode, or with none.
func storing(b *testing.B, mode string) *sig.ServerOptions {
	unlimited := sig.Limits{Events: -1}
	if mode == "nowhere" {
		return &sig.ServerOptions{Limits: unlimited}
	}
	how, err := store.ParseSync(mode)
	if err != nil {
		b.Fatal(err)
	}
	kept, err := store.Open(b.TempDir(), &store.Options{Sync: how})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { kept.Close() })
	b.Cleanup(wait.Start(context.Background(), func(ctx context.Context) { _ = kept.Run(ctx) }))
	return &sig.ServerOptions{Store: kept, Limits: unlimited}
}
