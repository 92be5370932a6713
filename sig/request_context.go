package sig

import (
	"context"
	"fmt"
	"sync"
	"time"
)

var errLate = fmt.Errorf("%w within %s", ErrNoAnswer, answerTimeout)

// requestContext ends when the requester no longer waits. Most handlers never
// look at it, and a timer for each would cost as much as the rest of a request:
// so it is made when it is first used.
type requestContext struct {
	parent   context.Context
	deadline time.Time

	once   sync.Once
	made   context.Context
	cancel context.CancelFunc
}

func newRequestContext(parent context.Context) *requestContext {
	return &requestContext{parent: parent, deadline: time.Now().Add(answerTimeout)}
}

func (c *requestContext) make() context.Context {
	c.once.Do(func() { c.made, c.cancel = context.WithDeadlineCause(c.parent, c.deadline, errLate) })
	return c.made
}

// end ends the context, and its timer, if there is one.
func (c *requestContext) end() {
	c.once.Do(func() { c.made, c.cancel = ended, func() {} })
	c.cancel()
}

// ended is a context that is over.
var ended = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

func (c *requestContext) Deadline() (time.Time, bool) { return c.make().Deadline() }
func (c *requestContext) Done() <-chan struct{}       { return c.make().Done() }
func (c *requestContext) Err() error                  { return c.make().Err() }
func (c *requestContext) Value(key any) any           { return c.make().Value(key) }
