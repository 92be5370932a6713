package cli

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// The settings are checked as they are once file, flags and the socket of systemd have
// been put together.
func TestRouterSettings(t *testing.T) {
	for _, tc := range []struct{ file, flags, socket, want string }{
		{"", "", "", "127.0.0.1:3000"},
		{"", "--listen :4000", "", ":4000"},
		{"", "--listen :4000 --tokens none", "", "--tokens: everyone who can reach :4000 could listen and send"},
		{"", "--listen :4000 --tokens none --tls none --insecure", "", ":4000"},
		{"listen: ':5000', tokens: none", "", "", "FILE:1: router.tokens: everyone who can reach :5000 could listen and send"},
		{"listen: ':5000', tokens: none, tls: none", "--insecure", "", ":5000"},
		{"listen: ':5000', tokens: none", "--listen 127.0.0.1:6000", "", "127.0.0.1:6000"},
		{"listen: ':5000', insecure: true", "--insecure=false --tls none", "", "--tls: others can reach :5000"},
		{"lsten: x", "--listen 127.0.0.1:6000", "", `FILE:1:10: router: unknown key "lsten"`},
		{"", "", "127.0.0.1:0", "SOCKET"},
		{"", "", "0.0.0.0:0", "SOCKET"},
		{"", "--tokens none", "0.0.0.0:0", "--tokens: everyone who can reach SOCKET could listen and send"},
		{"listen: ':5000', tokens: none", "", "127.0.0.1:0", "SOCKET"},
	} {
		p := &program{log: slog.New(slog.DiscardHandler)}
		set := pflag.NewFlagSet("serve", pflag.ContinueOnError)
		flags := newRouterFlags(set)
		if err := set.Parse(strings.Fields(tc.flags)); err != nil {
			t.Fatal(err)
		}
		file, socket := "", ""
		if tc.file != "" {
			file = filepath.Join(t.TempDir(), "r.yaml")
			if err := os.WriteFile(file, []byte("router: {"+tc.file+"}\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			p.config = file
		}
		if tc.socket != "" {
			l, err := net.Listen("tcp4", tc.socket)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			p.socket = l.(*net.TCPListener)
			socket = l.Addr().String()
		}
		r, err := p.routerSettings(flags)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = r.Listen
		}
		want := strings.NewReplacer("FILE", file, "SOCKET", socket).Replace(tc.want)
		if err == nil && got != want || !strings.HasPrefix(got, want) {
			t.Errorf("file %q, flags %q, socket %q: %q, want %q", tc.file, tc.flags, tc.socket, got, want)
		}
	}
}
