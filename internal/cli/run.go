package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/adrg/xdg"
	"github.com/gofrs/flock"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/wait"
	"sigalert/tray"
)

// runAgent is sigalert without a command.
func (p *program) runAgent(ctx context.Context) error {
	defer outliveLog()() // which the queue's end may need
	defer p.queueOutput()()
	ctx, stop := untilHangup(ctx)
	defer stop()
	server := ""
	if p.instead != "" {
		addr, err := config.ParseServer(p.instead)
		if err != nil {
			return usage(fmt.Errorf("--server: %w", err))
		}
		server = addr
	}
	path, err := p.agentConfig()
	if err != nil {
		return err
	}
	unlock, err := lockInstance()
	switch {
	case errors.Is(err, errRunning):
		return err
	case err != nil:
		p.log.Warn("cannot make sure that no other agent runs", "err", err)
	default:
		defer unlock()
	}
	desktop := notify.New(&notify.Options{Icon: iconPath(p.log), Logger: p.log})
	defer desktop.Close()
	lines := newLogger(p.err, levelTrace) // an alert is no message of a level
	return p.runWithTray(ctx, agent.Options{
		ConfigPath: path,
		Server:     server,
		Notifier:   desktop,
		Fallback:   func(n notify.Notification) { lines.Info("alert", "text", n.Line()) },
		Logger:     p.log,
	}, path)
}

// outliveLog has a write to a log that nobody reads any more fail, where it
// would end the process. To ignore the signal would do as well here, but then
// the editor that we start ignored it too.
func outliveLog() (stop func()) {
	broken := make(chan os.Signal, 1) // nobody asks it: that it is there is enough
	signal.Notify(broken, syscall.SIGPIPE)
	return func() { signal.Stop(broken) }
}

// untilHangup ends with the terminal or the session too. A logout may send
// SIGHUP right behind SIGTERM, which must not cut short what we say at the end.
// Under nohup it changes nothing.
func untilHangup(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if signal.Ignored(syscall.SIGHUP) {
		return ctx, cancel
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		select {
		case <-hangup:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel()
		signal.Stop(hangup)
	}
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
		return path, nil // what else is wrong with it, the agent tells
	case p.config != "":
		return "", fmt.Errorf("%w\nWithout --config, sigalert writes a configuration to begin with", err)
	}
	if err := config.WriteExample(path); err != nil {
		return "", fmt.Errorf("write a configuration to begin with: %w", err)
	}
	p.log.Info("wrote a configuration to begin with: edit it", "path", path)
	return path, nil
}

// runWithTray runs the agent, and the tray on this goroutine, until ctx ends
// or the menu's Quit.
func (p *program) runWithTray(ctx context.Context, opts agent.Options, path string) error {
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	t := &trayAgent{path: path, quit: quit, log: p.log, changed: make(chan struct{}, 1)}
	h := p.newHistory(path, t.notice)
	opts.Changed = func() {
		t.notice()
		h.Touch()
	}
	opts.Alerted, opts.Configured = h.Alerted, h.Configured
	t.agent = agent.New(opts)
	t.history, t.openHistory = h.Shown, func() { p.openHistory(h, t.agent) }
	recording := context.WithoutCancel(ctx) // the agent's end is recorded too
	stopRecording := wait.Start(recording, func(ctx context.Context) { h.Run(ctx, t.agent) })
	running := make(chan struct{})
	go func() {
		defer close(running)
		t.agent.Run(ctx)
		stopRecording()
	}()
	if err := tray.Run(ctx, t, p.log); err != nil {
		p.log.Info("running without a tray", "why", err)
	}
	<-running
	p.log.Debug("ended")
	return nil
}

var errRunning = errors.New("an agent is running already; end it from its tray menu before you start another")

// lockInstance makes sure that one agent runs for this user.
func lockInstance() (unlock func(), err error) {
	dir := xdg.RuntimeDir
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		dir = filepath.Join(xdg.StateHome, "sigalert")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	path := filepath.Join(dir, "sigalert.lock")
	lock := flock.New(path)
	got, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !got {
		return nil, errRunning
	}
	return func() { _ = lock.Unlock() }, nil
}
