package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/history"
	"sigalert/internal/trim"
	"sigalert/internal/wait"
	"sigalert/tray"
)

// runAgent is the agent, as sigalert runs it without a command.
func (p *program) runAgent(ctx context.Context) error {
	defer outliveLog()() // before the queue, which may need it at its end
	defer p.queueOutput()()
	ctx, reload, stop := untilTerminalEnds(ctx)
	defer stop()
	defer wait.Start(ctx, trim.Run)()
	path, err := p.agentConfig()
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
	desktop := p.newDesktop()
	defer desktop.Close()
	lines := newLogger(p.err, levelTrace) // alerts are written whatever the log level
	return p.runWithTray(ctx, agent.Options{
		ConfigPath: path,
		Server:     p.instead,
		Notifier:   desktop,
		Fallback:   func(n notify.Notification) { lines.Info("alert", "text", n.Line()) },
		Logger:     p.log,
	}, path, func(ctx context.Context, t *trayAgent, h *history.History) {
		var tasks sync.WaitGroup
		defer tasks.Wait()
		if only != nil {
			tasks.Go(func() { only.serve(ctx, p, h.Link, t.quit) })
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

// agentConfig is the path of the configuration; the first run writes one.
func (p *program) agentConfig() (string, error) {
	path, err := p.configPath()
	if err != nil {
		return "", err
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return "", err
	}
	_, err = os.Stat(path)
	switch {
	case err == nil || !errors.Is(err, fs.ErrNotExist):
		return path, nil // the agent reports whatever else is wrong with it
	case p.config != "":
		return "", fmt.Errorf("%w\nWithout --config, sigalert writes a first configuration", err)
	}
	if err := config.WriteExample(path); err != nil {
		return "", fmt.Errorf("write a first configuration: %w", err)
	}
	p.log.Info("wrote a first configuration: edit it", "path", path)
	return path, nil
}

// runWithTray runs the agent, and the tray on this goroutine, until ctx ends
// or Quit is chosen from the menu. Beside them runs beside, unless it is nil, until
// its ctx ends.
func (p *program) runWithTray(ctx context.Context, opts agent.Options, path string, beside func(context.Context, *trayAgent, *history.History)) error {
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	t := &trayAgent{path: path, quit: quit, log: p.log, changed: wait.NewToken()}
	h := p.newHistory(path, t.changed.Raise)
	opts.Changed = func() {
		t.changed.Raise()
		h.Touch()
	}
	opts.Alerted, opts.Configured = h.Alerted, h.Configured
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
		tasks.Go(func() { beside(ctx, t, h) })
	}
	if err := tray.Run(ctx, t, p.log); err != nil {
		p.log.Info("running without a tray", "why", err)
	}
	tasks.Wait()
	p.log.Debug("ended")
	return nil
}
