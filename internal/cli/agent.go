package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/history"
	"sigalert/internal/logind"
	"sigalert/internal/network"
	"sigalert/internal/sessionbus"
	"sigalert/internal/trim"
	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/tray"
)

// runAgent is the agent, as sigalert runs it without a command.
func (p *program) runAgent(ctx context.Context) error {
	defer outliveLog()() // before the queue, which may need it at its end
	defer p.queueOutput()()
	ctx, reload, stop := untilTerminalEnds(ctx)
	defer stop()
	defer wait.Start(ctx, trim.Run)()
	path, first, err := p.agentConfig()
	if err != nil {
		return err
	}
	only, err := p.onlyInstance(ctx)
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.As(err, new(running)):
		return p.showRunning(err)
	case err != nil:
		p.log.Warn("cannot make sure that no other agent is running", "err", err)
	default:
		defer only.close()
	}
	lines := newLogger(p.err, levelTrace) // alerts are written whatever the log level
	return p.runWithTray(ctx, agent.Options{
		ConfigPath: path,
		Server:     p.instead,
		Router:     p.bindRouter,
		Memory:     memoryPath(),
		Local:      localFolder(),
		Fallback:   func(n notify.Notification) { lines.Info("alert", "text", n.Line()) },
		Logger:     p.log,
	}, path, func(ctx context.Context, t *trayAgent, h *history.History, desktop agent.Notifier) {
		var tasks sync.WaitGroup
		defer tasks.Wait()
		if only != nil {
			methods := controls{t.agent, h, path, t.quit}.methods()
			methods["start"] = p.answerStart(h, t.quit)
			tasks.Go(func() { only.serve(ctx, p, methods, t.quit) })
		}
		if first {
			tasks.Go(func() { p.welcome(ctx, t.agent, desktop) })
		}
		for {
			select {
			case <-ctx.Done():
				return
			case <-reload:
				t.agent.Reload()
			}
		}
	})
}

// memoryPath is where the agent keeps what is to outlive it.
func memoryPath() string { return filepath.Join(stateFolder(), "agent.json") }

// bindRouter is the agent's way to [program.newRouter].
func (p *program) bindRouter(c *config.Router) (*agent.BoundRouter, error) {
	r, err := p.newRouter(c, true)
	if err != nil {
		return nil, err
	}
	p.announce(c, r.addr(), false)
	return &agent.BoundRouter{Serve: r.run, Change: func(c *config.Router) (bool, error) {
		if _, restart := r.settings.Changes(c); len(restart) > 0 {
			p.log.Info("the router is restarted: its settings have changed", "settings", strings.Join(restart, ", "))
			return false, nil
		}
		changed, _, err := r.change(p, c)
		if err == nil {
			p.log.Info("the router's settings have changed", "settings", strings.Join(changed, ", "))
		}
		return true, err
	}}, nil
}

// agentConfig is the path of the configuration; the first run writes one.
func (p *program) agentConfig() (path string, first bool, err error) {
	if path, err = p.configPath(); err != nil {
		return "", false, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", false, err
	}
	_, err = os.Stat(path)
	switch {
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return path, false, nil // the agent reports whatever else is wrong with it
	case p.config != "":
		return "", false, fmt.Errorf("%w\nWithout --config, sigalert writes a first configuration", err)
	}
	if err := config.WriteExample(path); err != nil {
		return "", false, fmt.Errorf("write a first configuration: %w", err)
	}
	p.log.Info("wrote a first configuration: edit it", "path", path)
	return path, true, nil
}

const (
	welcomeLook    = 100 * time.Millisecond // for the agent's connection
	welcomeTimeout = 10 * time.Second       // for the desktop's answer
	welcomeRetry   = 30 * time.Second       // at most, for a desktop
)

// welcome shows, once, how to send a first notification. It waits for the agent's
// connection, and then for a desktop.
func (p *program) welcome(ctx context.Context, a *agent.Agent, desktop agent.Notifier) {
	for !a.Status().Connected {
		if !wait.Sleep(ctx, welcomeLook, nil) {
			return
		}
	}
	try, or := invocation()+" send me hello", ""
	if p.instead == "" {
		or = "\nor: curl -d hello " + a.Status().Servers[0].Address + "/me/hello"
	} else { // which may know no HTTP
		try += " --server " + p.instead
	}
	p.log.Info("to see a first notification, send one", "try", try)
	n := notify.Notification{Title: "sigalert is running", Body: "Try: " + try + or}
	for pause := time.Second; ; pause = min(2*pause, welcomeRetry) {
		once, cancel := context.WithTimeout(ctx, welcomeTimeout)
		_, err := desktop.Notify(once, n)
		cancel()
		// A desktop that has not answered may still show it.
		if err == nil || errors.Is(err, context.DeadlineExceeded) || !wait.Sleep(ctx, pause, nil) {
			return
		}
	}
}

// runWithTray runs the agent, and the tray on this goroutine, until ctx ends
// or Quit is chosen from the menu. Beside them runs beside, unless it is nil, until
// its ctx ends.
func (p *program) runWithTray(ctx context.Context, opts agent.Options, path string, beside func(context.Context, *trayAgent, *history.History, agent.Notifier)) error {
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	t := &trayAgent{path: path, quit: quit, log: p.log, changed: wait.NewToken()}
	h := p.newHistory(path, t.changed.Raise)
	opts.Changed = func() {
		t.changed.Raise()
		h.Touch()
	}
	opts.Alerted, opts.Configured, opts.Flush = h.Alerted, h.Configured, h.Flush
	desktop := p.newDesktop(func(r notify.Response) { t.agent.Respond(r) })
	defer desktop.Close()
	opts.Notifier, opts.Silence = desktop, sessionbus.FollowSilence
	opts.Open = func(url string) { p.open(desktop, url) }
	opts.OpenAlert = func(ev sig.Event, held bool) {
		if url := h.LinkTo(ev, held); url != "" {
			p.open(desktop, url)
		}
	}
	t.agent = agent.New(opts)
	t.history, t.openHistory = h.Shown, func() { p.openHistory(h, t.agent) }
	recording := context.WithoutCancel(ctx) // what happens at the agent's end is recorded too
	stopRecording := wait.Start(recording, func(ctx context.Context) { h.Run(ctx, t.agent) })
	var tasks sync.WaitGroup
	tasks.Go(func() {
		t.agent.Run(ctx)
		stopRecording()
	})
	if beside != nil {
		tasks.Go(func() { beside(ctx, t, h, desktop) })
	}
	tasks.Go(func() { network.Watch(ctx, t.agent.Reconnect) })
	tasks.Go(func() { logind.Watch(ctx, t.agent.Woke) })
	if err := tray.Run(ctx, t, p.log); err != nil {
		p.log.Info("running without a tray", "why", err)
	}
	tasks.Wait()
	p.log.Debug("ended")
	return nil
}
