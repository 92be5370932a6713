package cli

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"sigalert/internal/address"
	"sigalert/internal/certificate"
	"sigalert/sig/tcp"
)

// securing is the TLS of a router.
type securing struct {
	mode      string // "": with the files, if there are any
	cert, key string
}

const (
	tlsOwn  = "auto" // a certificate that the router has made
	tlsNone = "none"
)

func (s *securing) flags(flags *pflag.FlagSet) {
	flags.StringVar(&s.mode, "tls", "", "`HOW` to encrypt: auto (with a certificate that the router makes, and keeps in the user's state folder) or none (default: with --tls-cert, if it is given)")
	flags.StringVar(&s.cert, "tls-cert", "", "`FILE` of the certificate (PEM), read again when it changes")
	flags.StringVar(&s.key, "tls-key", "", "`FILE` of its key (default: the certificate's)")
}

// open returns nil if there is to be no TLS, and the file of the certificate.
func (s securing) open(p *program, listen string, hosts []string) (config *tls.Config, cert string, err error) {
	switch {
	case s.mode != "" && s.mode != tlsOwn && s.mode != tlsNone:
		return nil, "", usage(fmt.Errorf("--tls must be auto or none, not %q", s.mode))
	case s.mode != "" && s.cert+s.key != "":
		return nil, "", usage(fmt.Errorf("--tls %s and the files of a certificate are two different things: leave one out", s.mode))
	case s.cert == "" && s.key != "":
		return nil, "", usage(errors.New("--tls-key is for a certificate: name it with --tls-cert"))
	case s.mode == tlsOwn:
		config, err = s.own(p, listen, hosts)
		return config, certificatePath(), err
	case s.cert == "":
		return nil, "", nil
	case s.key == "":
		s.key = s.cert
	}
	files, err := certificate.Load(s.cert, s.key, p.log)
	if err != nil {
		return nil, "", fmt.Errorf("--tls-cert: %w", err)
	}
	return files.Config(), s.cert, nil
}

// certificatePath is where that is which the routers of a user have made.
func certificatePath() string { return filepath.Join(stateFolder(), "certificate.pem") }

// own is one for all routers of a user: who knows its fingerprint knows all of them.
func (s securing) own(p *program, listen string, hosts []string) (*tls.Config, error) {
	names := append([]string{"localhost", address.Loopback, "::1"}, hosts...)
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	if host, _, _ := net.SplitHostPort(listen); net.ParseIP(host) == nil || !net.ParseIP(host).IsUnspecified() {
		names = append(names, host)
	}
	files, err := certificate.Own(certificatePath(), names, p.log)
	if err != nil {
		return nil, fmt.Errorf("--tls auto: %w", err)
	}
	p.log.Info("the router's certificate is its own: clients know it by its fingerprint", "fingerprint", tcp.Fingerprint(files.Current().Certificate[0]))
	return files.Config(), nil
}
