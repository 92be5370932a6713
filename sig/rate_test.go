package sig_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/sigtest"
	"sigalert/sig/tcp"
)

// over is how often the server has refused something for a limit.
func over(s *sig.ServerRouter, limit string) uint64 {
	n, ok := s.Stats().Refused[limit]
	if !ok {
		panic("there is no limit " + limit)
	}
	return n
}

// A publisher may send so many events per second, and ten times as many at once. What is
// refused says when to try again, is counted, and is not published in part.
func TestEventsPerSecond(t *testing.T) {
	for _, tc := range []struct {
		name   string
		access bool
		tokens [2]string // of the two publishers
		second int       // how many events the second may publish once the first may not
	}{
		{"without tokens each client has its own", false, [2]string{"", ""}, 100},
		{"clients of a token share", true, [2]string{"a", "a"}, 0},
		{"tokens do not", true, [2]string{"a", "b"}, 100},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := &sig.ServerOptions{Limits: sig.Limits{Events: 10}}
				if tc.access {
					access := badges{}
					access.add(t, "a", "*", "*")
					access.add(t, "b", "*", "*")
					opts.Access = access
				}
				network, server := new(sigtest.Network), sig.NewServerRouter(opts)
				carrier := network.Up()
				defer wait.Start(t.Context(), func(ctx context.Context) { _ = server.Serve(ctx, carrier) })()
				var clients [2]*sig.ClientRouter
				for i := range clients {
					clients[i] = sig.NewClientRouter(network.Client(), &sig.ClientOptions{Token: with(tc.tokens[i])})
					defer wait.Start(t.Context(), clients[i].Run)()
				}
				publish := func(client, events int) (n int, err error) {
					for range events {
						if _, err = clients[client].Publish(t.Context(), sig.Publication{Sender: "s", Event: "e"}); err != nil {
							return n, err
						}
						n++
					}
					return n, nil
				}
				n, err := publish(0, 1000)
				refusal := new(sig.RemoteError)
				if !errors.As(err, &refusal) || !errors.Is(err, sig.ErrTooFast) || n < 100 || n > 102 || refusal.RetryAfter <= 0 || refusal.RetryAfter > 200*time.Millisecond {
					t.Fatalf("%d events, then %v", n, err)
				}
				if want := fmt.Sprintf("events come too fast: at most 10 per second are allowed: try again in %s", refusal.RetryAfter); err.Error() != want {
					t.Errorf("%s, want %s", err, want)
				}
				if n, _ := publish(1, 1000); n < tc.second || n > tc.second+2 {
					t.Errorf("the second publishes %d events, want %d", n, tc.second)
				}
				if n := over(server, "events"); n != 2 {
					t.Errorf("%d were refused", n)
				}
				time.Sleep(refusal.RetryAfter)
				if n, err := publish(0, 1); n != 1 {
					t.Errorf("after the time that was said: %v", err)
				}
				events := server.Stats().Events
				batch := make([]sig.Publication, 500)
				for i := range batch {
					batch[i] = sig.Publication{Sender: "s", Event: "e"}
				}
				if _, err := clients[0].Publish(t.Context(), batch...); !errors.Is(err, sig.ErrTooFast) || server.Stats().Events != events {
					t.Errorf("part of a batch is published: %v", err)
				}
				server.SetLimits(sig.Limits{Events: 100_000})
				if n, err := publish(0, 1000); n != 1000 {
					t.Errorf("%d events after the limit was raised: %v", n, err)
				}
				server.SetLimits(sig.Limits{Events: -1})
				if n, err := publish(0, 2000); n != 2000 {
					t.Errorf("%d events without a limit: %v", n, err)
				}
			})
		})
	}
}

// A connected sender is slowed down instead: nothing is lost, and its connection lasts.
func TestSendersAreSlowedDown(t *testing.T) {
	t.Run("pysig", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPairWith(t, &sig.ServerOptions{Limits: sig.Limits{Events: 10}})
			conn, err := p.network.Client().Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			ask := func(text string) {
				t.Helper()
				if err := conn.WriteMessage([]byte(text)); err != nil {
					t.Fatal(err)
				}
				if answer, err := conn.ReadMessage(); err != nil || !strings.Contains(string(answer), `"status": 0`) {
					t.Fatalf("%s: %s %v", text, answer, err)
				}
			}
			ask(`{"id": 1, "method": "add_sender", "params": {"sender": "s", "events": ["e"]}}`)
			began := time.Now()
			for range 300 {
				ask(`{"id": 2, "method": "signal", "params": {"info": {"sender": "s", "event": "e"}, "data": 1}}`)
			}
			if took := time.Since(began); took < 19*time.Second || took > 22*time.Second {
				t.Errorf("300 events took %s", took)
			}
		})
	})
	t.Run("stream", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := newPairWith(t, &sig.ServerOptions{Limits: sig.Limits{Events: 10}})
			var heard atomic.Int64
			if _, err := p.server.AddListener("s", "e", func(sig.Event) { heard.Add(1) }); err != nil {
				t.Fatal(err)
			}
			s, err := p.client.AddRemoteSender(t.Context(), "s", "e")
			if err != nil {
				t.Fatal(err)
			}
			since := p.client.Link().Since
			for range 1000 {
				if err := s.Post(t.Context(), "e", 1); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(2 * time.Minute)
			if st := p.client.Link(); heard.Load() != 1000 || !st.Since.Equal(since) {
				t.Errorf("%d events arrived, and the link is %+v", heard.Load(), st)
			}
			if n := over(p.server, "events"); n < 800 {
				t.Errorf("%d were counted", n)
			}
		})
	})
}

