package agent_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// screen is a desktop that remembers. A fake: real ones are in package e2e.
type screen struct {
	mu    sync.Mutex
	shown []notify.Notification
	err   error
	hang  bool
	more  chan struct{}
}

func newScreen() *screen { return &screen{more: make(chan struct{}, 1)} }

func (s *screen) Notify(ctx context.Context, n notify.Notification) (notify.Receipt, error) {
	s.mu.Lock()
	hang, err := s.hang, s.err
	if !hang && err == nil {
		s.shown = append(s.shown, n)
	}
	s.mu.Unlock()
	if hang {
		<-ctx.Done()
		return notify.Receipt{}, ctx.Err()
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
	return notify.Receipt{Via: "screen"}, err
}

func (s *screen) set(hang bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hang, s.err = hang, err
}

// take returns the titles shown since the last take.
func (s *screen) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var titles []string
	for _, n := range s.shown {
		title := strings.TrimSpace(n.Title + " " + n.Body)
		if n.Resolved {
			title = "closes " + n.Key
		}
		titles = append(titles, title)
	}
	s.shown = nil
	return strings.Join(titles, "; ")
}

// newAndLast is how many that were shown took the place of none, if nobody closes any,
// and the title of the last.
func (s *screen) newAndLast() (first int, last string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	there := make(map[string]bool)
	for _, n := range s.shown {
		if n.Key == "" || !there[n.Key] {
			first++
		}
		there[n.Key] = true
		last = n.Title
	}
	return first, last
}

// logged is what an agent has logged.
type logged struct {
	mu   sync.Mutex // guards the field below
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// count tells how often the log has a text.
func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// bench is an agent on a network in memory, in a bubble of time.
type bench struct {
	*agent.Agent
	t       *testing.T
	screen  *screen
	log     *logged
	network *sigtest.Network
	server  *sig.ServerRouter
	memory  int        // of the next server, in events; 0: the default
	access  sig.Access // of the next server
	stop    func()     // the server
	start   func()     // the agent, or another after its end
	end     func()     // the agent
}

func newBench(t *testing.T, yaml string) *bench {
	t.Helper()
	return newBenchOn(t, yaml, (*sigtest.Network).Client)
}

// asPysig has the server take the agent for a pysig client, and so answer as
// pysig does: one message for each listener, and nothing replayed.
func asPysig(n *sigtest.Network) sig.ClientCarrier {
	return filter{n, func(text []byte) []byte {
		return bytes.Replace(text, []byte(`"features"`), []byte(`"unknown"`), 1)
	}}
}

// filter is a network that changes what the agent writes; nil: it is lost.
type filter struct {
	*sigtest.Network
	change func(text []byte) []byte
}

func (filter) String() string { return "memory" }

func (f filter) Dial(ctx context.Context) (sig.Conn, error) {
	conn, err := f.Client().Dial(ctx)
	return filtered{conn, f.change}, err
}

type filtered struct {
	sig.Conn
	change func(text []byte) []byte
}

func (c filtered) WriteMessage(text []byte) error {
	if text = c.change(text); text == nil {
		return nil
	}
	return c.Conn.WriteMessage(text)
}

func newBenchOn(t *testing.T, yaml string, carrier func(*sigtest.Network) sig.ClientCarrier, more ...func(*agent.Options)) *bench {
	t.Helper()
	c, err := config.Parse("config.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, screen: newScreen(), log: new(logged), network: new(sigtest.Network)}
	opts := agent.Options{
		Config:   c,
		Notifier: b.screen,
		Carrier:  func(string) sig.ClientCarrier { return carrier(b.network) },
		Logger:   slog.New(slog.NewTextHandler(io.MultiWriter(t.Output(), b.log), nil)),
	}
	for _, change := range more {
		change(&opts)
	}
	b.start = func() {
		a := agent.New(opts)
		b.Agent = a
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			a.Run(ctx)
		}()
		b.end = func() {
			cancel()
			<-done
		}
		t.Cleanup(b.end)
		time.Sleep(time.Second)
	}
	b.up()
	b.start()
	return b
}

func (b *bench) up() {
	ctx, cancel := context.WithCancel(b.t.Context())
	b.server = sig.NewServerRouter(&sig.ServerOptions{Memory: b.memory, Access: b.access})
	server, carrier, done := b.server, b.network.Up(), make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(ctx, carrier)
	}()
	b.stop = func() {
		cancel()
		<-done
	}
	b.t.Cleanup(b.stop)
}

func (b *bench) add(name sig.Name, events ...sig.Name) *sig.Sender {
	b.t.Helper()
	s, err := b.server.AddSender(name, events...)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bench) fire(s *sig.Sender, event sig.Name, data any) {
	b.t.Helper()
	if err := s.Trigger(event, data); err != nil {
		b.t.Fatal(err)
	}
	time.Sleep(pace)
}

// pace is time enough for an event: it takes a message for each subscription
// that matches, and between two there are 10 ms.
const pace = 100 * time.Millisecond

func (b *bench) expect(want string) {
	b.t.Helper()
	time.Sleep(pace)
	if got := b.screen.take(); got != want {
		b.t.Errorf("shown: %q, want %q", got, want)
	}
}
