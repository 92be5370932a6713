package web

import (
	"net"
	"net/http"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// attempts bounds how many wrong tokens and keys an address may try: ten, and
// then one each second. Other addresses do not wait for that.
type attempts struct {
	mu sync.Mutex // guards the field below
	by map[netip.Prefix]*rate.Limiter
}

// maxAddresses is how many are told apart.
const maxAddresses = 10_000

// may reports whether the request's token may be checked.
func (a *attempts) may(r *http.Request) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.by[network(r)]
	return l == nil || l.Tokens() >= 1
}

// wrong notes that the token was wrong.
func (a *attempts) wrong(r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.by) >= maxAddresses || a.by == nil {
		a.by = make(map[netip.Prefix]*rate.Limiter)
	}
	from := network(r)
	if a.by[from] == nil {
		a.by[from] = rate.NewLimiter(1, 10)
	}
	a.by[from].Allow()
}

// network is where a request comes from: an address, or the network of 64 bits
// that one of IPv6 has to itself.
func network(r *http.Request) netip.Prefix {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	addr = addr.Unmap()
	bits := addr.BitLen()
	if addr.Is6() {
		bits = 64
	}
	prefix, err := addr.WithZone("").Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return prefix
}
