package sig

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff is how long to wait before the given attempt to connect, counted
// from 1: at most 250 ms before the first, then a random time of at most
// 0.5 s, growing by 1.6 with each attempt up to 30 s ("full jitter": many
// clients of a server that returns do not come all at once).
func Backoff(attempt int) time.Duration {
	const first, base, most = 250 * time.Millisecond, 500 * time.Millisecond, 30 * time.Second
	if attempt <= 1 {
		return rand.N(first)
	}
	limit := float64(base)
	for range attempt - 2 {
		if limit *= 1.6; limit >= float64(most) {
			return rand.N(most)
		}
	}
	return rand.N(time.Duration(limit))
}

// pause waits for d, or for a token on kick, or for the end of ctx. It
// reports false for the last.
func pause(ctx context.Context, d time.Duration, kick <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-kick:
	case <-ctx.Done():
		return false
	}
	return true
}
