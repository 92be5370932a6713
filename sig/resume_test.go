package sig_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// More listeners than one message registers, while connections are cut, the
// server is restarted and listeners come and go, at random: each gets each event
// of each run of the server once, in order, and in the end all are active.
func TestNothingIsLostOrDoubled(t *testing.T) {
	for seed := range uint64(4) {
		for _, restarts := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d_%t", seed, restarts), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { newStorm(t, seed).rage(restarts) })
			})
		}
	}
}

// storm is a network on which everything happens.
type storm struct {
	*testing.T
	rand       *rand.Rand
	network    sigtest.Network
	server     *sig.ServerRouter
	stopServer func()
	client     *sig.ClientRouter
	listeners  []*sig.RemoteListener
	senders    []*sig.Sender
	sent       []mark // by sender

	mu   sync.Mutex // guards the field below
	last []mark     // by listener
}

// mark is an event: the nth of its sender in a run of the server.
type mark struct{ Run, N int }

func newStorm(t *testing.T, seed uint64) *storm {
	const many = 2300
	s := &storm{
		T: t, rand: rand.New(rand.NewPCG(seed, 1)),
		senders: make([]*sig.Sender, many), sent: make([]mark, many), last: make([]mark, many),
	}
	s.network.Delay(time.Duration(s.rand.IntN(3)) * time.Millisecond)
	s.up(1)
	t.Cleanup(func() { s.stopServer() })
	s.client = sig.NewClientRouter(s.network.Client(), &sig.ClientOptions{Queue: 200, Missed: func(n int) {
		if n > 0 {
			t.Errorf("missed %d of what the server remembers", n)
		}
	}})
	for i := range many {
		s.listeners = append(s.listeners, s.client.AddRemoteListener(name(i), "", func(ev sig.Event) { s.heard(i, ev) }))
	}
	t.Cleanup(wait.Start(t.Context(), s.client.Run))
	s.settle()
	return s
}

func name(i int) sig.Name { return sig.Name(fmt.Sprint("s", i)) }

func (s *storm) up(run int) {
	server := sig.NewServerRouter(&sig.ServerOptions{Memory: 100_000, Queue: 50})
	carrier := s.network.Up()
	s.server = server
	s.stopServer = wait.Start(s.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) })
	for i := range s.senders {
		s.senders[i], s.sent[i] = nil, mark{Run: run}
	}
}

