package cli

import "context"

// interruptible returns what read returns, or why ctx ended. It is for what may
// never come, such as from a terminal, or from a pipe that has no writer. Nothing can
// end such a read: when ctx ends, nobody joins its goroutine, and nobody may read
// from there after it.
func interruptible[T any](ctx context.Context, read func() (T, error)) (T, error) {
	type input struct {
		value T
		err   error
	}
	var none T
	if ctx.Err() != nil {
		return none, context.Cause(ctx)
	}
	got := make(chan input, 1)
	go func() {
		value, err := read()
		got <- input{value, err}
	}()
	select {
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case i := <-got:
		return i.value, i.err
	}
}
