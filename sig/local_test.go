package sig_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// A client's remote sender is local, too: what it sends, listeners of this process
// hear in order, and it is found by its name.
func TestRemoteSenderIsLocalToo(t *testing.T) {
	sigtest.EachServer(t, func(t *testing.T, s sigtest.Server) {
		c, _ := run(t, tcp.NewClient(s.Addr))
		heard := sigtest.NewRecorder()
		if _, err := c.AddListener("clock", "", heard.Listen); err != nil {
			t.Fatal(err)
		}
		clock, err := c.AddRemoteSender(t.Context(), "clock", "chime")
		if err != nil {
			t.Fatal(err)
		}
		heard.Expect(t, `clock: #connect {"requests":null,"events":["chime","#disconnect","#connect"]}`)
		if err := clock.Trigger(t.Context(), "chime", 1); err != nil {
			t.Fatal(err)
		}
		if err := clock.Post(t.Context(), "chime", 2); err != nil {
			t.Fatal(err)
		}
		if err := clock.Trigger(t.Context(), "nope", 3); !errors.Is(err, sig.ErrNotOffered) {
			t.Errorf("an event that is not offered: %v", err)
		}
		if err := c.Sender("clock").Trigger("chime", 4); err != nil {
			t.Fatal(err)
		}
		heard.Expect(t, "clock: chime 1", "clock: chime 2", "clock: chime 4")
		heard.ExpectNone(t)
		if _, err := c.AddRemoteSender(t.Context(), "clock", "chime"); !errors.Is(err, sig.ErrAlreadyConnected) {
			t.Errorf("the same name again: %v", err)
		}
		if err := c.RemoveRemoteSender(t.Context(), clock); err != nil {
			t.Fatal(err)
		}
		heard.Expect(t, `clock: #disconnect {"requests":null,"events":["chime","#disconnect","#connect"]}`)
		if c.Sender("clock") != nil {
			t.Error("it is removed, and still there")
		}
	})
}

// The found sender sends over the network, as the remote one does.
func TestLocalSenderIsRemoteToo(t *testing.T) {
	s, addr := serve(t)
	c, _ := run(t, tcp.NewClient(addr))
	heard := sigtest.NewRecorder()
	if _, err := s.AddListener("clock", "chime", heard.Listen); err != nil {
		t.Fatal(err)
	}
	if _, err := c.AddRemoteSender(t.Context(), "clock", "chime"); err != nil {
		t.Fatal(err)
	}
	if err := c.Sender("clock").Trigger("chime", 1); err != nil {
		t.Fatal(err)
	}
	heard.Expect(t, "clock: chime 1")
}

// Further members of an event's info go all the way: from a client, or from
// Intercept, through the journal, to a stream and to a pysig client.
func TestExtraMembersOfInfo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		server, carrier := sig.NewServerRouter(nil), network.Up()
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		server.Intercept(func(ev sig.Event) (sig.Event, bool) {
			if ev.Event == "tick" {
				ev = ev.WithExtra(json.RawMessage(`{"occurrences": 3, "by": "é"}`))
			}
			return ev, true
		})
		timer, err := server.AddSender("timer", "tick", "tock")
		if err != nil {
			t.Fatal(err)
		}
		c, _ := run(t, network.Client())
		extra := make(chan string, 10)
		c.AddRemoteListener("timer", "", func(ev sig.Event) {
			if ev.Event == "tick" || ev.Event == "tock" {
				extra <- string(ev.Extra())
			}
		})
		time.Sleep(time.Second)
		fire(t, timer, "tick", nil)
		time.Sleep(time.Second)
		network.Cut()
		fire(t, timer, "tick", nil) // comes from the journal
		fire(t, timer, "tock", nil)
		time.Sleep(time.Minute)
		want := `{"occurrences": 3, "by": "é"}`
		for _, want := range []string{want, want, ""} {
			if got := <-extra; got != want {
				t.Errorf("a stream gets %s, not %s", got, want)
			}
		}
	})
	s, addr := serve(t)
	told := make(chan json.RawMessage, 10)
	old := dial(t, addr, func(method string, params json.RawMessage) (any, error) {
		var signal struct {
			Info json.RawMessage `json:"info"`
		}
		err := json.Unmarshal(params, &signal)
		told <- signal.Info
		return nil, err
	})
	for _, call := range []struct {
		method string
		params any
	}{
		{"add_listener", map[string]any{"sender": "me", "event": "e"}},
		{"add_sender", map[string]any{"sender": "me", "events": []string{"e"}}},
		{"signal", map[string]any{"info": map[string]any{"sender": "me", "event": "e", "occurrences": 7}, "data": 1}},
	} {
		if _, err := old.Call(call.method, call.params); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := string(<-told), `{"sender": "me", "event": "e", "occurrences": 7}`; got != want {
		t.Errorf("a pysig client gets %s, not %s", got, want)
	}
	sender, err := s.AddSender("bad", "e")
	if err != nil {
		t.Fatal(err)
	}
	for _, extra := range []string{`5`, `{`} {
		s.Intercept(func(ev sig.Event) (sig.Event, bool) { return ev.WithExtra(json.RawMessage(extra)), true })
		if sender.Trigger("e", nil) == nil {
			t.Errorf("extra members that are %s are not refused", extra)
		}
	}
}

// Counts and states that pysig's programs ask for.
func TestWhoIsThere(t *testing.T) {
	var r sig.Router
	s, err := r.AddSender("timer", "tick", "#tock")
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range [][2]sig.Name{{"timer", "tick"}, {"timer", ""}, {"", "#tock"}, {"", ""}, {"ghost", "boo"}} {
		if _, err := r.AddListener(topic[0], topic[1], func(sig.Event) {}); err != nil {
			t.Fatal(err)
		}
	}
	for event, want := range map[sig.Name]int{"tick": 3, "#tock": 3, "": 2} {
		sg, err := s.Signal(event)
		if err != nil {
			t.Fatal(err)
		}
		if got := sg.Listeners(); got != want {
			t.Errorf("%q has %d listeners, not %d", event, got, want)
		}
	}
	if !s.IsConnected() || !slices.Equal(s.Events(), []sig.Name{"tick", "#tock"}) {
		t.Errorf("connected %t, with %q", s.IsConnected(), s.Events())
	}
	if err := r.RemoveSender(s); err != nil {
		t.Fatal(err)
	}
	if s.IsConnected() {
		t.Error("it is removed, and connected")
	}
	var ghost sig.SenderStatus
	for _, st := range r.List() {
		if st.Sender == "ghost" {
			ghost = st
		}
	}
	if ghost.Connected || !slices.Contains(ghost.Events, "boo") {
		t.Errorf("a sender that is waited for: %+v", ghost)
	}
}

func TestNoReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := new(sigtest.Network)
		server, carrier := sig.NewServerRouter(nil), network.Up()
		t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) }))
		c := sig.NewClientRouter(network.Client(), &sig.ClientOptions{NoReconnect: true})
		c.AddRemoteListener("timer", "tick", func(sig.Event) {})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			c.Run(t.Context())
		}()
		time.Sleep(time.Hour)
		if !c.Link().Connected {
			t.Fatal("not connected")
		}
		network.Cut()
		<-ended
		if n := network.Dials(); n != 1 {
			t.Errorf("it connected %d times", n)
		}
	})
}
