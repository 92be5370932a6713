package agent

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sigalert/agent/config"
)

// A router that takes its time to start, as one that remembers much does, does not hold up
// the agent; one that is to run elsewhere by then ends at once.
func TestRouterThatStartsSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := make(map[string]int)
		o := &ownRouter{ctx: t.Context(), log: slog.New(slog.DiscardHandler), bind: func(r *config.Router) (*BoundRouter, error) {
			time.Sleep(time.Minute)
			runs[r.Listen]++
			return &BoundRouter{Serve: func(ctx context.Context) error {
				<-ctx.Done()
				runs[r.Listen]--
				return nil
			}}, nil
		}}
		o.use(&config.Router{Listen: "here:1"})
		go o.start(t.Context())
		synctest.Wait()
		if !o.mu.TryLock() {
			t.Fatal("the agent has to wait")
		}
		o.mu.Unlock()
		o.use(&config.Router{Listen: "there:1"})
		time.Sleep(2 * time.Minute)
		if err := o.start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !o.runs() || runs["here:1"] != 0 || runs["there:1"] != 1 {
			t.Errorf("%v run", runs)
		}
		o.end()
		if runs["there:1"] != 0 {
			t.Errorf("at the end, %v run", runs)
		}
	})
}

// A router whose start hangs, as on a disk that does not answer, holds up neither an attempt
// to connect for ever nor the agent's end; no attempt starts another meanwhile.
func TestRouterWhoseStartHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var starts atomic.Int32
		answers := make(chan struct{})
		o := &ownRouter{ctx: t.Context(), log: slog.New(slog.DiscardHandler), bind: func(*config.Router) (*BoundRouter, error) {
			starts.Add(1)
			<-answers
			return nil, errors.New("it answers")
		}}
		o.use(&config.Router{Listen: "here:1"})
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			began := time.Now()
			if _, err := o.Dial(ctx); !errors.Is(err, errStarting) {
				t.Error(err)
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it takes %v", took)
			}
			cancel()
		}
		o.end()
		close(answers)
		synctest.Wait()
		if n := starts.Load(); n != 1 {
			t.Errorf("it is started %d times", n)
		}
	})
}

// A router that runs goes by changed settings if it can, and otherwise ends, for another
// to begin. Settings that cannot be used change nothing, and are tried again.
func TestRouterThatChanges(t *testing.T) {
	var done []string
	said := func(what string) {
		t.Helper()
		if got := strings.Join(done, ", "); got != what {
			t.Errorf("%s; want %s", got, what)
		}
		done = nil
	}
	o := &ownRouter{ctx: t.Context(), log: slog.New(slog.DiscardHandler), bind: func(r *config.Router) (*BoundRouter, error) {
		done = append(done, "bind "+r.Tokens)
		return &BoundRouter{
			Serve: func(ctx context.Context) error {
				<-ctx.Done()
				done = append(done, "end")
				return nil
			},
			Change: func(r *config.Router) (bool, error) {
				done = append(done, "change "+r.Tokens)
				if r.Tokens == "bad" {
					return true, errors.New("no such file")
				}
				return r.Listen == "", nil
			},
		}, nil
	}}
	start := func() {
		t.Helper()
		if err := o.start(t.Context()); err != nil || !o.runs() {
			t.Fatal(err, o.runs())
		}
	}
	o.use(&config.Router{Tokens: "a"})
	said("")
	start()
	o.use(&config.Router{Tokens: "a"})
	start()
	said("bind a")
	o.use(&config.Router{Tokens: "b"})
	start()
	said("change b")
	o.use(&config.Router{Tokens: "bad"})
	o.use(&config.Router{Tokens: "bad"})
	o.use(&config.Router{Tokens: "b"})
	start()
	said("change bad, change bad")
	o.use(&config.Router{Tokens: "c", Listen: "there:1"})
	said("change c, end")
	o.use(&config.Router{Tokens: "d", Listen: "there:1"})
	start()
	said("bind d")
	o.end()
	said("end")
}
