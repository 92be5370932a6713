package sig

import (
	"math/rand/v2"
	"time"
)

// backoff returns how long to wait before an attempt to connect. Attempts are
// counted from 1; away is how long there has been no connection. The wait is at
// most 250 ms before the first attempt, then a random time ("full jitter", so
// that the clients of a server that returns do not all come at once) of at most
// a fifth of away, where that bound is at least 0.5 s and at most 2 s in the
// first minute, 5 s in the first ten minutes, 30 s later.
func backoff(attempt int, away time.Duration) time.Duration {
	if attempt <= 1 {
		return rand.N(250 * time.Millisecond)
	}
	longest := 30 * time.Second
	switch {
	case away < time.Minute:
		longest = 2 * time.Second
	case away < 10*time.Minute:
		longest = 5 * time.Second
	}
	return rand.N(min(max(away/5, 500*time.Millisecond), longest))
}
