package certificate

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"sigalert/sig/tcp"
)

// Files are a certificate and its key in files (PEM), which are read again when they
// change.
type Files struct {
	cert, key string
	log       *slog.Logger

	mu     sync.Mutex // guards the fields below
	loaded *tls.Certificate
	as     stamp // of the files when they were last read
}

// stamp tells whether files have changed.
type stamp struct {
	cert, key         time.Time
	certSize, keySize int64
}

// Load reads a certificate, with those that lead to its authority, and its key; both may
// be in one file.
func Load(cert, key string, log *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, log: log}
	var err error
	if f.as, err = f.stamp(); err == nil {
		f.loaded, err = f.read()
	}
	if err != nil {
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

// Current is the certificate as the files have it now. If they cannot be read, as while
// only one of them has been replaced, it is the one before.
func (f *Files) Current() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	now, err := f.stamp()
	if err == nil && now == f.as {
		return f.loaded
	}
	changed := now != f.as // which is logged once
	f.as = now
	if err == nil {
		var loaded *tls.Certificate
		if loaded, err = f.read(); err == nil {
			f.loaded = loaded
			f.log.Info("the certificate has changed", "cert", f.cert)
		}
	}
	if err != nil && changed {
		f.log.Warn("the certificate's files have changed and cannot be read: the one before stays", "err", err)
	}
	return f.loaded
}

// stamp is zero if a file is not there.
func (f *Files) stamp() (s stamp, err error) {
	cert, err := os.Stat(f.cert)
	if err != nil {
		return stamp{}, err
	}
	key, err := os.Stat(f.key)
	if err != nil {
		return stamp{}, err
	}
	return stamp{cert.ModTime(), key.ModTime(), cert.Size(), key.Size()}, nil
}

func (f *Files) read() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return nil, fmt.Errorf("certificate %s, key %s: %w", f.cert, f.key, err)
	}
	return &c, nil
}

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
