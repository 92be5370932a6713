// Package webaccess reads the settings that say who reaches a page of ours, by
// which names, and with which token.
package webaccess

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"sigalert/internal/hostport"
)

// ParseListen reads an address for a page, and returns its host:port. The host
// is never left out: to some that is this machine alone, and to others all that
// reach it.
func ParseListen(text string) (addr string, err error) {
	const want = "want HOST:PORT, such as 127.0.0.1:8080"
	host, port, ok := hostport.Split(text)
	number, err := strconv.ParseUint(port, 10, 16)
	switch {
	case !ok || host == "" && port == "":
		return "", fmt.Errorf("%q is no address: %s", text, want)
	case port == "":
		return "", fmt.Errorf("%q has no port: %s", text, want)
	case err != nil:
		return "", fmt.Errorf("%q is no port: a port is a number up to 65535", port)
	case host == "":
		return "", fmt.Errorf("%q has no host: want 127.0.0.1:%[2]d for this machine alone, or 0.0.0.0:%[2]d for all that reach it", text, number)
	}
	return net.JoinHostPort(host, strconv.FormatUint(number, 10)), nil
}

// IsLoopback reports whether only this machine reaches the address. A name may
// lead anywhere, but for localhost.
func IsLoopback(addr string) bool {
	host, _, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

// CheckHost refuses a name that no browser asks for.
func CheckHost(name string) error {
	if _, err := netip.ParseAddr(name); err == nil {
		return nil // needless, as addresses are known
	}
	odd := strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
	})
	if odd || strings.Trim(name, ".") == "" {
		return fmt.Errorf("%q is no host name: want a name such as log.example, of letters and digits of ASCII, dots and hyphens", name)
	}
	return nil
}

// CheckToken refuses a token that no header can carry.
func CheckToken(token string) error {
	if strings.TrimSpace(token) == "" {
		return errors.New("the token is empty")
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("a token is made of letters, digits and signs of ASCII, without blanks")
	}
	return nil
}
