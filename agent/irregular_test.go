//go:build unix

package agent_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigalert/agent"
	"sigalert/sig"
	"sigalert/sig/sigtest"
)

// A configuration that cannot be read without waiting is refused: the agent
// must end when it is told to.
func TestConfigurationThatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(fifo, link); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		fifo: fifo + " is a pipe, not a file", link: link + " is a pipe, not a file",
		dir: dir + " is a folder, not a file", "/dev/null": "/dev/null is a device, not a file",
	} {
		s := newScreen()
		a := agent.New(agent.Options{
			ConfigPath: path, Notifier: s,
			Carrier: func(string) sig.ClientCarrier { return new(sigtest.Network).Client() },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			a.Run(ctx)
		}()
		select {
		case <-s.more:
		case <-time.After(20 * time.Second):
			t.Errorf("%s: nothing is said of it", path)
		}
		cancel()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: the agent does not end", path)
		}
		if got := s.take(); got != "Configuration problem "+want {
			t.Errorf("shown: %q, want %q", got, want)
		}
		if got := a.Status().ConfigError; !strings.Contains(got, want) {
			t.Errorf("status: %q, want %q", got, want)
		}
	}
}
