package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sigalert/internal/address"
	"sigalert/internal/systemd"
	"sigalert/internal/trim"
	"sigalert/internal/wait"
	"sigalert/sig"
)

type serveOptions struct {
	sender, event, data string
	every               time.Duration
	requests            bool
	router              routerFlags
}

func (p *program) serve() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run a router server",
		Long: `Runs a router server: senders and listeners connect to it, and it passes the
senders' events to the listeners. Whatever speaks HTTP can publish and follow
events at the same address: open it in a browser to see how. With --sender the
router has a sender of its own, which fires an event repeatedly. With --requests
that sender also answers the request echo, with the request's parameters.

The router keeps its latest events in files, so that a restart loses none: clients
that come back get what they missed.

An address that other machines can reach, such as :3000, requires TLS, and a token from
each client. At its first start there, it prints a line to run on another machine,
"sigalert pair …", which lets that machine use the router. --insecure does without both.

With --config, and only then, the settings come from the key "router" of a file, which
may be the agent's configuration; flags take precedence. On SIGHUP, the file, the certificate and
the tokens are read again.`,
		Example: `  sigalert serve
  sigalert serve --sender timer --event tick --data '"server data"' --every 5s
  sigalert serve --requests     then: sigalert request timer echo '{"n": 1}'
  sigalert serve                then: curl -d hello 127.0.0.1:3000/me/hello
  sigalert serve --listen :3000 --host desk.example
  sigalert serve --config /etc/sigalert/router.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if p.ask {
				if err := p.askServe(cmd, &o); err != nil {
					return err
				}
			}
			if o.requests && o.sender == "" {
				o.sender = "timer"
			}
			for _, flag := range []string{"event", "data", "every", "number"} {
				if o.sender == "" && cmd.Flags().Changed(flag) {
					return usage(fmt.Errorf("--%s is for the server's own sender: name it with --sender", flag))
				}
			}
			return p.runServe(cmd.Context(), o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.sender, "sender", "", "`NAME` of the server's own sender")
	flags.StringVar(&o.event, "event", "tick", "`NAME` of its event")
	flags.StringVar(&o.data, "data", "", "data of the event: `JSON`, or text")
	flags.DurationVar(&o.every, "every", 5*time.Second, "time between two events")
	flags.BoolVar(&o.requests, "requests", false, "its sender (timer by default) answers the request echo")
	o.router = newRouterFlags(flags)
	p.numberFlag(cmd)
	p.askFlag(cmd)
	return cmd
}

func (p *program) askServe(cmd *cobra.Command, o *serveOptions) error {
	q, given := p.questions(cmd), cmd.Flags().Changed
	q.text(given("log-level"), &p.logLevel, "Log level", "info")
	if q.err == nil {
		level, err := parseLevel(p.logLevel)
		if err != nil {
			return usage(err)
		}
		p.log = newLogger(p.err, level)
	}
	listen := ""
	if q.address(given("listen"), &listen, "Server bind", "0.0.0.0", address.DefaultPort); listen != "" {
		_ = cmd.Flags().Set("listen", listen)
	}
	q.text(given("sender"), &o.sender, "Sender", "timer")
	q.text(given("event"), &o.event, "Event", "tick")
	q.text(given("data"), &o.data, "Event data", o.data)
	q.seconds(given("every"), &o.every, "Timer delay", "5")
	return q.err
}

func (p *program) runServe(ctx context.Context, o serveOptions) error {
	shareProcessors()
	defer p.queueOutput()()
	if o.every <= 0 {
		return usage(fmt.Errorf("--every must be greater than 0, got %s", o.every))
	}
	var err error
	if p.socket, err = systemd.Socket(); err != nil {
		return err
	}
	settings, err := p.routerSettings(o.router)
	if err != nil {
		return err
	}
	server, err := p.newRouter(settings, false)
	if err != nil {
		return err
	}
	manager := systemd.Find(p.log)
	ctx, reload, stop := untilTerminalEnds(ctx)
	defer stop()
	defer wait.Start(ctx, func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case <-reload:
				manager.Reload(func() string {
					p.reloadRouter(server, o.router)
					return listening(server)
				})
			}
		}
	})()
	defer wait.Start(ctx, trim.Run)()
	defer wait.Start(ctx, trim.Bound)()
	p.log.Info("listening on " + server.addr())
	defer reportTo(ctx, manager, server)()
	p.announce(settings, server.addr(), true)
	if server.tokens == nil && !address.IsLoopback(server.addr()) {
		p.log.Warn("anyone who can reach this address may listen and send: there is no password", "listen", server.addr())
	}
	if o.sender == "" {
		return server.run(ctx)
	}
	ctx, end := context.WithCancel(ctx)
	ticking := make(chan error, 1)
	go func() {
		defer end() // without its sender the server is not what was asked for
		ticking <- p.tick(ctx, &server.Router, o)
	}()
	err = server.run(ctx)
	end()
	if failure := <-ticking; failure != nil {
		return fmt.Errorf("the server's own sender failed: %w", failure)
	}
	return err
}

// reloadRouter reads the settings of a running router again, and applies them.
func (p *program) reloadRouter(r *router, flags routerFlags) {
	settings, err := p.routerSettings(flags)
	var changed, restart []string
	if err == nil {
		changed, restart, err = r.change(p, settings)
	}
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			p.log.Error(line)
		}
		p.log.Error("not reloaded: the settings stay as they were")
		return
	}
	p.log.Info("reloaded", "changed", cmp.Or(strings.Join(changed, ", "), "nothing"))
	if len(restart) > 0 {
		p.log.Warn("some changes take effect only after a restart", "settings", strings.Join(restart, ", "))
	}
}

// tick has the server's own sender fire, and answer requests, until ctx ends.
func (p *program) tick(ctx context.Context, router *sig.Router, o serveOptions) error {
	p.noticeChannel(o.sender, "--event "+o.sender)
	name, event := p.meanings(o.sender)[0], p.meanings(o.event)[0] // nobody is connected yet
	offer := sig.SenderOptions{Events: []sig.Name{event}}
	if o.requests {
		offer.Requests = map[sig.Name]sig.RequestFunc{"echo": echo}
	}
	sender, err := router.AddSenderWith(name, offer)
	if err != nil {
		return err
	}
	p.noticeJSON(o.data)
	data := parseData(o.data)
	return every(ctx, o.every, func() error {
		p.log.Info("triggering", "sender", o.sender, "event", o.event, "data", o.data)
		return sender.Trigger(event, data)
	})
}

func echo(_ context.Context, _ sig.Name, params sig.Data) (any, error) { return params, nil }
