package agent

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"sigalert/agent/config"
	"sigalert/internal/wait"
	"sigalert/sig"
)

// A BindFunc binds a router to its address at once.
type BindFunc func(*config.Router) (*BoundRouter, error)

// BoundRouter is a router that has its address.
type BoundRouter struct {
	// Serve serves the router until ctx ends.
	Serve func(ctx context.Context) error
	// Change applies other settings while it runs; false: they require a restart. If there
	// is an error, they cannot be used now, and nothing has changed. Default: they always
	// require a restart.
	Change func(*config.Router) (bool, error)
}

// ownRouter is the carrier to a router that may be ours to run. Before each attempt to
// connect, it starts the router, unless that runs or another one has the address: then
// the connection leads there. When the other one ends, the connection does, too, and
// the next attempt takes over.
type ownRouter struct {
	sig.ClientCarrier // reaches the address
	bind              BindFunc
	ctx               context.Context // of the router
	log               *slog.Logger

	starting sync.Mutex // held while the router is being started

	mu     sync.Mutex     // guards the fields below
	router *config.Router // nil: it is not ours to run
	bound  *BoundRouter   // as it was started last
	stop   func()         // ends it; nil: it has not been started
	failed bool           // it has ended by itself
	taken  bool           // another program has the address, which was logged
}

func (o *ownRouter) Dial(ctx context.Context) (sig.Conn, error) {
	started := make(chan error, 1)
	go func() { started <- o.start(ctx) }()
	select {
	case err := <-started:
		if err != nil {
			return nil, &routerError{err: err, short: err.Error()}
		}
		return o.ClientCarrier.Dial(ctx)
	case <-ctx.Done():
	}
	select {
	case <-started: // all the same, as mostly
	case <-time.After(startEnd): // a disk that hangs cannot be hurried
	}
	return nil, &routerError{err: errStarting, short: errStarting.Error()}
}

const (
	// startEnd is how long somebody who no longer needs the router waits for its start.
	startEnd  = 5 * time.Second
	startLook = 10 * time.Millisecond
)

var errStarting = errors.New("the router is still being started: the disk of its store may not answer")

// start starts the router if its address is free. The lock is not held meanwhile: to read
// what the router remembers may take seconds, and the agent's loop asks whether it runs.
func (o *ownRouter) start(ctx context.Context) error {
	for !o.starting.TryLock() { // the other connection's attempt has it
		if !wait.Sleep(ctx, startLook, nil) {
			return errStarting
		}
	}
	defer o.starting.Unlock()
	o.mu.Lock()
	router, idle := o.router, o.router == nil || o.stop != nil && !o.failed
	o.mu.Unlock()
	if idle {
		return nil
	}
	bound, err := o.bind(router)
	o.mu.Lock()
	if o.router != router { // by now
		o.mu.Unlock()
		if err == nil {
			wait.Start(o.ctx, func(ctx context.Context) { _ = bound.Serve(ctx) })()
		}
		return nil
	}
	defer o.mu.Unlock()
	switch {
	case inUse(err):
		if !o.taken {
			o.log.Info("another program listens at the router's address: connecting to it", "listen", router.Listen)
		}
		o.taken = true
		return nil
	case err != nil:
		return err
	}
	if o.stop != nil {
		o.stop()
	}
	o.bound, o.failed, o.taken = bound, false, false
	o.log.Info("running the router", "listen", router.Listen)
	o.stop = wait.Start(o.ctx, func(ctx context.Context) {
		if err := bound.Serve(ctx); err != nil {
			o.log.Error("the router failed", "listen", router.Listen, "err", err)
			o.mu.Lock()
			o.failed = true
			o.mu.Unlock()
		}
	})
	return nil
}

// use sets the router that is to run; with nil it is not ours to run any more, and ends.
// The connection to the address stays if that is another's. If there is an error, the
// router goes on as it was. There may be no router. Only the agent's loop calls it.
func (o *ownRouter) use(router *config.Router) error {
	if o == nil || o.router.Equal(router) {
		return nil
	}
	if bound := o.running(); router != nil && bound != nil && bound.Change != nil {
		switch done, err := bound.Change(router); {
		case err != nil:
			return &routerError{short: "the router's settings stay as they were: " + err.Error()}
		case done:
			o.mu.Lock()
			o.router = router
			o.mu.Unlock()
			return nil
		}
	}
	o.mu.Lock()
	stop := o.stop
	o.router, o.stop, o.failed, o.taken = router, nil, false, false
	o.mu.Unlock()
	if stop != nil {
		stop()
	}
	return nil
}

// runs reports whether the router is ours, and runs. There may be none.
func (o *ownRouter) runs() bool { return o != nil && o.running() != nil }

// running is the router, if it runs.
func (o *ownRouter) running() *BoundRouter {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.stop == nil || o.failed {
		return nil
	}
	return o.bound
}

// end ends the router, and its clients' connections. Nobody may dial any more.
func (o *ownRouter) end() { _ = o.use(nil) }

// explain returns why there is no connection, where err is what the client says.
// There may be no router.
func (o *ownRouter) explain(err error) error {
	if o == nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	// It may have the address on another of this machine's networks only.
	foreign := errors.Is(err, sig.ErrNotServer) || errors.Is(err, syscall.ECONNREFUSED)
	if !o.taken || !foreign {
		return err
	}
	short := o.router.Listen + " is taken by a program that does not answer as a router"
	return &routerError{err, short, ": end it, or give the router another address"}
}

// routerError is why our own router can neither run, be reached, nor go by its settings.
type routerError struct {
	err   error  // which may read otherwise at each attempt; nil: it goes on as it was
	short string // for the status line
	hint  string // what to do about it
}

func (e *routerError) Error() string { return e.short + e.hint }

func (e *routerError) Unwrap() error { return e.err }

// wsaInUse is EADDRINUSE on Windows.
const wsaInUse = syscall.Errno(10048)

// inUse reports whether another program listens on an address.
func inUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, wsaInUse)
}
