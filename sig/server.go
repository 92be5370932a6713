package sig

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"sigalert/internal/seldom"
	"sigalert/internal/wait"
	"sigalert/sig/internal/wire"
)

// Version is the protocol's version, which get_version returns.
const Version = "1.01"

// ServerOptions are a server's settings; nil is the zero value.
type ServerOptions struct {
	// Queue is how many events may wait for one client. When it is full, the
	// client catches up from the server's memory once it has read what waits;
	// what is no longer there is counted. Default 4,096.
	Queue int
	// Memory is how many events the server remembers, for clients that come
	// back or are slow; below 0: none. It forgets them after 24 hours, or
	// earlier if they take up more than 64 MiB. Default 10,000.
	Memory int
	// MemoryBytes and MemoryAge are those other limits.
	MemoryBytes int
	MemoryAge   time.Duration
	// Store keeps the events, so that a server that is started again goes on with
	// its numbers, its memory and the ids of its publications. It must be running
	// while the server serves. Default: none, and all that ends with the server.
	Store Store
	// Limits are how much clients may have and do.
	Limits Limits
	// Name is how the server introduces itself to clients, such as
	// "sigalert 1.0". Default "sig".
	Name string
	// Access decides what clients may do. Default: everybody may do everything.
	Access Access
	// Logger reports clients that come and go, and what is dropped. Default:
	// none.
	Logger *slog.Logger
}

// ServerRouter is a Router that clients share over a carrier. Its own senders
// and listeners and those of all clients meet in it.
//
// It never waits for a client: events for a client are queued. Listeners of
// this process run on the goroutine that reads from the sender's client.
type ServerRouter struct {
	Router
	bounds
	*crowd
	opts ServerOptions
	log  *slog.Logger

	lastListener atomic.Uint64
	dropped      atomic.Uint64
	notAdmitted  atomic.Uint64 // callers
	latency      histogram
	http         atomic.Uint64 // events that came with PublishAs
	unread       atomic.Int64  // bytes of messages that wait for clients

	left         wait.Token      // a client has
	crowded      atomic.Bool     // a client was turned away, or gave way to another, since the last was accepted
	accepting    context.Context // ends when no more clients are accepted, and nothing is done for those that are there
	endAccepting func()
}

// NewServerRouter returns a server that serves nothing yet.
func NewServerRouter(opts *ServerOptions) *ServerRouter {
	var o ServerOptions
	if opts != nil {
		o = *opts
	}
	for _, d := range []struct {
		value *int
		def   int
	}{{&o.Queue, 4096}, {&o.MemoryBytes, journalBytes}} {
		if *d.value <= 0 {
			*d.value = d.def
		}
	}
	o.Memory, o.Name = cmp.Or(o.Memory, journalEvents), cmp.Or(o.Name, "sig")
	if o.MemoryAge <= 0 {
		o.MemoryAge = journalAge
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Logger = seldom.Logger(o.Logger)
	s := &ServerRouter{opts: o, log: o.Logger, bounds: bounds{born: time.Now()}, crowd: newCrowd(), left: wait.NewToken()}
	s.accepting, s.endAccepting = context.WithCancel(context.Background())
	s.SetLimits(o.Limits)
	s.journal = newJournal(retention{max(0, o.Memory), o.MemoryBytes, o.MemoryAge})
	if o.Store != nil {
		s.store = o.Store
		s.restore()
	}
	// pysig's listener ids are integers of about 15 digits.
	s.lastListener.Store(100_000_000_000_000)
	return s
}

// Name is how the server introduces itself.
func (s *ServerRouter) Name() string { return s.opts.Name }

// Dropped returns how many events did not reach a client that should have had
// them: it was too slow, and they were forgotten, or they were too long for it.
func (s *ServerRouter) Dropped() uint64 { return s.dropped.Load() }

// Serve accepts clients until ctx ends; it then ends their connections and
// waits for everything it started. It closes the carrier. It may be called for
// several carriers at once. The error is the carrier's; nil if ctx ended.
func (s *ServerRouter) Serve(ctx context.Context, carrier ServerCarrier) error {
	ctx, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { carrier.Close() })
	defer stop()
	defer carrier.Close()
	defer context.AfterFunc(s.accepting, func() { carrier.Close() })()
	clients.Go(func() { s.forgetLeft(ctx) })
	if c, ok := carrier.(BoundedCarrier); ok {
		s.bound(c)
		defer s.unbound(c)
	}
	var turns wait.Turns
	for failures := 0; ; {
		turns.Take(time.Now())
		conn, err := carrier.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return nil
		case s.accepting.Err() != nil:
			if err == nil {
				conn.Close()
			}
			<-ctx.Done()
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // too many open files, say: that passes
			if failures++; rare(failures) {
				s.log.Warn("cannot accept a client", "err", err, "count", failures)
			}
			if !wait.Sleep(ctx, min(time.Duration(failures)*50*time.Millisecond, time.Second), nil) {
				return nil
			}
		default:
			failures = 0
			clients.Go(func() { s.serve(ctx, conn) })
			// A crowd that comes again and again as it is turned away gets the time
			// that the clients leave, not the other way round.
			if s.crowded.Swap(false) && !wait.Sleep(ctx, time.Millisecond, nil) {
				return nil
			}
		}
	}
}

