package cli

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/adrg/xdg"

	"sigalert/internal/control"
	"sigalert/internal/wait"
)

// slowPage is there once it was looked for so often; 0: there will be none.
type slowPage struct {
	looks atomic.Int32
	after int32
}

func (s *slowPage) Coming() bool { return s.looks.Add(1) < s.after }

func (s *slowPage) Link() string {
	if s.after == 0 {
		return ""
	}
	return "http://127.0.0.1:1/"
}

// Where others can change the runtime folder, the socket is among the user's own files;
// and an agent that has no socket is not taken for none.
func TestOpenRuntimeFolder(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the socket is a pipe here")
	}
	t.Cleanup(xdg.Reload)                  // after the variables are back
	dir, err := os.MkdirTemp("", "folder") // t.TempDir is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o770); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("XDG_STATE_HOME", filepath.Join(dir, "state"))
	xdg.Reload()
	ask := func(want error) {
		t.Helper()
		if _, err := askAgent(t.Context(), "m", nil, nil); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	p := &program{log: slog.New(slog.DiscardHandler)}
	run := func() (end func()) {
		t.Helper()
		only, err := p.onlyInstance(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stop := wait.Start(t.Context(), func(ctx context.Context) {
			only.serve(ctx, p, map[string]control.Method{"m": func(context.Context, json.RawMessage) (any, error) { return nil, nil }}, func() {})
		})
		return func() { stop(); only.close() }
	}
	ask(errNoAgent)
	end := run()
	ask(nil)
	end()
	ask(errNoAgent)
	if err := os.Chmod(stateFolder(), 0o770); err != nil {
		t.Fatal(err)
	}
	defer run()()
	ask(errNoSocket)
}

// Pages of the history that nobody reads are few.
func TestFewPages(t *testing.T) {
	t.Cleanup(xdg.Reload)                 // after the variables are back
	dir, err := os.MkdirTemp("", "pages") // t.TempDir is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
	xdg.Reload()
	p := &program{log: slog.New(slog.DiscardHandler)}
	only, err := p.onlyInstance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer only.close()
	defer wait.Start(t.Context(), func(ctx context.Context) {
		only.serve(ctx, p, map[string]control.Method{"entries": func(ctx context.Context, _ json.RawMessage) (any, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}, func() {})
	})()
	const many = 10
	ended := make(chan error, many)
	for range many {
		go func() {
			_, err := askAgent(t.Context(), "entries", nil, nil)
			ended <- err
		}()
	}
	for range many - 4 {
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "too many requests") {
			t.Error(err)
		}
	}
}

// A second start waits a little for the history of the first, if that has one.
func TestSecondStart(t *testing.T) {
	t.Cleanup(xdg.Reload)                 // after the variables are back
	dir, err := os.MkdirTemp("", "start") // t.TempDir is too long a path for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
	xdg.Reload()
	p := &program{log: slog.New(slog.DiscardHandler)}
	for name, tc := range map[string]struct {
		after    int32
		history  string
		from, to time.Duration
	}{
		"soon":  {4, "http://127.0.0.1:1/", 0, maxStart},
		"never": {1 << 30, "", maxStart, takeOver / 2},
		"none":  {0, "", 0, maxStart},
	} {
		t.Run(name, func(t *testing.T) {
			first, err := p.onlyInstance(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer first.close()
			page := &slowPage{after: tc.after}
			defer wait.Start(t.Context(), func(ctx context.Context) {
				first.serve(ctx, p, map[string]control.Method{"start": p.answerStart(page, func() {})}, func() {})
			})()
			began := time.Now()
			_, err = p.onlyInstance(t.Context())
			var r running
			if took := time.Since(began); !errors.As(err, &r) || r.history != tc.history || took < tc.from || took > tc.to {
				t.Errorf("after %s: %v", took, err)
			}
		})
	}
}
