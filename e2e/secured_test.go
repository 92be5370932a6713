//go:build linux

package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigalert/internal/certificate"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

// way is how clients reach a router, and who they are for it.
type way struct {
	addr        string
	fingerprint string // of its certificate; "": without TLS
	token       string // "": none
}

// secured are the flags of a router with TLS and tokens.
var secured = []string{"--tls", "auto", "--tokens", "auto"}

// way is that of somebody who may do everything.
func (s *server) way(t testing.TB) way {
	t.Helper()
	if !s.secured {
		return way{addr: s.addr}
	}
	if s.known == nil {
		found := s.findWay(t)
		s.known = &found
	}
	return *s.known
}

func (s *server) findWay(t testing.TB) way {
	t.Helper()
	token := exec.Command(s.bin, "token", "new", strings.NewReplacer("/", "-").Replace(t.Name()), "--listen", "*", "--send", "*")
	token.Env = s.home.env
	secret, err := token.Output()
	check(t, err)
	fingerprint, err := certificate.Fingerprint(filepath.Join(s.home.dir, "state/sigalert/certificate.pem"))
	check(t, err)
	return way{s.addr, fingerprint, strings.TrimSpace(string(secret))}
}

func (w way) carrier() sig.ClientCarrier {
	if w.fingerprint == "" {
		return tcp.NewClient(w.addr)
	}
	return tcp.NewTLSClient(w.addr, &tcp.TLS{Fingerprint: w.fingerprint})
}

// client is one that has yet to run.
func (w way) client(o sig.ClientOptions) *sig.ClientRouter {
	if w.token != "" {
		o.Token = func() (string, error) { return w.token, nil }
	}
	return sig.NewClientRouter(w.carrier(), &o)
}
