// Package origin tells requests that are meant for this machine from those that a
// browser makes for another site's page.
package origin

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
)

// Hosts are the names that a request's Host may be.
type Hosts map[string]bool

// NewHosts returns localhost, this machine's own name, and more.
func NewHosts(more ...string) Hosts {
	hosts := Hosts{"localhost": true}
	if name, err := os.Hostname(); err == nil {
		hosts[plainHost(name)] = true
		hosts[plainHost(name+".local")] = true
	}
	for _, name := range more {
		hosts[plainHost(name)] = true
	}
	return hosts
}

func plainHost(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// Know reports whether a request's Host is ours. An address is: DNS rebinding
// needs a name. The port is not looked at, as it may be a tunnel's.
func (h Hosts) Know(host string) bool {
	name := withoutPort(host)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return h[plainHost(name)]
}

func withoutPort(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.Trim(host, "[]")
}

// Loopback reports whether browsers take a request's Host for this machine,
// whatever the network says, and trust it like an encrypted one.
func Loopback(host string) bool {
	name := withoutPort(host)
	addr, err := netip.ParseAddr(name)
	return strings.EqualFold(name, "localhost") || err == nil && addr.IsLoopback() && !addr.Is4In6()
}

// CrossSite reports whether another site's page made this request. Browsers
// say so; what is not a browser says nothing, and may do what its user may. Unlike
// [http.CrossOriginProtection] it checks GET too.
func CrossSite(r *http.Request) bool {
	unsafe := *r
	unsafe.Method = http.MethodPost
	if sameOrigin.Check(&unsafe) != nil {
		return true
	}
	// A page of another port or subdomain is "same-site".
	site := r.Header.Get("Sec-Fetch-Site")
	return site != "" && site != "same-origin" && site != "none"
}

var sameOrigin = http.NewCrossOriginProtection()
