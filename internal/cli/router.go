package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync/atomic"

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
	settings *config.Router // that it runs with; change is not called concurrently
	carrier  *tcp.Server
	tls      atomic.Pointer[tls.Config] // nil: none
	store    *store.Store               // nil: none
	tokens   *token.Book                // nil: none
	hosts    []string
	log      *slog.Logger
}

// newRouter binds a router to its address. It has to be run.
func (p *program) newRouter(c *config.Router) (r *router, err error) {
	r = &router{settings: c, hosts: c.Hosts, log: p.log}
	secured, err := p.openTLS(c)
	if err != nil {
		return nil, err
	}
	if r.tokens, err = p.openTokens(c); err != nil {
		return nil, err
	}
	if r.carrier, err = tcp.Listen(c.Listen); err != nil {
		return nil, err
	}
	if r.store, err = p.openStore(c); err != nil {
		r.carrier.Close()
		return nil, err
	}
	if secured != nil {
		r.tls.Store(secured)
		r.carrier.TLS = r.tlsConfig()
	}
	if secured != nil && c.TLS.Cert == "" {
		own, _ := secured.GetCertificate(nil) // which has been read
		p.log.Info("the router's certificate is its own: clients know it by its fingerprint", "fingerprint", tcp.Fingerprint(own.Certificate[0]))
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

// change applies other settings to the running router, and reads its files again. It
// returns the keys of those that have changed, and of those that stay as they were since
// they take a restart. If there is an error, nothing has changed.
func (r *router) change(p *program, c *config.Router) (changed, restart []string, err error) {
	changed, restart = r.settings.Changes(c)
	if len(restart) > 0 {
		c = r.settings.Keep(c, restart)
		changed, _ = r.settings.Changes(c)
	}
	secured, err := p.openTLS(c)
	if err != nil {
		return nil, nil, err
	}
	if r.tokens != nil {
		if err := r.tokens.Move(tokensFile(c)); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", c.Place("tokens"), err)
		}
	}
	r.tls.Store(secured)
	r.settings = c
	return changed, restart, nil
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
