// Package reach makes a client's way to a server, with what makes each sure of the
// other: a certificate, and a token.
package reach

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"strings"

	"sigalert/internal/address"
	"sigalert/internal/certificate"
	"sigalert/internal/several"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

// Proof is what a client and a server know each other by; the zero value is the
// system's authorities, and no token.
type Proof struct {
	CA          string // the file (PEM) of the authority that signed the server's certificate
	Fingerprint string // of the certificate
	Cert, Key   string // the files (PEM) of the certificate that the client shows, and of its key
	Token       string // that the client shows
	TokenFile   string // the file of it

	Folder, Port string // of Locally: where a router of this user says both, for this port of this machine
}

// Carrier dials a server at these addresses. The files are read for each connection, so
// that a change counts from the next.
func (p Proof) Carrier(addresses []string) sig.ClientCarrier {
	return several.New(addresses, p.To)
}

// To dials a server at one address.
func (p Proof) To(addr string) sig.ClientCarrier {
	if p.Folder != "" {
		return local{addr, p}
	}
	if !address.IsSecure(addr) || p.CA+p.Fingerprint+p.Cert == "" {
		return tcp.NewClient(addr)
	}
	return proving{addr, p}
}

type proving struct {
	addr string
	p    Proof
}

func (c proving) Dial(ctx context.Context) (sig.Conn, error) {
	opts, err := c.p.TLS()
	if err != nil {
		return nil, fmt.Errorf("cannot reach %s: %w", c.addr, err)
	}
	return tcp.NewTLSClient(address.HostPort(c.addr), opts).Dial(ctx)
}

func (c proving) String() string { return c.addr }

// TLS is how the server is known, and what it is shown; the error is that of a file.
func (p Proof) TLS() (_ *tcp.TLS, err error) {
	opts := tcp.TLS{Fingerprint: p.Fingerprint}
	if p.CA != "" {
		if opts.Roots, err = certificate.Pool(p.CA); err != nil {
			return nil, err
		}
	}
	if p.Cert != "" {
		pair, err := tls.LoadX509KeyPair(p.Cert, cmp.Or(p.Key, p.Cert))
		if err != nil {
			return nil, fmt.Errorf("certificate %s: %w", p.Cert, err)
		}
		opts.Certificates = []tls.Certificate{pair}
	}
	return &opts, nil
}

// Secret is the token; "" if there is none.
func (p Proof) Secret() (string, error) {
	p, _, err := p.settle("")
	if err != nil {
		return "", err
	}
	if p.TokenFile == "" {
		return p.Token, nil
	}
	text, err := os.ReadFile(p.TokenFile)
	if err != nil {
		return "", fmt.Errorf("the token: %w", err)
	}
	token := strings.TrimSpace(string(text))
	if err := address.CheckToken(token); err != nil {
		return "", fmt.Errorf("%s: %w", p.TokenFile, err)
	}
	return token, nil
}
