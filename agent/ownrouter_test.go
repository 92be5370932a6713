package agent

import (
	"context"
	"errors"
	"log/slog"
	"strings"
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
		go o.start()
		synctest.Wait()
		if !o.mu.TryLock() {
			t.Fatal("the agent has to wait")
		}
		o.mu.Unlock()
		o.use(&config.Router{Listen: "there:1"})
		time.Sleep(2 * time.Minute)
		if err := o.start(); err != nil {
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
		if err := o.start(); err != nil || !o.runs() {
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
