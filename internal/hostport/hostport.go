// Package hostport takes apart the addresses that people write.
package hostport

import (
	"net"
	"net/netip"
	"strings"
)

// Split takes apart host:port, host, and addresses of IPv6 with and
// without brackets.
func Split(text string) (host, port string, ok bool) {
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
