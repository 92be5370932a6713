package sig

import (
	"math/rand/v2"
	"time"
)

// backoff is how long to wait before an attempt to connect, counted from 1,
// when there has been no connection for so long: at most 250 ms before the
// first, then a random time ("full jitter": the clients of a server that
// returns do not all come at once) of at most a fifth of the absence, between
// 0.5 s and 2 s in the first minute, 5 s in the first ten minutes, 30 s later.
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
