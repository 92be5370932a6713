package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

const (
	defaultHost = "127.0.0.1"
	defaultPort = "3000"
)

// ParseServer reads a server's URL, such as tcp://host:3000, and returns its
// host:port. The scheme, the port (3000) and all of it (127.0.0.1) may be left
// out.
func ParseServer(text string) (addr string, err error) {
	rest := strings.TrimSpace(text)
	if scheme, after, ok := strings.Cut(rest, "://"); ok {
		if !strings.EqualFold(scheme, "tcp") {
			return "", fmt.Errorf("unknown scheme %q: want tcp://HOST:PORT", scheme)
		}
		rest = strings.TrimSuffix(after, "/")
	}
	if host, _, ok := strings.Cut(rest, "/"); ok && host != "" {
		return "", fmt.Errorf("%q has a path: want tcp://HOST:PORT", text)
	}
	host, port, ok := splitHostPort(rest)
	if !ok {
		return "", fmt.Errorf("%q is no address: want tcp://HOST:PORT", text)
	}
	if host == "" {
		host = defaultHost
	}
	if port == "" {
		port = defaultPort
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", fmt.Errorf("%q is no port: a port is a number up to 65535", port)
	}
	return net.JoinHostPort(host, strconv.FormatUint(n, 10)), nil
}

// splitHostPort takes apart host:port, host, and addresses of IPv6 with and
// without brackets.
func splitHostPort(text string) (host, port string, ok bool) {
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
	// A host of digits alone is a port whose host is missing.
	odd := strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`/\?#@[]`, r) })
	digits := host != "" && strings.Trim(host, "0123456789") == ""
	return host, port, !odd && !digits
}
