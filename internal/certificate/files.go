package certificate

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"log/slog"
	"os"

	"sigalert/sig/tcp"
)

// Files are a certificate and its key in files (PEM), which are read again when they
// change.
type Files struct{ followed[*tls.Certificate] }

// Load reads a certificate, with those that lead to its authority, and its key; both may
// be in one file.
func Load(cert, key string, log *slog.Logger) (*Files, error) {
	f := &Files{followed[*tls.Certificate]{what: "the certificate", paths: []string{cert, key}, log: log}}
	f.read = func() (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("certificate %s, key %s: %w", cert, key, err)
		}
		return &c, nil
	}
	if err := f.load(); err != nil {
		return nil, err
	}
	return f, nil
}

// Config has a server show the certificate.
func (f *Files) Config() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.Current(), nil },
	}
}

// Current is the certificate as the files have it now; if they cannot be read, the one
// before.
func (f *Files) Current() *tls.Certificate { return f.current() }

// Fingerprint is that of the first certificate in a file (PEM).
func Fingerprint(cert string) (string, error) {
	text, err := os.ReadFile(cert)
	if err != nil {
		return "", err
	}
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			return tcp.Fingerprint(block.Bytes), nil
		}
	}
	return "", fmt.Errorf("there is no certificate in %s", cert)
}
