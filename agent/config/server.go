package config

import (
	"errors"
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
		if scheme != "tcp" {
			return "", fmt.Errorf("unknown scheme %q: want tcp://HOST:PORT", scheme)
		}
		rest = strings.TrimSuffix(after, "/")
	}
	if strings.ContainsAny(rest, "/?#@ \t") {
		return "", fmt.Errorf("%q is no address: want tcp://HOST:PORT", text)
	}
	host, port := rest, ""
	if _, err := netip.ParseAddr(rest); err != nil { // otherwise a bare address, IPv6 included
		if host, port, err = net.SplitHostPort(rest); err != nil {
			var ae *net.AddrError
			if !errors.As(err, &ae) || ae.Err != "missing port in address" {
				return "", fmt.Errorf("%q is no address: want tcp://HOST:PORT", text)
			}
			host, port = strings.Trim(rest, "[]"), ""
		}
	}
	if host == "" {
		host = defaultHost
	}
	if port == "" {
		port = defaultPort
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "", fmt.Errorf("%q is no port: a port is a number up to 65535", port)
	}
	return net.JoinHostPort(host, port), nil
}
