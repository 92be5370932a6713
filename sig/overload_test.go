package sig_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// oldPeer is a pysig client on a network in memory.
type oldPeer struct {
	t    *testing.T
	conn sig.Conn
}

func newOldPeer(t *testing.T, network *sigtest.Network) oldPeer {
	conn, err := network.Client().Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return oldPeer{t, conn}
}

// ask sends a request and returns how long the answer took; pysig gives up after
// 10 s.
func (p oldPeer) ask(request string) time.Duration {
	began := time.Now()
	if err := p.conn.WriteMessage([]byte(request)); err != nil {
		p.t.Error(err)
	}
	text, err := p.conn.ReadMessage()
	if err != nil {
		p.t.Errorf("%s: %s, %v", request, text, err)
	}
	return time.Since(began)
}

// heard answers each signal after 10 ms, and returns the data of n of them.
func (p oldPeer) heard(n int) (all []string) {
	for range n {
		text, err := p.conn.ReadMessage()
		if err != nil {
			p.t.Errorf("after %d of %d events: %v", len(all), n, err)
			return all
		}
		var m struct {
			ID     int
			Params struct{ Data string }
		}
		if err := json.Unmarshal(text, &m); err != nil {
			p.t.Error(err)
		}
		all = append(all, m.Params.Data)
		time.Sleep(10 * time.Millisecond)
		if err := p.conn.WriteMessage(fmt.Appendf(nil, `{"status": 0, "id": %d, "response": null}`, m.ID)); err != nil {
			p.t.Error(err)
		}
	}
	return all
}

func eachInOrder(t *testing.T, all []string, senders int) {
	t.Helper()
	next := make([]int, senders)
	for _, data := range all {
		var sender, n int
		if _, err := fmt.Sscan(data, &sender, &n); err != nil || n != next[sender] {
			t.Fatalf("event %q came instead of %d", data, next[sender])
		}
		next[sender]++
	}
}

// Senders of pysig's that send as fast as they can wait for a listener of pysig's,
// which loses nothing; none waits so long that it gives up.
func TestSendersWaitForPysigListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const senders, each = 4, 5000 // twice as many as the server remembers
		network := new(sigtest.Network)
		server, carrier := sig.NewServerRouter(nil), network.Up()
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		listener := newOldPeer(t, network)
		listener.ask(`{"id": 1, "method": "add_listener", "params": {"sender": null, "event": "#e"}}`)
		var tasks sync.WaitGroup
		for i := range senders {
			p := newOldPeer(t, network)
			p.ask(fmt.Sprintf(`{"id": 1, "method": "add_sender", "params": {"sender": "s%d", "events": ["#e"]}}`, i))
			tasks.Go(func() {
				for n := range each {
					took := p.ask(fmt.Sprintf(`{"id": 2, "method": "signal", "params": {"info": {"sender": "s%d", "event": "#e"}, "data": "%d %d"}}`, i, i, n))
					if took > 9*time.Second {
						t.Errorf("an answer took %s", took)
					}
				}
			})
		}
		all := listener.heard(senders * each)
		tasks.Wait()
		eachInOrder(t, all, senders)
		if server.Dropped() != 0 {
			t.Errorf("%d events were dropped", server.Dropped())
		}
	})
}

// A sender of pysig's gets its answer before it gives up, even if the listener never
// reads.
func TestSenderIsAnsweredInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		server, carrier := sig.NewServerRouter(nil), network.Up()
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		newOldPeer(t, network).ask(`{"id": 1, "method": "add_listener", "params": {"sender": null, "event": "#e"}}`)
		p := newOldPeer(t, network)
		p.ask(`{"id": 1, "method": "add_sender", "params": {"sender": "s", "events": ["#e"]}}`)
		var took time.Duration
		for n := 0; took == 0 && n < 5000; n++ { // until the queue is half full
			took = p.ask(`{"id": 2, "method": "signal", "params": {"info": {"sender": "s", "event": "#e"}, "data": null}}`)
		}
		if took < 5*time.Second || took > 9*time.Second {
			t.Errorf("the answer takes %s; pysig waits for 10 s", took)
		}
	})
}

// What is sent by others than pysig's clients does not wait; a listener of pysig's
// gets it from the server's memory.
func TestPysigListenerCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const events = 9000
		network := new(sigtest.Network)
		var logged strings.Builder
		server := sig.NewServerRouter(&sig.ServerOptions{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		carrier := network.Up()
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		listener := newOldPeer(t, network)
		listener.ask(`{"id": 1, "method": "add_listener", "params": {"sender": "timer", "event": "tick"}}`)
		timer, err := server.AddSender("timer", "tick")
		if err != nil {
			t.Fatal(err)
		}
		for n := range events {
			fire(t, timer, "tick", fmt.Sprint("0 ", n))
		}
		eachInOrder(t, listener.heard(events), 1)
		var reading sync.WaitGroup
		reading.Go(func() { listener.heard(events) })
		for n := range 10 * events { // of which more are forgotten before it reads them
			fire(t, timer, "tick", fmt.Sprint("0 ", n))
			time.Sleep(time.Millisecond)
		}
		reading.Wait()
		if server.Dropped() == 0 {
			t.Error("what is forgotten is not counted")
		}
		synctest.Wait()
		if n := strings.Count(logged.String(), "events were forgotten"); n == 0 || n > 7 {
			t.Errorf("that events are forgotten again and again makes %d lines", n)
		}
	})
}
