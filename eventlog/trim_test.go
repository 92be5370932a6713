package eventlog_test

import (
	"context"
	"testing"

	"sigalert/eventlog"
)

// What the limits take may be more than one update of the file removes.
func TestManyAreRemoved(t *testing.T) {
	stores(t, func(t *testing.T, opts eventlog.Options) {
		const many = 25_000
		opts.Limit = many
		log, err := eventlog.Open(&opts)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		before := log.State().Last
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan struct{})
		go func() { defer close(ran); log.Run(ctx) }()
		for n := range many {
			if err := log.Add(ctx, tick(n)); err != nil {
				t.Fatal(err)
			}
		}
		cancel()
		<-ran
		for _, limit := range []int{many - 1, 12_000, 3, 1} {
			if err := log.SetLimits(eventlog.Limits{Count: limit}); err != nil {
				t.Fatal(err)
			}
			st := log.State()
			found, err := log.Events(t.Context(), eventlog.Query{Oldest: true})
			if err != nil || st.Count() != limit || st.Last != before+many || found.Entries[0].ID != st.First {
				t.Errorf("limit %d: %+v, and from %d; %v", limit, st, found.Entries[0].ID, err)
			}
		}
		if got := data(t, log, eventlog.Query{}); got != "24999" {
			t.Errorf("what stays: %s", got)
		}
	})
}