// forgetLeft has the clients that have left be in no route, within a second.
func (s *ServerRouter) forgetLeft(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.left:
			s.unroute()
		}
		if !wait.Sleep(ctx, time.Second, nil) {
			return
		}
	}
}

// serve serves one client, from beginning to end.
func (s *ServerRouter) serve(ctx context.Context, conn Conn) {
	log := s.log.With("client", conn.Peer())
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := newSession(ctx, s, conn, log)
	if err := s.enter(c); err != nil {
		_ = conn.WriteMessage(appendReply(nil, nil, nil, err, false))
		conn.Close()
		return
	}
	defer s.dismiss(c)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if g, ok := conn.(GuestConn); ok {
		if serve := g.Guest(); serve != nil {
			s.welcome(c)
			serve(ctx)
			return
		}
	}
	log.Debug("client connected")
	c.speaks.Store(true)
	defer func() {
		if c.endRights != nil {
			c.endRights()
		}
	}()
	var tasks sync.WaitGroup
	tasks.Go(func() {
		defer cancel() // the reading goroutine may wait for answers that are no longer sent
		c.deliver(ctx)
	})
	err := c.peer.serve()
	if errors.Is(err, ErrNotAdmitted) { // by the carrier: its certificate is no good
		s.turnAway(conn.Peer(), err)
	}
	cancel()
	tasks.Wait()
	c.out.close()
	c.leave()
	s.left.Raise()
	c.peer.abandon() // callers that hear of it find the names free
	c.tasks.Wait()
	log.Debug("client disconnected", "err", err)
}

// rare is true less and less often as n counts up, so that what a peer does a
// million times takes up twenty lines of a log.
func rare(n int) bool { return n&(n-1) == 0 }

func wireError(err error) error {
	switch {
	case err == nil || errors.As(err, new(*RemoteError)):
		return err
	case errors.Is(err, ErrNotOffered):
		return coded(codeNotOffered, textNotAdded)
	}
	return exception("%v", err)
}

var errInvalid = &RemoteError{Status: statusException, Text: textInvalid}

func unknownMethod() error { return &RemoteError{Status: statusUnknown} }

func belongsToAnother(sender Name) error {
	return exception("sender %s belongs to another client", sender)
}

func notObject(what string, text []byte) error {
	if len(text) == 0 {
		return exception("%s is missing: it must be an object", what)
	}
	return exception("%s must be an object, not %s", what, wire.Beginning(text, 40))
}
