//go:build unix

package agent_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
// must end when asked to.
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
		if got := fmt.Sprint(a.Status().ConfigError); !strings.Contains(got, want) {
			t.Errorf("status: %q, want %q", got, want)
		}
	}
}

// A file that is no longer one is reported, once; the settings stay.
func TestConfigurationThatIsNoFileAnyMore(t *testing.T) {
	for name, tc := range map[string]struct {
		put  func(path string) error // in its place
		want string
	}{
		"deleted": {func(string) error { return nil }, "cannot read %s: no such file or directory"},
		"folder":  {func(path string) error { return os.Mkdir(path, 0o700) }, "%s is a folder, not a file"},
		"pipe":    {func(path string) error { return syscall.Mkfifo(path, 0o600) }, "%s is a pipe, not a file"},
		"link":    {func(path string) error { return os.Symlink("none", path) }, "cannot read %s: no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "config.yaml")
			good := []byte("subscriptions: [{sender: timer}]")
			if err := os.WriteFile(path, good, 0o600); err != nil {
				t.Fatal(err)
			}
			s, log := newScreen(), new(logged)
			a := agent.New(agent.Options{
				ConfigPath: path, Notifier: s, Logger: slog.New(slog.NewTextHandler(log, nil)),
				Carrier: func(string) sig.ClientCarrier { return new(sigtest.Network).Client() },
			})
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				a.Run(ctx)
			}()
			defer func() {
				cancel()
				<-done
			}()
			shown := func(want string) {
				t.Helper()
				select {
				case <-s.more:
				case <-time.After(20 * time.Second):
					t.Fatalf("nothing is shown, want %q", want)
				}
				if got := s.take(); got != want {
					t.Errorf("shown: %q, want %q", got, want)
				}
			}
			for log.count("configuration in force") == 0 {
				time.Sleep(10 * time.Millisecond)
			}
			if err := errors.Join(os.Remove(path), tc.put(path)); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf(tc.want, path)
			shown("Configuration problem " + want + "\nThe previous settings stay in force.")
			// What is shown may be ahead of the status.
			for since := time.Now(); fmt.Sprint(a.Status().ConfigError) != want; time.Sleep(time.Millisecond) {
				if time.Since(since) > 20*time.Second {
					t.Fatalf("status: %+v, want %q", a.Status(), want)
				}
			}
			if n := len(a.Status().Subscriptions); n != 1 {
				t.Errorf("%d subscriptions", n)
			}
			if name != "deleted" {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(path, good, 0o600); err != nil {
				t.Fatal(err)
			}
			shown("Configuration is valid again 1 subscription in force.")
			if n := log.count("cannot read the configuration"); n != 1 {
				t.Errorf("it is logged %d times", n)
			}
		})
	}
}
