// Package pairing has the line with which one machine says to another how to use its
// router: HOST:PORT#TOKEN@FINGERPRINT.
package pairing

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"sigalert/internal/address"
	"sigalert/sig/tcp"
)

// Line is what the line says.
type Line struct {
	HostPort    string
	Token       string
	Fingerprint string // of the router's certificate, as [tcp.Fingerprint] writes it
}

// String is the line; it has a secret.
func (l Line) String() string { return l.HostPort + "#" + l.Token + "@" + l.Fingerprint }

// Parse reads a line. Its errors have neither the token nor the whole line.
func Parse(text string) (l Line, err error) {
	text = strings.TrimSpace(text)
	at, rest, ok := strings.Cut(text, "#")
	if !ok {
		return l, errors.New(`it has no "#": the line is HOST:PORT#TOKEN@FINGERPRINT, and a shell may require quotes around it`)
	}
	end := strings.LastIndexByte(rest, '@')
	if end < 0 {
		return l, errors.New(`it has no "@" after the token: copy the whole line, HOST:PORT#TOKEN@FINGERPRINT`)
	}
	if l.HostPort, err = ParsePlace(at); err != nil {
		return Line{}, err
	}
	l.Token = rest[:end]
	if err := address.CheckToken(l.Token); err != nil {
		return Line{}, fmt.Errorf("%w: copy the whole line", err)
	}
	if l.Fingerprint, err = tcp.ParseFingerprint(rest[end+1:]); err != nil {
		return Line{}, errors.New(`what follows the last "@" is not a fingerprint, sha256: and 64 hexadecimal digits: copy the whole line`)
	}
	return l, nil
}

// ParsePlace reads the address in a line, of which nothing may be left out.
func ParsePlace(text string) (hostPort string, err error) {
	host, port, err := net.SplitHostPort(text)
	switch {
	case strings.Contains(text, "://"):
		return "", fmt.Errorf("%q is a URL, not HOST:PORT", text)
	case err != nil || host == "" || port == "":
		return "", fmt.Errorf("%q is not HOST:PORT", text)
	case port == "0":
		return "", errors.New("a router cannot be at port 0")
	}
	addr, err := address.ParseServer("tls://" + text)
	return address.HostPort(addr), err
}
