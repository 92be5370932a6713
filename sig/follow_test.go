package sig_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
)

// follower is a [sig.Follower] of everything, and what it was told.
type follower struct {
	sig.Follower
	mu   sync.Mutex // guards the field below
	told []string
}

func newFollower(t testing.TB, s *sig.ServerRouter, token string) *follower {
	t.Helper()
	f := &follower{Follower: sig.Follower{Caller: sig.Caller{Token: token, Peer: "192.0.2.1:5"}, Listen: [][2]sig.Name{{"", ""}, {"s", ""}}}}
	var err error
	if f.Rights, err = s.Admit(f.Caller); err != nil {
		t.Fatal(err)
	}
	f.Event = func(ev sig.Event) bool {
		f.tell("event %d", ev.Seq)
		return true
	}
	f.Missed = func(n int) { f.tell("missed %d", n) }
	f.Passed = func(p sig.Position) { f.tell("passed %d", p.Seq) }
	f.Flush = func() error { return nil }
	return f
}

func (f *follower) tell(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told = append(f.told, fmt.Sprintf(format, args...))
}

func (f *follower) all() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.told, ", ")
}

// follow runs the follower until stop.
func (f *follower) follow(t testing.TB, s *sig.ServerRouter) (stop func()) {
	return wait.Start(t.Context(), func(ctx context.Context) {
		if err := s.Follow(ctx, f.Follower); err != nil {
			t.Error(err)
		}
	})
}

func publish(t testing.TB, s *sig.ServerRouter, sender sig.Name, n int) {
	t.Helper()
	for range n {
		if _, err := s.Publish(sig.Publication{Sender: sender, Event: "e"}); err != nil {
			t.Fatal(err)
		}
	}
}

// A follower that comes back is told where it is and what it cannot have, of which its
// rights may leave it in doubt.
func TestFollowSince(t *testing.T) {
	const other = "other" // than this server's epoch
	for _, test := range []struct {
		token string
		since *sig.Position // without an epoch: of this server's
		told  string
	}{
		{"all", nil, "passed 10"},
		{"all", &sig.Position{Seq: 0}, "missed 6, passed 6, event 7, event 8, event 9, event 10"},
		{"all", &sig.Position{Seq: 2}, "missed 4, passed 6, event 7, event 8, event 9, event 10"},
		{"all", &sig.Position{Seq: 8}, "passed 8, event 9, event 10"},
		{"all", &sig.Position{Seq: 10}, "passed 10"},
		{"all", &sig.Position{Seq: 11}, "missed -1, passed 10"},
		{"all", &sig.Position{Epoch: other, Seq: 9}, "missed -1, missed 6, passed 6, event 7, event 8, event 9, event 10"},
		{"part", nil, "passed 10"},
		{"part", &sig.Position{Seq: 0}, "missed -1, passed 6, event 7, event 9"},
		{"part", &sig.Position{Seq: 5}, "missed -1, passed 6, event 7, event 9"},
		{"part", &sig.Position{Seq: 6}, "passed 6, event 7, event 9"},
		{"part", &sig.Position{Seq: 9}, "passed 9, passed 10"},
		{"part", &sig.Position{Epoch: other, Seq: 9}, "missed -1, missed -1, passed 6, event 7, event 9"},
	} {
		synctest.Test(t, func(t *testing.T) {
			access := badges{}
			access.add(t, "all", "*", "")
			access.add(t, "part", "s", "")
			s := sig.NewServerRouter(&sig.ServerOptions{Access: access, Memory: 4})
			f := newFollower(t, s, test.token)
			if f.Since = test.since; test.since != nil && test.since.Epoch == "" {
				probe := newFollower(t, s, "all")
				probe.Passed = func(p sig.Position) { f.Since.Epoch = p.Epoch }
				stop := probe.follow(t, s)
				synctest.Wait()
				stop()
			}
			for range 5 {
				publish(t, s, "s", 1)
				publish(t, s, "t", 1)
			}
			stop := f.follow(t, s)
			synctest.Wait()
			if told := f.all(); told != test.told {
				t.Errorf("%s since %v: %s", test.token, test.since, told)
			}
			stop()
		})
	}
}

