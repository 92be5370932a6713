package reach

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"syscall"

	"sigalert/internal/address"
	"sigalert/internal/certificate"
	"sigalert/internal/token"
	"sigalert/sig"
)

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

// settle is the proof for a server at an address, and that address, as they are now.
func (p Proof) settle(addr string) (Proof, string, error) {
	if p.Folder == "" {
		return p, addr, nil
	}
	secret, cert, err := token.Local(p.Folder, p.Port)
	p = Proof{Token: secret}
	if err == nil && cert != "" {
		p.Fingerprint, err = certificate.Fingerprint(cert)
		addr = "tls://" + address.HostPort(addr)
	}
	return p, addr, err
}

// local reaches a router that may be this user's own. If that has a certificate, no other
// program at its port gets the token, or anything else.
type local struct {
	addr string
	p    Proof
}

func (c local) Dial(ctx context.Context) (sig.Conn, error) {
	known, addr, err := c.p.settle(c.addr)
	if err != nil {
		return nil, fmt.Errorf("cannot reach %s: %w", c.addr, err)
	}
	conn, err := known.To(addr).Dial(ctx)
	if err != nil && known.Fingerprint != "" && !errors.Is(err, syscall.ECONNREFUSED) {
		err = fmt.Errorf("%w; a router of yours has been there before: if it is gone for good, remove %s", err, filepath.Join(c.p.Folder, c.p.Port))
	}
	return conn, err
}

func (c local) String() string { return c.addr }
