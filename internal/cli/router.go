package cli

import (
	"context"
	"crypto/tls"
	"log/slog"

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
	log     *slog.Logger
}

// guarding is who may use a router, and how it is sure who that is; the zero value is
// everybody, without TLS.
type guarding struct {
	tls    *tls.Config
	cert   string // the file of its certificate
	tokens *token.Book
	own    bool // they are those of the user
}

// newRouter binds a router to host:port. It has to be run.
func (p *program) newRouter(listen string, k keeping, g guarding) (*router, error) {
	if err := k.check(); err != nil {
		return nil, err
	}
	carrier, err := tcp.Listen(listen)
	if err != nil {
		return nil, err
	}
	carrier.TLS = g.tls
	r := &router{carrier: carrier, tokens: g.tokens, log: p.log}
	if r.store, err = k.open(p, listen); err != nil {
		carrier.Close()
		return nil, err
	}
	o := sig.ServerOptions{Name: "sigalert " + versionText(), Memory: k.limit, MemoryBytes: k.size << 20, MemoryAge: k.oldest, Logger: p.log}
	if r.store != nil {
		o.Store = r.store
	}
	r.provide(g.own, g.cert)
	if r.tokens != nil {
		o.Access = r.tokens
	}
	r.ServerRouter = sig.NewServerRouter(&o)
	return r, nil
}

// addr is the address at which the router listens, as host:port.
func (r *router) addr() string { return r.carrier.Addr() }

// run serves the router's clients, and HTTP at the same port, until ctx ends. A
// browser's address may name the machine as any of hosts.
func (r *router) run(ctx context.Context, hosts ...string) error {
	if r.store != nil {
		defer wait.Start(context.WithoutCancel(ctx), r.keep)()
	}
	if r.tokens != nil {
		defer wait.Start(ctx, r.tokens.Run)()
	}
	return gateway.Serve(ctx, r.ServerRouter, r.carrier, &gateway.Options{Hosts: hosts, Logger: r.log})
}
