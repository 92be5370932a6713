package gateway

import (
	"context"
	"net"
	"net/http"
	"sync"

	"sigalert/sig"
	"sigalert/sig/internal/wire"
)

// ServeConns is Serve for connections that the test makes, until ctx ends. Each call
// of take serves one.
func ServeConns(ctx context.Context, server *sig.ServerRouter) (take func(net.Conn), wait func()) {
	g := newGateway(server, wire.NewRoom(1<<20), nil)
	var tasks sync.WaitGroup
	tasks.Go(func() { g.serve(ctx, ctx) })
	return func(conn net.Conn) {
		defer conn.Close()
		g.guests.take(ctx, conn)
	}, tasks.Wait
}

// Handler answers requests whose connections the test makes up.
func Handler(server *sig.ServerRouter) http.Handler {
	return newGateway(server, wire.NewRoom(1<<20), nil)
}

// EndingHandler is Handler of a router that is about to end.
func EndingHandler(server *sig.ServerRouter) http.Handler {
	g := newGateway(server, wire.NewRoom(1<<20), nil)
	g.ending.Lock()
	return g
}
