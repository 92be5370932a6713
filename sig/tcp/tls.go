package tcp

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"sigalert/sig"
)

const (
	// startOfTLS is the first byte of a connection with TLS.
	startOfTLS = 0x16
	// handshakeTimeout ends the connection to a peer that does not finish a handshake.
	handshakeTimeout = 10 * time.Second
)

// secure makes the connection of a client that has begun a handshake one with TLS, and
// reads the first byte within it. It returns 0 if there is none; the next read has the
// error.
func (c *conn) secure(first []byte) int {
	raw := c.net
	done, ok := c.turns.take(c.open, raw.RemoteAddr(), func() { raw.Close() })
	if !ok {
		return 0
	}
	_ = raw.SetDeadline(time.Now().Add(handshakeTimeout))
	polite := &politeConn{Conn: &begunConn{raw, []byte{first[0]}}, computing: c.turns.computing}
	secured := tls.Server(polite, c.tls)
	err := polite.handshake(secured)
	done()
	if err != nil {
		c.insecure = reason(err)
		if errors.As(err, new(*tls.CertificateVerificationError)) {
			c.insecure = fmt.Errorf("%w: its certificate is no good: %w", sig.ErrNotAdmitted, err)
			linger(raw)
		}
		return 0
	}
	_ = raw.SetDeadline(time.Time{})
	c.use(secured)
	n, _ := secured.Read(first)
	return n
}

// linger lets a client read why there is no TLS: what it has sent meanwhile would
// otherwise have the system drop that.
func linger(raw net.Conn) {
	if c, ok := raw.(*net.TCPConn); ok && c.CloseWrite() == nil {
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.CopyN(io.Discard, c, 64<<10)
	}
}

// refused explains the error of a client that has shown a certificate, if the server has
// ended TLS because of it, and otherwise returns it. Since version 1.3 that comes after
// the handshake.
func refused(err error) error {
	if op := (*net.OpError)(nil); errors.As(err, &op) && op.Op == "remote error" {
		return fmt.Errorf("%w: the server refuses our certificate (%w)", sig.ErrNotAdmitted, op.Err)
	}
	return err
}

// certificateOf is the certificate of a client, which an authority of the server's has
// signed; nil: it has shown none.
func certificateOf(conn net.Conn) *x509.Certificate {
	secured, ok := conn.(*tls.Conn)
	if !ok {
		return nil
	}
	if state := secured.ConnectionState(); len(state.VerifiedChains) > 0 {
		return state.VerifiedChains[0][0]
	}
	return nil
}

// TLS is how a client makes sure that a server is the right one; nil is the zero value.
type TLS struct {
	// Roots are the authorities of which one must have signed the server's certificate.
	// Default: the system's.
	Roots *x509.CertPool
	// Fingerprint is that of the server's certificate, as [Fingerprint] writes it. If it
	// is right, neither who signed it nor its names or times count. Default: those do.
	Fingerprint string
	// Name is the server's name in its certificate. Default: the host that is dialed.
	Name string
	// Certificates are what the client shows of itself. Default: none.
	Certificates []tls.Certificate
}

// Fingerprint is the SHA-256 of a certificate (DER), such as sha256:0a1b….
func Fingerprint(certificate []byte) string {
	sum := sha256.Sum256(certificate)
	return fingerprintPrefix + hex.EncodeToString(sum[:])
}

const fingerprintPrefix = "sha256:"

// ParseFingerprint reads a fingerprint, also as other programs write it: in capitals,
// with colons between the bytes, or without "sha256:".
func ParseFingerprint(text string) (string, error) {
	plain := strings.ToLower(strings.TrimSpace(text))
	plain = strings.ReplaceAll(strings.TrimPrefix(plain, fingerprintPrefix), ":", "")
	if sum, err := hex.DecodeString(plain); err != nil || len(sum) != sha256.Size {
		return "", fmt.Errorf("%q is not a fingerprint: use sha256: and %d hexadecimal digits", text, 2*sha256.Size)
	}
	return fingerprintPrefix + plain, nil
}

// Config is for the server at host:port. The error is that of a fingerprint which is
// none.
func (t *TLS) Config(addr string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: t.Roots, ServerName: t.Name, Certificates: t.Certificates}
	if c.ServerName == "" {
		c.ServerName, _, _ = net.SplitHostPort(addr)
	}
	if t.Fingerprint == "" {
		return c, nil
	}
	want, err := ParseFingerprint(t.Fingerprint)
	if err != nil {
		return nil, err
	}
	c.InsecureSkipVerify = true // VerifyConnection verifies it
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if got := Fingerprint(state.PeerCertificates[0].Raw); got != want {
			return fmt.Errorf("the server's certificate is another one: its fingerprint is %s, not %s", got, want)
		}
		return nil
	}
	return c, nil
}

// handshake makes a client's connection one with TLS.
func (c *Client) handshake(ctx context.Context, raw net.Conn) (net.Conn, error) {
	config, err := c.tls.Config(c.addr)
	if err != nil {
		raw.Close()
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	secured := tls.Client(raw, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		raw.Close()
		if len(config.Certificates) > 0 {
			err = refused(err)
		}
		return nil, insecure(err)
	}
	return secured, nil
}

// insecure explains for people why there is no TLS.
func insecure(err error) error {
	header, unknown, name := tls.RecordHeaderError{}, x509.UnknownAuthorityError{}, x509.HostnameError{}
	switch {
	case errors.As(err, &header):
		return fmt.Errorf("the server does not answer with TLS: use tcp:// if it has none: %w", err)
	case errors.As(err, &unknown):
		return fmt.Errorf("nobody known here has signed the server's certificate (give its authority, or its fingerprint if you have that from a safe place): %w", err)
	case errors.As(err, &name):
		return fmt.Errorf("the server's certificate is for other names: %w", err)
	}
	return err
}
