package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"sigalert/agent/config"
	"sigalert/internal/token"
	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/gateway"
	"sigalert/sig/store"
	"sigalert/sig/tcp"
)

// agentsDrain is how long the clients of an agent's router may take at its end to read what
// waits for them: a logout does not wait, nor does the agent for other settings.
const agentsDrain = time.Second

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
	agents   bool // it is the agent's own
	log      *slog.Logger
}

// newRouter binds a router to its address; agents: it is the agent's own. It has to be
// run.
func (p *program) newRouter(c *config.Router, agents bool) (*router, error) {
	carrier, err := p.bind(c.Listen)
	if err != nil {
		return nil, err
	}
	r := &router{settings: c, carrier: carrier, hosts: c.Hosts, agents: agents, log: p.log}
	if err := r.open(p, c); err != nil {
		carrier.Close()
		return nil, err
	}
	r.provide(c)
	o := sig.ServerOptions{Name: "sigalert " + versionText(), Memory: c.Store.Limit, MemoryBytes: c.Store.Size << 20, MemoryAge: memoryAge(c), Limits: c.Limits, Logger: p.log}
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
	secured, err := p.openTLS(c)
	if err != nil {
		return err
	}
	if secured != nil {
		r.tls.Store(secured)
		r.carrier.TLS = r.tlsConfig()
	}
	if secured != nil && c.TLS.Cert == "" {
		own, _ := secured.GetCertificate(nil) // which has been read
		p.log.Info("the router's certificate is its own: clients know it by its fingerprint", "fingerprint", tcp.Fingerprint(own.Certificate[0]))
	}
	if r.tokens, err = p.openTokens(c); err != nil {
		return err
	}
	r.require(c)
	r.store, err = p.openStore(c)
	return err
}

// change applies other settings to the running router, and reads its files again. It
// returns the keys of those that have changed, and of those that stay as they were, since
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
	if c.Limits != r.settings.Limits {
		r.SetLimits(c.Limits)
	}
	r.tls.Store(secured)
	r.settings = c
	r.require(c)
	r.provide(c)
	return changed, restart, nil
}

// bind listens at an address, or at the socket that systemd has passed.
func (p *program) bind(listen string) (*tcp.Server, error) {
	if p.socket != nil {
		return tcp.NewServer(p.socket), nil
	}
	return tcp.Listen(listen)
}

// addr is the address at which the router listens, as host:port.
func (r *router) addr() string { return r.carrier.Addr() }

// run serves the router's clients, and HTTP at the same port, until ctx ends.
func (r *router) run(ctx context.Context) error {
	if r.store != nil {
		defer r.endStore(wait.Start(context.WithoutCancel(ctx), r.keep))
	}
	if r.tokens != nil {
		defer wait.Start(context.WithoutCancel(ctx), r.tokens.Run)()
	}
	o := gateway.Options{Hosts: r.hosts, Logger: r.log}
	if r.agents {
		o.Drain = agentsDrain
	}
	return gateway.Serve(ctx, r.ServerRouter, r.carrier, &o)
}
