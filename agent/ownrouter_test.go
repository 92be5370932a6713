package agent

import (
	"context"
	"log/slog"
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
