package cli

import (
	"context"
	"log/slog"

	"sigalert/sig"
	"sigalert/sig/gateway"
	"sigalert/sig/tcp"
)

// router is a router server that is bound to its address: that of serve, of the demo,
// and of an agent whose configuration has one.
type router struct {
	*sig.ServerRouter
	carrier *tcp.Server
	log     *slog.Logger
}

// newRouter binds a router to host:port.
func (p *program) newRouter(listen string) (*router, error) {
	carrier, err := tcp.Listen(listen)
	if err != nil {
		return nil, err
	}
	server := sig.NewServerRouter(&sig.ServerOptions{Name: "sigalert " + versionText(), Logger: p.log})
	return &router{server, carrier, p.log}, nil
}

// addr is the address at which the router listens, as host:port.
func (r *router) addr() string { return r.carrier.Addr() }

// run serves the router's clients, and HTTP at the same port, until ctx ends. A
// browser's address may name the machine as any of hosts.
func (r *router) run(ctx context.Context, hosts ...string) error {
	return gateway.Serve(ctx, r.ServerRouter, r.carrier, &gateway.Options{Hosts: hosts, Logger: r.log})
}
