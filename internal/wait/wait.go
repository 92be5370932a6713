// Package wait has what goroutines need for waiting: a token that says there
// may be work, a sleep that can be ended early, a task that can be stopped, and
// turns for those that never have to wait.
package wait

import (
	"context"
	"runtime"
	"time"
)

// A Token is raised by any number of goroutines for one that waits for it. It
// says that there may be something to do, however often it was raised since it
// was last taken.
type Token chan struct{}

// NewToken returns a token that is not raised.
func NewToken() Token { return make(Token, 1) }

// Raise never blocks.
func (t Token) Raise() {
	select {
	case t <- struct{}{}:
	default:
	}
}

// Sleep waits for d, or until wake can be received from; a nil wake is never
// ready. It returns false once ctx has ended.
func Sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// Start runs a task in a goroutine of its own. stop ends the task's context and
// returns once the task has; it may be called more than once.
func Start(ctx context.Context, task func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		task(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// turn is how long a goroutine works before others get their turn.
const turn = time.Millisecond

// Turns are those of a goroutine that may always find something to do: while others wait
// to run, the scheduler would let it go on for 10 ms. The zero Turns is ready for use.
type Turns struct{ began time.Time }

// Take is called after each piece of work, with the time at which that began. It lets others
// run if the turn is over.
func (t *Turns) Take(now time.Time) {
	if now.Sub(t.began) < turn {
		return
	}
	runtime.Gosched()
	t.began = time.Now()
}