func (s *storm) heard(i int, ev sig.Event) {
	if ev.Event == sig.EventConnect || ev.Event == sig.EventDisconnect {
		return
	}
	var m mark
	if err := ev.Data.Decode(&m); err != nil {
		s.Error(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.last[i]
	if before.Run < m.Run {
		before = mark{Run: m.Run}
	}
	if m.Run != before.Run || m.N != before.N+1 {
		s.Errorf("sender %d: %v came after %v", i, m, s.last[i])
	}
	s.last[i] = m
}

func (s *storm) fire() {
	i := s.rand.IntN(len(s.senders))
	if s.senders[i] == nil {
		sender, err := s.server.AddSender(name(i), "e")
		if err != nil {
			s.Fatal(err)
		}
		s.senders[i] = sender
	}
	s.sent[i].N++
	fire(s.T, s.senders[i], "e", s.sent[i])
}

// settle waits until all listeners are active.
func (s *storm) settle() {
	for range 3000 {
		time.Sleep(100 * time.Millisecond)
		active := true
		for _, l := range s.listeners {
			active = active && isActive(s.client, l)()
		}
		if active {
			return
		}
	}
	s.Fatal("not all listeners became active")
}

func (s *storm) rage(restarts bool) {
	var passing []*sig.RemoteListener
	for run, step := 1, 0; step < 400; step++ {
		switch s.rand.IntN(12) {
		case 0:
			s.network.Cut()
		case 1:
			if restarts && s.rand.IntN(8) == 0 {
				s.stopServer()
				s.network.Cut()
				time.Sleep(time.Duration(s.rand.IntN(3000)) * time.Millisecond)
				run++
				s.up(run)
			}
		case 2:
			passing = append(passing, s.client.AddRemoteListener(name(s.rand.IntN(len(s.senders))), "e", func(sig.Event) {}))
		case 3:
			passing = append(passing, s.client.AddRemoteListener(sig.Name(fmt.Sprint("x", s.rand.IntN(50))), "", func(sig.Event) {}))
		case 4:
			if n := len(passing); n > 0 {
				s.client.RemoveRemoteListener(passing[n-1])
				passing = passing[:n-1]
			}
		case 5:
			s.client.Reconnect()
		case 6:
			time.Sleep(time.Duration(s.rand.IntN(2000)) * time.Millisecond)
		default:
			for range s.rand.IntN(60) {
				s.fire()
			}
			time.Sleep(time.Duration(s.rand.IntN(5)) * time.Millisecond)
		}
	}
	s.settle()
	time.Sleep(2 * time.Minute)
	synctest.Wait()
	for i, sent := range s.sent {
		if sent.N > 0 && s.last[i] != sent {
			s.Errorf("sender %d: the last event heard is %v, the last sent %v", i, s.last[i], sent)
		}
	}
}

// deaf is a server that never hears of listeners being removed.
type deaf struct{ sig.ClientCarrier }

func (d deaf) Dial(ctx context.Context) (sig.Conn, error) {
	conn, err := d.ClientCarrier.Dial(ctx)
	return deafConn{conn}, err
}

type deafConn struct{ sig.Conn }

func (c deafConn) WriteMessage(text []byte) error {
	if strings.Contains(string(text), "remove_listener") {
		return nil
	}
	return c.Conn.WriteMessage(text)
}

// What is listened to again while the server is being asked to forget it, and
// then the connection ends, does not go back to the beginning.
func TestConnectionEndsWhileListenerIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		server, carrier := sig.NewServerRouter(nil), network.Up()
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		timer, err := server.AddSender("timer", "tick")
		if err != nil {
			t.Fatal(err)
		}
		c, _ := runWith(t, deaf{network.Client()}, &sig.ClientOptions{Missed: func(n int) { t.Errorf("missed %d", n) }})
		var first, second atomic.Int64
		l := c.AddRemoteListener("timer", "", func(sig.Event) { first.Add(1) })
		time.Sleep(time.Second)
		for i := range 50 {
			fire(t, timer, "tick", i)
		}
		time.Sleep(time.Second)
		c.RemoveRemoteListener(l)
		time.Sleep(time.Second)
		c.AddRemoteListener("timer", "", func(sig.Event) { second.Add(1) })
		network.Cut()
		time.Sleep(time.Minute)
		if first.Load() != 50 || second.Load() != 0 {
			t.Errorf("the first listener got %d events of 50, the second %d old ones", first.Load(), second.Load())
		}
	})
}

// lossy is a network that can refuse every connection, or swallow one. The others
// take a second.
type lossy struct {
	sig.ClientCarrier
	refuses, swallows atomic.Bool
}

func (l *lossy) Dial(ctx context.Context) (sig.Conn, error) {
	switch {
	case l.refuses.Load():
		return nil, fmt.Errorf("refused")
	case l.swallows.Swap(false):
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	time.Sleep(time.Second)
	return l.ClientCarrier.Dial(ctx)
}

// One connection is back while the other's attempt is still to fail: that one
// then tries again at once.
func TestConnectionThatIsBackEndsTheWaitAfterAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		server, carrier := sig.NewServerRouter(nil), network.Up()
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		way := &lossy{ClientCarrier: network.Client()}
		c, _ := runWith(t, way, &sig.ClientOptions{Backoff: func(int, time.Duration) time.Duration { return time.Hour }})
		c.AddRemoteListener("timer", "tick", func(sig.Event) {})
		if _, err := c.AddRemoteSender(t.Context(), "clock", "chime"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // now both are connected
		way.refuses.Store(true)
		network.Cut()
		time.Sleep(time.Minute)
		way.refuses.Store(false)
		way.swallows.Store(true)
		c.Reconnect()
		time.Sleep(time.Minute) // an attempt takes at most 10 s
		if st := c.Link(); !st.Connected {
			t.Errorf("one connection is back, the other is not: %+v", st)
		}
	})
}
