package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"sigalert/internal/origin"
	"sigalert/internal/seldom"
	"sigalert/sig"
	"sigalert/sig/internal/wire"
	"sigalert/sig/tcp"
)

const (
	headerTime = 10 * time.Second // for a request's head
	bodyTime   = 30 * time.Second // for its body
	idleTime   = 60 * time.Second // between two requests of a connection
	endTime    = time.Second      // at the end, for answers that are under way
	drainTime  = 5 * time.Second  // at the end, for what waits for clients

	maxHeader = 32 << 10
	maxBody   = 1 << 20
)

// Options are a gateway's settings; nil is the zero value.
type Options struct {
	// Hosts are names of this machine by which it may be asked, besides localhost and
	// its own name; addresses always may. Default: none.
	Hosts []string
	// Drain is how long clients may take at the end to read what waits for them.
	// Default 5 s.
	Drain time.Duration
	// Logger reports what fails here, and the first client that tries TLS. Default:
	// none.
	Logger *slog.Logger
}

// gateway answers the HTTP of a router's port.
type gateway struct {
	server  *sig.ServerRouter
	log     *slog.Logger
	drain   time.Duration
	ending  sync.RWMutex // locked at the end: nothing is published any more
	hosts   origin.Hosts
	guests  guests
	room    *wire.Room         // for bodies
	streams atomic.Int64       // that are served
	refused [600]atomic.Uint64 // requests, by status
	asked   atomic.Uint64      // requests
	began   time.Time
}

func newGateway(server *sig.ServerRouter, room *wire.Room, opts *Options) *gateway {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Drain <= 0 {
		o.Drain = drainTime
	}
	return &gateway{
		server: server,
		log:    seldom.Logger(o.Logger),
		drain:  o.Drain,
		hosts:  origin.NewHosts(o.Hosts...),
		guests: newGuests(o.Logger),
		room:   room,
		began:  time.Now(),
	}
}

// Serve is server.Serve for a port that also answers HTTP: it serves until ctx ends.
// Then it takes nothing more, lets those that read have everything that was published
// before, gives HTTP a second to finish its answers, and has then ended everything it
// started. It sets carrier.Other, and closes the carrier. The error is the carrier's;
// nil if ctx ended.
func Serve(ctx context.Context, server *sig.ServerRouter, carrier *tcp.Server, opts *Options) error {
	g := newGateway(server, carrier.Room(), opts)
	carrier.Other = g.guests.take
	ctx, cancel := context.WithCancel(ctx)
	routing, end := context.WithCancel(context.WithoutCancel(ctx)) // it outlasts what ctx ends
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	tasks.Go(func() {
		defer end()
		g.serve(ctx, routing)
	})
	return server.Serve(routing, carrier)
}

// serve answers HTTP until ctx ends, and then ends everything gently; streams end with
// the router's side of them.
func (g *gateway) serve(ctx, routing context.Context) {
	server := g.httpServer(routing)
	var serving sync.WaitGroup
	defer serving.Wait()
	serving.Go(func() { _ = server.Serve(&g.guests) })
	<-ctx.Done()
	g.drainAll(routing)
	ending, cancel := context.WithTimeout(routing, endTime)
	defer cancel()
	if server.Shutdown(ending) != nil {
		_ = server.Close()
	}
}

// drainAll returns when nothing is published any more, and what was published has
// reached those that read.
func (g *gateway) drainAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, g.drain)
	defer cancel()
	g.ending.Lock() // and it stays so
	if behind := g.server.Drain(ctx); behind > 0 {
		g.log.Warn("clients have not read everything in time", "clients", behind, "time", g.drain)
	}
}

func (g *gateway) httpServer(ctx context.Context) *http.Server {
	return &http.Server{
		Handler:           g,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withConnection,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
}
