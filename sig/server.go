package sig

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
)

// Version is the protocol's version, which get_version answers.
const Version = "1.01"

// ServerOptions are a server's settings; nil is the zero value.
type ServerOptions struct {
	// Queue is how many signals may wait for one client. When it is full, the
	// oldest gives way and is counted. Default 1,000.
	Queue int
	// Logger hears of clients that come and go and of what is dropped.
	// Default: none.
	Logger *slog.Logger
}

// ServerRouter is a Router that clients share over a carrier. Its own senders
// and listeners and those of all clients meet in it.
//
// It never waits for a client: signals for a client are queued, and go out
// one after the other as the client answers them. Listeners of this process
// run on the goroutine that reads from the sender's client.
type ServerRouter struct {
	Router
	queue int
	log   *slog.Logger

	lastListener atomic.Uint64
	dropped      atomic.Uint64
}

// NewServerRouter returns a server that serves nothing yet.
func NewServerRouter(opts *ServerOptions) *ServerRouter {
	var o ServerOptions
	if opts != nil {
		o = *opts
	}
	if o.Queue <= 0 {
		o.Queue = 1000
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &ServerRouter{queue: o.Queue, log: o.Logger}
	// pysig's listener ids are integers of about 15 digits.
	s.lastListener.Store(100_000_000_000_000)
	return s
}

// Dropped is how many signals did not reach a client that should have had
// them: its queue was full, or they were too long for it.
func (s *ServerRouter) Dropped() uint64 { return s.dropped.Load() }

// Serve accepts clients until ctx ends, and then ends their connections and
// waits for all that it started. It closes the carrier. It may be called for
// several carriers at once. The error is the carrier's; nil after ctx ended.
func (s *ServerRouter) Serve(ctx context.Context, carrier ServerCarrier) error {
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { carrier.Close() })
	defer stop()
	defer carrier.Close()
	for failures := 0; ; {
		conn, err := carrier.Accept()
		switch {
		case ctx.Err() != nil:
			if conn != nil {
				conn.Close()
			}
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // too many open files, say: it passes
			failures++
			s.log.Warn("cannot accept a client", "err", err)
			if !pause(ctx, Backoff(failures), nil) {
				return nil
			}
		default:
			failures = 0
			clients.Go(func() { s.serve(ctx, conn) })
		}
	}
}

// serve is one client's life.
func (s *ServerRouter) serve(ctx context.Context, conn Conn) {
	log := s.log.With("client", conn.Peer())
	c := newClient(s, conn, log)
	log.Debug("client connected")
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	var delivering sync.WaitGroup
	delivering.Go(func() { c.deliver(ctx) })
	err := c.peer.serve()
	cancel()
	delivering.Wait()
	c.leave()
	log.Debug("client disconnected", "err", err)
}

func wireError(err error) error {
	switch {
	case errors.As(err, new(*RemoteError)):
		return err
	case errors.Is(err, ErrNotOffered):
		return exception(textNotAdded)
	}
	return exception("%v", err)
}

var errInvalid = &RemoteError{Status: statusException, Text: textInvalid}

func unknownMethod() error { return &RemoteError{Status: statusUnknown} }

func belongsToAnother(sender Name) error {
	return exception("sender %s belongs to another client", sender)
}

func notObject(what string, text []byte) error {
	return exception("%s must be an object, not %.40s", what, fmt.Sprintf("%s", text))
}