// counting is an Access that counts how often it is asked.
type counting struct {
	badges
	asked int
}

func (c *counting) Admit(caller sig.Caller) (sig.Rights, error) {
	c.asked++
	return c.badges.Admit(caller)
}

// After so many wrong tokens, those of an address are refused unseen. Nobody else is.
func TestFailedLogins(t *testing.T) {
	const there, sameNetwork, elsewhere, local = "192.0.2.1:1000", "192.0.2.1:2000", "192.0.2.2:1000", "127.0.0.1:1000"
	for _, tc := range []struct {
		name        string
		from, token string
		after       time.Duration // the last of 1,000 wrong ones from there
		want        error
		seen        bool
	}{
		{"a wrong one", sameNetwork, "wrong", 0, sig.ErrTooFast, false},
		{"a right one that is new there", sameNetwork, "new", 0, sig.ErrTooFast, false},
		{"none", there, "", 0, sig.ErrNotAdmitted, true},
		{"one that was right from there", there, "known", 0, nil, true},
		{"from another address", elsewhere, "new", 0, nil, true},
		{"from this machine", local, "new", 0, nil, true},
		{"a wrong one from this machine", local, "wrong", 0, sig.ErrNotAdmitted, true},
		{"after the time that was said", there, "new", time.Second, nil, true},
		{"a wrong one after that", there, "wrong", time.Second, sig.ErrNotAdmitted, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				access := &counting{badges: badges{}}
				access.add(t, "known", "*", "")
				access.add(t, "new", "*", "")
				s := sig.NewServerRouter(&sig.ServerOptions{Access: access})
				if _, err := s.Admit(sig.Caller{Token: "known", Peer: there}); err != nil {
					t.Fatal(err)
				}
				for _, from := range []string{there, local} {
					for i := range 1000 {
						_, _ = s.Admit(sig.Caller{Token: fmt.Sprint("guess", i), Peer: from})
					}
				}
				if access.asked != 1+60+1000 {
					t.Errorf("%d were looked at", access.asked)
				}
				if n := over(s, "failed_logins"); n != 940 {
					t.Errorf("%d were refused unseen", n)
				}
				_, err := s.Admit(sig.Caller{Token: "guess", Peer: there})
				if refusal := new(sig.RemoteError); !errors.As(err, &refusal) || refusal.RetryAfter != time.Second {
					t.Errorf("%v", err)
				}
				time.Sleep(tc.after)
				before := access.asked
				if _, err := s.Admit(sig.Caller{Token: tc.token, Peer: tc.from}); !errors.Is(err, tc.want) || (access.asked > before) != tc.seen {
					t.Errorf("%v, and seen: %v", err, access.asked > before)
				}
			})
		})
	}
}

// Two networks of IPv6 are two addresses, and one that keeps failing is not looked at more
// often than the limit has it.
func TestFailedLoginsForHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		access := &counting{badges: badges{}}
		access.add(t, "right", "*", "")
		s := sig.NewServerRouter(&sig.ServerOptions{Access: access})
		for range 3600 * 10 {
			_, _ = s.Admit(sig.Caller{Token: "wrong", Peer: "[2001:db8::1]:5"})
			time.Sleep(100 * time.Millisecond)
		}
		if access.asked > 3600+61 {
			t.Errorf("%d in an hour", access.asked)
		}
		_, _ = s.Admit(sig.Caller{Token: "wrong", Peer: "[2001:db8::1]:5"})
		if _, err := s.Admit(sig.Caller{Token: "right", Peer: "[2001:db8::ffff]:5"}); !errors.Is(err, sig.ErrTooFast) {
			t.Errorf("in the same network: %v", err)
		}
		if _, err := s.Admit(sig.Caller{Token: "right", Peer: "[2001:db8:0:1::1]:5"}); err != nil {
			t.Errorf("in another: %v", err)
		}
		time.Sleep(time.Minute)
		if _, err := s.Admit(sig.Caller{Token: "right", Peer: "[2001:db8::ffff]:5"}); err != nil {
			t.Errorf("after a minute's peace: %v", err)
		}
	})
}