// Once its rights have ended, a follower gets nothing more, however much waits for it.
func TestFollowEndsWithItsRights(t *testing.T) {
	for _, live := range []bool{true, false} {
		access := badges{}
		end := access.add(t, "a", "*", "")
		s := sig.NewServerRouter(&sig.ServerOptions{Access: access})
		f := newFollower(t, s, "a")
		f.Since = new(sig.Position)
		if !live {
			publish(t, s, "s", 1000)
		}
		begin := sync.OnceFunc(func() {
			if live {
				publish(t, s, "s", 1000)
			}
		})
		f.Flush = func() error {
			begin()
			return nil
		}
		f.Event = func(ev sig.Event) bool {
			f.tell("event")
			end()
			time.Sleep(10 * time.Millisecond)
			return true
		}
		if err := s.Follow(t.Context(), f.Follower); err != nil {
			t.Error(err)
		}
		if n := strings.Count(f.all(), "event"); n > 2 {
			t.Errorf("live: %t: %d events", live, n)
		}
	}
}

// However a follower ends, nothing is left of it.
func TestFollowEnds(t *testing.T) {
	failed := errors.New("cannot write")
	for _, test := range []struct {
		how string
		end func(s *sig.ServerRouter, cancel, endRights, fail func())
		err error
	}{
		{"its context", func(_ *sig.ServerRouter, cancel, _, _ func()) { cancel() }, nil},
		{"its rights", func(_ *sig.ServerRouter, _, endRights, _ func()) { endRights() }, nil},
		{"a write that fails", func(s *sig.ServerRouter, _, _, fail func()) {
			fail()
			_, _ = s.Publish(sig.Publication{Sender: "s", Event: "e"})
		}, failed},
		{"an administrator", func(s *sig.ServerRouter, _, _, _ func()) { s.Disconnect(s.Clients()[0].ID) }, nil},
		{"the server", func(s *sig.ServerRouter, _, _, _ func()) { s.Drain(context.Background()) }, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			access := badges{}
			endRights := access.add(t, "a", "*", "")
			s := sig.NewServerRouter(&sig.ServerOptions{Access: access})
			f := newFollower(t, s, "a")
			var fails error
			f.Flush = func() error { return fails }
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var err error
			stop := wait.Start(ctx, func(ctx context.Context) { err = s.Follow(ctx, f.Follower) })
			defer stop()
			synctest.Wait()
			publish(t, s, "s", 3)
			synctest.Wait()
			if c := s.Clients(); len(c) != 1 || !c[0].Follows || c[0].Holder != "a" || c[0].Peer != "192.0.2.1:5" || c[0].Listeners != 2 || c[0].EventsOut != 3 {
				t.Errorf("%+v", c)
			}
			test.end(s, cancel, endRights, func() { fails = failed })
			synctest.Wait()
			st := s.Stats()
			if i := slices.IndexFunc(st.Tokens, func(t sig.TokenStats) bool { return t.Clients+t.Listeners > 0 }); st.Clients+st.Listeners > 0 || i >= 0 {
				t.Errorf("after %s: %+v", test.how, st)
			}
			if stop(); err != test.err {
				t.Errorf("after %s: %v", test.how, err)
			}
		})
	}
}

// A server that ends takes no more followers.
func TestFollowAfterDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sig.NewServerRouter(nil)
		s.Drain(t.Context())
		f := newFollower(t, s, "")
		if err := s.Follow(t.Context(), f.Follower); err != nil || f.all() != "" {
			t.Error(err, f.all())
		}
	})
}

// Events that a follower is not told of are no sign of life, and do not keep it from one.
func TestFollowInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sig.NewServerRouter(nil)
		f := newFollower(t, s, "")
		f.Event = func(sig.Event) bool { return false }
		stop := f.follow(t, s)
		defer stop()
		for range 4 {
			time.Sleep(9 * time.Second)
			publish(t, s, "s", 1)
		}
		if told := f.all(); told != "passed 0, passed 1, passed 3" {
			t.Error(told)
		}
	})
}
