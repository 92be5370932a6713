package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"sigalert/internal/origin"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

const (
	headerTime = 10 * time.Second // for a request's head
	bodyTime   = 30 * time.Second // for its body
	idleTime   = 60 * time.Second // between two requests of a connection
	endTime    = time.Second      // at the end, for answers that are under way

	maxHeader  = 32 << 10
	maxBody    = 1 << 20
	maxStreams = 1000
)

// Options are a gateway's settings; nil is the zero value.
type Options struct {
	// Hosts are names of this machine by which it may be asked, besides localhost and
	// its own name; addresses always may. Default: none.
	Hosts []string
	// Logger reports what fails here, and the first client that tries TLS. Default:
	// none.
	Logger *slog.Logger
}

// gateway answers the HTTP of a router's port.
type gateway struct {
	server  *sig.ServerRouter
	log     *slog.Logger
	hosts   origin.Hosts
	guests  guests
	inside  inside        // where streams connect to the router
	streams chan struct{} // a token for each that is served
}

func newGateway(server *sig.ServerRouter, opts *Options) *gateway {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &gateway{
		server:  server,
		log:     o.Logger,
		hosts:   origin.NewHosts(o.Hosts...),
		guests:  newGuests(o.Logger),
		inside:  newHandover[sig.Conn](),
		streams: make(chan struct{}, maxStreams),
	}
}

// Serve is server.Serve for a port that also answers HTTP: it serves until ctx ends,
// and has then ended everything it started; HTTP has a second to finish its answers.
// It sets carrier.Other, and closes the carrier. The error is the carrier's; nil if
// ctx ended.
func Serve(ctx context.Context, server *sig.ServerRouter, carrier *tcp.Server, opts *Options) error {
	g := newGateway(server, opts)
	carrier.Other = g.guests.take
	ctx, cancel := context.WithCancel(ctx)
	routing, end := context.WithCancel(context.WithoutCancel(ctx)) // it outlasts HTTP, which needs it
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	tasks.Go(func() {
		defer end()
		g.serve(ctx)
	})
	tasks.Go(func() { _ = server.Serve(routing, g.inside) })
	return server.Serve(routing, carrier)
}

// serve answers HTTP until ctx ends, and for a second more where answers are under
// way.
func (g *gateway) serve(ctx context.Context) {
	server := g.httpServer(ctx)
	var serving sync.WaitGroup
	defer serving.Wait()
	serving.Go(func() { _ = server.Serve(&g.guests) })
	<-ctx.Done()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if server.Shutdown(ending) != nil {
		_ = server.Close()
	}
}

func (g *gateway) httpServer(ctx context.Context) *http.Server {
	return &http.Server{
		Handler:           g,
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withCaller,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
}
