package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
)

// Authorities are those in a file (PEM) that sign the certificates of a server's clients.
type Authorities struct{ followed[*x509.CertPool] }

// LoadAuthorities reads the file, which is read again when it changes.
func LoadAuthorities(path string, log *slog.Logger) (*Authorities, error) {
	a := &Authorities{followed[*x509.CertPool]{what: "the clients' authority", paths: []string{path}, log: log}}
	a.read = func() (*x509.CertPool, error) { return Pool(path) }
	if err := a.load(); err != nil {
		return nil, err
	}
	return a, nil
}

// Verify has a server verify the certificates that clients show, which they need not.
// A change of the file counts from the next handshake: no session is resumed from one
// before.
func (a *Authorities) Verify(c *tls.Config) {
	c.ClientAuth, c.SessionTicketsDisabled = tls.VerifyClientCertIfGiven, true
	base := c.Clone()
	c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := base.Clone()
		now.ClientCAs = a.current()
		return now, nil
	}
}

// Pool reads the certificates of a file (PEM).
func Pool(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("there is no certificate in %s", path)
	}
	return pool, nil
}
