package cli

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/adrg/xdg"
	"github.com/spf13/pflag"

	"sigalert/agent/config"
	"sigalert/internal/wait"
)

// A router is alive if it answers, not if it only has an address.
func TestRouterIsAlive(t *testing.T) {
	p := &program{log: slog.New(slog.DiscardHandler)}
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0"} {
		settings := config.DefaultRouter()
		settings.Listen = listen
		r, err := p.newRouter(settings, false)
		if err != nil {
			t.Fatal(err)
		}
		alive := func(within time.Duration) error {
			ctx, cancel := context.WithTimeout(t.Context(), within)
			defer cancel()
			return r.alive(ctx)
		}
		if alive(100*time.Millisecond) == nil {
			t.Error("it is alive, and nobody serves it")
		}
		stop := wait.Start(t.Context(), func(ctx context.Context) { _ = r.run(ctx) })
		if err := alive(10 * time.Second); err != nil {
			t.Error(err)
		}
		stop()
		if alive(10*time.Second) == nil {
			t.Error("it is alive, and has ended")
		}
	}
}

func TestStateFolder(t *testing.T) {
	xdg.Reload()
	defer xdg.Reload()
	own := filepath.Join(xdg.StateHome, "sigalert")
	for _, tc := range []struct{ given, home, state, want string }{
		{"/var/lib/sigalert", "", "", "/var/lib/sigalert"},
		{"/var/lib/sigalert:/var/lib/other", "", "", "/var/lib/sigalert"},
		{"/var/lib/sigalert", "/home/me", "", own},
		{"/var/lib/sigalert", "", "/home/me/.local/state", own},
		{"", "", "", own},
	} {
		for name, value := range map[string]string{"STATE_DIRECTORY": tc.given, "HOME": tc.home, "XDG_STATE_HOME": tc.state} {
			t.Setenv(name, value)
		}
		if got := stateFolder(); got != tc.want {
			t.Errorf("%+v: %s", tc, got)
		}
	}
}

// What is refused at an address is refused at systemd's socket, too.
func TestSocketsAddressIsChecked(t *testing.T) {
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	given := pflag.NewFlagSet("", pflag.ContinueOnError)
	flags := newRouterFlags(given)
	if err := given.Set("tls", "none"); err != nil {
		t.Fatal(err)
	}
	p := &program{log: slog.New(slog.DiscardHandler), socket: l.(*net.TCPListener)}
	if _, err := p.routerSettings(flags); err == nil {
		t.Error("a router without TLS may have it")
	}
	p.socket = nil
	if r, err := p.routerSettings(flags); err != nil || r.Listen == l.Addr().String() {
		t.Error(r, err)
	}
}
