package cli

import (
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"sigalert/agent/config"
	"sigalert/internal/address"
	"sigalert/internal/certificate"
)

// openTLS returns nil if there is to be no TLS.
func (p *program) openTLS(c *config.Router) (*tls.Config, error) {
	secured, err := p.openCertificate(c)
	if err != nil || c.TLS.ClientCA == "" {
		return secured, err
	}
	authorities, err := certificate.LoadAuthorities(c.TLS.ClientCA, p.log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Place("tls.client_ca"), err)
	}
	authorities.Verify(secured)
	return secured, nil
}

func (p *program) openCertificate(c *config.Router) (*tls.Config, error) {
	cert, key := c.TLS.Cert, c.TLS.Key
	switch {
	case !c.Encrypts():
		return nil, nil
	case cert == "":
		return p.ownCertificate(c)
	case key == "":
		key = cert
	}
	files, err := certificate.Load(cert, key, p.log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Place("tls.cert"), err)
	}
	return files.Config(), nil
}

// certificatePath is where that is which this user's routers have made.
func certificatePath() string { return filepath.Join(stateFolder(), "certificate.pem") }

// certificateFile is the file of a router's certificate; "" if it has none.
func certificateFile(c *config.Router) string {
	switch {
	case !c.Encrypts():
		return ""
	case c.TLS.Cert == "":
		return certificatePath()
	}
	path, _ := filepath.Abs(c.TLS.Cert) // which fails only if there is no working folder
	return path
}

// ownCertificate is one for all routers of a user: who knows its fingerprint knows all of
// them.
func (p *program) ownCertificate(c *config.Router) (*tls.Config, error) {
	names := append([]string{"localhost", address.Loopback, "::1"}, c.Hosts...)
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	if host, _, _ := net.SplitHostPort(c.Listen); net.ParseIP(host) == nil || !net.ParseIP(host).IsUnspecified() {
		names = append(names, host)
	}
	files, err := certificate.Own(certificatePath(), names, p.log)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Place("tls"), err)
	}
	return files.Config(), nil
}

// tlsConfig is for the TLS that the router has when a client comes.
func (r *router) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			now := r.tls.Load()
			if now.GetConfigForClient != nil {
				return now.GetConfigForClient(hello)
			}
			return now, nil
		},
	}
}
