package agent

import (
	"context"
	"time"
)

const (
	wakeTick = 5 * time.Second
	wakeGap  = 10 * time.Second

	// stoppedGap is how late what is due must be for the process to have been stopped,
	// during which both clocks go on.
	stoppedGap = 5 * time.Second
)

// watchWake calls woke after the machine was suspended, until ctx ends. During a
// suspend the monotonic clock stands still, and the wall clock runs ahead of it.
func watchWake(ctx context.Context, woke func()) {
	tick := time.NewTicker(wakeTick)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if suspended(last, now) {
				woke()
			}
			last = now
		}
	}
}

func suspended(last, now time.Time) bool {
	wall := now.Round(0).Sub(last.Round(0)) // Round drops the monotonic reading
	return wall-now.Sub(last) > wakeGap
}
