// Package reach makes a client's way to a server, with what makes each sure of the
// other: a certificate, and a token.
package reach

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"sigalert/internal/address"
	"sigalert/internal/certificate"
	"sigalert/internal/several"
	"sigalert/internal/token"
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

// Locally is the proof for a server at these addresses where nothing is configured: what
// a router of this user, on this machine, has put into the folder. That is for a server at
// a loopback address, and for the one of which it is known that it is ours.
func (p Proof) Locally(folder string, addresses []string, ours bool) Proof {
	if p != (Proof{}) || folder == "" || len(addresses) != 1 {
		return p
	}
	if at := address.HostPort(addresses[0]); ours || address.IsLoopback(at) {
		p.Folder = folder
		_, p.Port, _ = net.SplitHostPort(at)
	}
	return p
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

// local reaches a router that may be this user's own. If that has a certificate, no other
// program at its port gets the token, or anything else.
type local struct {
	addr string
	p    Proof
}

func (c local) Dial(ctx context.Context) (sig.Conn, error) {
	_, cert, err := token.Local(c.p.Folder, c.p.Port)
	var known string
	if err == nil && cert != "" {
		known, err = certificate.Fingerprint(cert)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot reach %s: %w", c.addr, err)
	case cert == "":
		return tcp.NewClient(c.addr).Dial(ctx)
	}
	conn, err := tcp.NewTLSClient(address.HostPort(c.addr), &tcp.TLS{Fingerprint: known}).Dial(ctx)
	if err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
		err = fmt.Errorf("%w; a router of yours has been there before: if it is gone for good, remove %s", err, filepath.Join(c.p.Folder, c.p.Port))
	}
	return conn, err
}

func (c local) String() string { return c.addr }

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
	if p.Folder != "" {
		secret, _, err := token.Local(p.Folder, p.Port)
		return secret, err
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
