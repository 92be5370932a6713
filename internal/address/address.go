// Package address reads what people write for a place on the network: a server
// to connect to, an address to listen on, and the names and the token with which
// a page may be reached.
package address

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

const (
	// Loopback is the host that only this machine reaches.
	Loopback = "127.0.0.1"
	// DefaultPort is a server's port, where none is given.
	DefaultPort = "3000"
	// secure is what the address of a server with TLS begins with.
	secure = "tls://"
)

// ParseServer reads a server's URL, such as tcp://host:3000, and returns its
// host:port, after tls:// if the server has TLS. The scheme (tcp), the port (3000) and
// the whole of it (127.0.0.1) may be left out. https is tls, at port 443 by default.
func ParseServer(text string) (addr string, err error) {
	scheme, host, port, err := parseURL(text)
	if err != nil {
		return "", err
	}
	if host == "" {
		host = Loopback
	}
	addr = net.JoinHostPort(host, port)
	if scheme != "tcp" {
		addr = secure + addr
	}
	return addr, nil
}

// HostPort is the host:port of what [ParseServer] returns.
func HostPort(addr string) string { return strings.TrimPrefix(addr, secure) }

// IsSecure reports whether what [ParseServer] returns has TLS.
func IsSecure(addr string) bool { return strings.HasPrefix(addr, secure) }

// ParseListen reads an address for a server to listen on. It is completed as in
// [ParseServer], except that a text which begins with the port's colon stands for
// every address of this machine.
func ParseListen(text string) (addr string, err error) {
	scheme, host, port, err := parseURL(text)
	if err == nil && scheme != "tcp" {
		err = fmt.Errorf("%q: an address to listen on has no scheme: use HOST:PORT", text)
	}
	if err != nil {
		return "", err
	}
	if host == "" && !strings.HasPrefix(strings.TrimSpace(text), ":") {
		host = Loopback
	}
	return net.JoinHostPort(host, port), nil
}

// ParsePage reads an address for a page to listen on, and returns its host:port.
// Neither may be left out: to some people no host means this machine alone, to
// others everyone who can reach it.
func ParsePage(text string) (addr string, err error) {
	const want = "use HOST:PORT, such as "
	host, port, ok := split(text)
	switch {
	case isPort(text):
		return "", fmt.Errorf("%q is not an address: %s%s", text, want, net.JoinHostPort(Loopback, text))
	case !ok || host == "" && port == "":
		return "", fmt.Errorf("%q is not an address: %s127.0.0.1:8080", text, want)
	case port == "":
		return "", fmt.Errorf("%q has no port: %s127.0.0.1:8080", text, want)
	}
	if port, err = parsePort(port); err != nil {
		return "", err
	}
	if host == "" {
		return "", fmt.Errorf("%q has no host: use 127.0.0.1:%[2]s for this machine alone, or 0.0.0.0:%[2]s for everyone who can reach it", text, port)
	}
	return net.JoinHostPort(host, port), nil
}

// IsLoopback reports whether only this machine reaches the address. A name may
// lead anywhere, except for localhost.
func IsLoopback(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// parseURL takes tcp://host:port apart; the scheme and the port have their defaults,
// and the host may be empty.
func parseURL(text string) (scheme, host, port string, err error) {
	rest, scheme := strings.TrimSpace(text), "tcp"
	if given, after, ok := strings.Cut(rest, "://"); ok {
		switch scheme = strings.ToLower(given); scheme {
		case "tcp", "tls", "https":
		default:
			return "", "", "", fmt.Errorf("unknown scheme %q: use tcp://HOST:PORT", given)
		}
		rest = strings.TrimSuffix(after, "/")
	}
	if host, _, ok := strings.Cut(rest, "/"); ok && host != "" {
		return "", "", "", fmt.Errorf("%q has a path: use %s://HOST:PORT", text, scheme)
	}
	if isPort(rest) {
		return "", "", "", fmt.Errorf("%q is not an address: use tcp://HOST:PORT, such as tcp://%s", text, net.JoinHostPort(Loopback, rest))
	}
	host, port, ok := split(rest)
	if !ok {
		return "", "", "", fmt.Errorf("%q is not an address: use tcp://HOST:PORT", text)
	}
	if port == "" {
		port = DefaultPort
		if scheme == "https" {
			port = "443"
		}
	}
	port, err = parsePort(port)
	return scheme, host, port, err
}

func isPort(text string) bool {
	_, err := parsePort(text)
	return err == nil
}

// parsePort returns a port without leading zeros.
func parsePort(text string) (string, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", fmt.Errorf("%q is not a port: a port is a number up to 65535", text)
	}
	return strconv.FormatUint(n, 10), nil
}

// split takes apart host:port, a host alone, and IPv6 addresses with and without
// brackets.
func split(text string) (host, port string, ok bool) {
	bracketed := strings.HasPrefix(text, "[")
	switch _, err := netip.ParseAddr(text); {
	case err == nil:
		return text, "", true
	case bracketed && strings.HasSuffix(text, "]"):
		host = text[1 : len(text)-1]
	case !strings.Contains(text, ":"):
		host = text
	default:
		if host, port, err = net.SplitHostPort(text); err != nil {
			return "", "", false
		}
	}
	if bracketed {
		_, err := netip.ParseAddr(host)
		return host, port, err == nil
	}
	// A host that is all digits is a port whose host is missing.
	odd := strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`/\?#@[]`, r) })
	digits := host != "" && strings.Trim(host, "0123456789") == ""
	return host, port, !odd && !digits
}