// A client that is refused unseen hears when to try again, and nothing of its token.
func TestFailedLoginOverTheWire(t *testing.T) {
	access := badges{}
	access.add(t, "right", "*", "*")
	s, addr := serveWith(t, &sig.ServerOptions{Access: access, Limits: sig.Limits{FailedLogins: 1}})
	s.PretendFar("127.0.0.1:1")
	for i, want := range []error{sig.ErrNotAdmitted, sig.ErrTooFast} {
		c := sig.NewClientRouter(tcp.NewClient(addr), &sig.ClientOptions{Token: with("secret"), NoReconnect: true})
		stop := wait.Start(t.Context(), c.Run)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		failed := make(chan struct{})
		go func() {
			defer close(failed)
			_ = c.Connect(ctx)
		}()
		eventually(t, "it is refused", func() bool { return c.Link().Err != nil })
		err := c.Link().Err
		if !errors.Is(err, want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("login %d: %v, want %v", i, err, want)
		}
		cancel()
		<-failed
		stop()
	}
}

// New connections of an address are limited per second; so many may come at once.
func TestConnectsPerSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPairWith(t, &sig.ServerOptions{Limits: sig.Limits{Connects: 2}})
		time.Sleep(time.Minute)
		dial := func() error {
			conn, err := p.network.Client().Dial(t.Context())
			if err != nil {
				return err
			}
			defer conn.Close()
			_ = conn.WriteMessage([]byte(`{"id": 1, "method": "get_version"}`))
			answer, err := conn.ReadMessage()
			if err != nil || strings.Contains(string(answer), `"status": 0`) {
				return err
			}
			return errors.New(string(answer))
		}
		n := 0
		for ; n < 100 && dial() == nil; n++ {
		}
		if n < 20 || n > 22 {
			t.Errorf("%d connections at once", n)
		}
		if err := dial(); err == nil || !strings.Contains(err.Error(), "connections come too fast: the server takes at most 2 per second from one address: try again in ") {
			t.Error(err)
		}
		if n := over(p.server, "connects"); n != 2 {
			t.Errorf("%d were counted", n)
		}
		time.Sleep(time.Second)
		if err := dial(); err != nil {
			t.Errorf("a second later: %v", err)
		}
	})
}

// However many addresses there are, few are remembered.
func TestPlacesAreForgotten(t *testing.T) {
	access := badges{}
	access.add(t, "right", "*", "")
	s := sig.NewServerRouter(&sig.ServerOptions{Access: access})
	for i := range 100_000 {
		token := "wrong"
		if i%3 == 0 {
			token = "right"
		}
		_, _ = s.Admit(sig.Caller{Token: token, Peer: fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)})
	}
	if n := s.Places(); n > 40_000 {
		t.Errorf("%d addresses are remembered", n)
	}
}

// The listeners of all clients of a token are limited together, and those that go make
// room.
func TestListenersOfToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		access := badges{}
		access.add(t, "a", "*", "*")
		p := newPairWith(t, &sig.ServerOptions{Access: access, Limits: sig.Limits{TokenListeners: 3}})
		open := func() (ask func(string) string, end func()) {
			conn, err := p.network.Client().Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			ask = func(text string) string {
				_ = conn.WriteMessage([]byte(text))
				answer, err := conn.ReadMessage()
				if err != nil {
					t.Fatal(err)
				}
				return string(answer)
			}
			ask(`{"id": 1, "method": "get_version", "params": {"token": "a"}}`)
			return ask, func() { conn.Close() }
		}
		const add = `{"id": 2, "method": "add_listener", "params": {"sender": "s"}}`
		one, endOne := open()
		two, endTwo := open()
		defer endTwo()
		one(add)
		one(add)
		two(add)
		if answer := two(add); !strings.Contains(answer, "the clients of a token may have at most 3 listeners") {
			t.Error(answer)
		}
		if st := p.server.Stats(); len(st.Tokens) != 1 || st.Tokens[0].Listeners != 3 || st.Tokens[0].Clients != 2 || st.Listeners != 3 {
			t.Errorf("%+v", st)
		}
		endOne()
		time.Sleep(time.Second)
		for range 2 {
			if answer := two(add); !strings.Contains(answer, `"status": 0`) {
				t.Error(answer)
			}
		}
		if n := over(p.server, "token_listeners"); n != 1 {
			t.Errorf("%d were counted", n)
		}
	})
}

