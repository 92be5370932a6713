package cli

import (
	"context"
	"log/slog"

	"sigalert/agent/config"
	"sigalert/internal/token"
	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/gateway"
	"sigalert/sig/store"
	"sigalert/sig/tcp"
)

// router is a router server that is bound to its address: that of serve, of the demo,
// and of an agent whose configuration has one.
type router struct {
	*sig.ServerRouter
	carrier *tcp.Server
	store   *store.Store // nil: none
	tokens  *token.Book  // nil: none
	hosts   []string
	log     *slog.Logger
}

// newRouter binds a router to its address. It has to be run.
func (p *program) newRouter(c *config.Router) (*router, error) {
	carrier, err := tcp.Listen(c.Listen)
	if err != nil {
		return nil, err
	}
	r := &router{carrier: carrier, hosts: c.Hosts, log: p.log}
	if err := r.open(p, c); err != nil {
		carrier.Close()
		return nil, err
	}
	o := sig.ServerOptions{Name: "sigalert " + versionText(), Memory: c.Store.Limit, MemoryBytes: c.Store.Size << 20, MemoryAge: memoryAge(c), Logger: p.log}
	if r.store != nil {
		o.Store = r.store
	}
	if r.tokens != nil {
		o.Access = r.tokens
	}
	r.ServerRouter = sig.NewServerRouter(&o)
	return r, nil
}

// open opens what the router has in files; the store is the last, as it would have to be
// closed.
func (r *router) open(p *program, c *config.Router) (err error) {
	if r.carrier.TLS, err = p.openTLS(c); err != nil {
		return err
	}
	if r.tokens, err = p.openTokens(c); err != nil {
		return err
	}
	r.store, err = p.openStore(c)
	return err
}

// addr is the address at which the router listens, as host:port.
func (r *router) addr() string { return r.carrier.Addr() }

// run serves the router's clients, and HTTP at the same port, until ctx ends.
func (r *router) run(ctx context.Context) error {
	if r.store != nil {
		defer wait.Start(context.WithoutCancel(ctx), r.keep)()
	}
	if r.tokens != nil {
		defer wait.Start(ctx, r.tokens.Run)()
	}
	return gateway.Serve(ctx, r.ServerRouter, r.carrier, &gateway.Options{Hosts: r.hosts, Logger: r.log})
}
