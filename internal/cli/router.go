package cli

import (
	"context"

	"sigalert/sig"
	"sigalert/sig/tcp"
)

// router is a router server that is bound to its address: that of serve, of the demo,
// and of an agent whose configuration has one.
type router struct {
	*sig.ServerRouter
	carrier *tcp.Server
}

// newRouter binds a router to host:port.
func (p *program) newRouter(listen string) (*router, error) {
	carrier, err := tcp.Listen(listen)
	if err != nil {
		return nil, err
	}
	server := sig.NewServerRouter(&sig.ServerOptions{Name: "sigalert " + versionText(), Logger: p.log})
	return &router{server, carrier}, nil
}

// addr is the address at which the router listens, as host:port.
func (r *router) addr() string { return r.carrier.Addr() }

// run serves the router's clients until ctx ends.
func (r *router) run(ctx context.Context) error { return r.Serve(ctx, r.carrier) }