// Those who add listeners all the time are slowed down, and lose nothing by it, except for
// a message that would take too long; followers, too.
func TestListenersAddedTooFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		access := badges{}
		access.add(t, "a", "*", "*")
		p := newPairWith(t, &sig.ServerOptions{Access: access, Limits: sig.Limits{Listeners: -1, TokenListeners: 60_000}})
		ask := func(method, params string) string {
			conn, err := p.network.Client().Dial(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			var answer []byte
			for _, m := range [][2]string{{"get_version", `{"token": "a", "features": ["stream", "replay"]}`}, {method, params}} {
				_ = conn.WriteMessage(fmt.Appendf(nil, `{"id": 1, "method": %q, "params": %s}`, m[0], m[1]))
				for answer = nil; answer == nil || bytes.Contains(answer, []byte("ping")); { // a sign of life
					if answer, err = conn.ReadMessage(); err != nil {
						t.Fatal(err)
					}
				}
			}
			return string(answer)
		}
		listeners := make([]string, 50_000)
		for i := range listeners {
			listeners[i] = fmt.Sprintf(`{"sender": %d}`, i)
		}
		many := `{"listeners": [` + strings.Join(listeners, ",") + `]}`
		began := time.Now()
		expect := func(at time.Duration, answer, want string) {
			t.Helper()
			synctest.Wait() // it has left
			if !strings.Contains(answer, want) || time.Since(began).Round(time.Second) != at {
				t.Errorf("after %s: %.200s", time.Since(began), answer)
			}
		}
		expect(0, ask("subscribe", many), `"status": 0`) // 100,000 at once, and as many per minute
		expect(0, ask("subscribe", many), `"status": 0`)
		expect(0, ask("subscribe", many), `"status": 0`)
		expect(0, ask("add_listener", "{}"), "listeners are added too fast: at most 100000 per minute are allowed: try again in 30s")
		f := newFollower(t, p.server, "a")
		if err := p.server.Follow(t.Context(), f.Follower); !errors.Is(err, sig.ErrTooFast) || f.all() != "" {
			t.Error(err, f.all())
		}
		client := sig.NewClientRouter(p.network.Client(), &sig.ClientOptions{Token: with("a")})
		l := client.AddRemoteListener("s", "e", func(sig.Event) {})
		defer wait.Start(t.Context(), client.Run)()
		time.Sleep(25 * time.Second)
		if status, err := client.Status(l); status != sig.Pending {
			t.Error(status, err)
		}
		expect(30*time.Second, ask("add_listener", "{}"), `"status": 0`)
		time.Sleep(time.Second)
		if status, err := client.Status(l); status != sig.Active {
			t.Error(status, err)
		}
		if n := over(p.server, "added_listeners"); n < 4 || n > 6 {
			t.Errorf("%d were counted", n)
		}
	})
}

// What clients do is seen in what the server says of them, also once they have left.
func TestClientsAndStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPairWith(t, nil)
		heard := sigtest.NewRecorder()
		p.client.AddRemoteListener("s", "e", heard.Listen)
		if _, err := p.client.AddRemoteSender(t.Context(), "s", "e"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		for range 3 {
			if _, err := p.client.Publish(t.Context(), sig.Publication{Sender: "s", Event: "e", Data: 1}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		all := p.server.Clients()
		if len(all) != 2 {
			t.Fatalf("%+v", all)
		}
		sum := sig.ClientInfo{}
		for _, c := range all {
			sum.Senders += c.Senders
			sum.Listeners += c.Listeners
			sum.EventsIn += c.EventsIn
			sum.EventsOut += c.EventsOut
			if !c.Stream || c.Guest || c.Queued != 0 || c.BytesIn == 0 || c.BytesOut == 0 || c.Since.IsZero() {
				t.Errorf("%+v", c)
			}
		}
		if st := p.server.Stats(); sum.Senders != 1 || sum.Listeners != st.Listeners || sum.EventsIn != 3 || sum.EventsOut < 3 || sum.Traffic.EventsOut != st.EventsOut {
			t.Errorf("%+v, %+v", sum, st)
		}
		if p.server.Disconnect(77) || !p.server.Disconnect(all[0].ID) || !p.server.Disconnect(all[1].ID) {
			t.Error("who is connected is not who can be disconnected")
		}
		time.Sleep(3 * time.Second) // they come back
		again := p.server.Clients()
		if len(again) != 2 || again[0].ID <= all[1].ID {
			t.Errorf("%+v", again)
		}
		st := p.server.Stats()
		if st.EventsIn != 3 || st.EventsOut <= sum.EventsOut || st.Clients != 2 || st.Admitted != 4 || st.Senders != 1 || st.Latency.Counts[len(st.Latency.Counts)-1] != 3 || st.HasStore {
			t.Errorf("%+v", st)
		}
	})
}
