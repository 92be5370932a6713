package agent_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/wait"
)

type noDesktop struct{}

func (noDesktop) Notify(context.Context, notify.Notification) (notify.Receipt, error) {
	return notify.Receipt{}, errors.New("no desktop")
}

// What callers wait for is done when they go on.
func TestWhatIsWaitedFor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a := agent.New(agent.Options{ConfigPath: path, Server: "127.0.0.1:1", Notifier: noDesktop{}})
	stop := wait.Start(t.Context(), a.Run)
	defer stop()
	write("subscriptions: [{sender: a}, {sender: b}]")
	if n, err := a.ReloadNow(t.Context()); n != 2 || err != nil {
		t.Errorf("a good file: %d, %v", n, err)
	}
	write("subscriptions: [{sendr: a}]")
	var problems config.Problems
	if n, err := a.ReloadNow(t.Context()); n != 2 || !errors.As(err, &problems) || len(problems) != 1 || a.Status().ConfigError == nil {
		t.Errorf("a bad file: %d, %v", n, err)
	}
	a.Pause(time.Hour)
	if err := a.Settle(t.Context()); err != nil || !a.Status().Paused {
		t.Errorf("a pause: %v", err)
	}
	stop()
	if _, err := a.ReloadNow(t.Context()); err == nil || errors.As(err, &problems) {
		t.Errorf("after the agent's end: %v", err)
	}
}
