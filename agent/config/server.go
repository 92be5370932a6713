package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"sigalert/internal/hostport"
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
	host, port, ok := hostport.Split(rest)
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
