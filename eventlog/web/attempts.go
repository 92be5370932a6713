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
	mu sync.Mutex // guards the field below, and is held while a token is checked
	by map[netip.Prefix]*rate.Limiter
}

// maxAddresses is how many are told apart.
const maxAddresses = 10_000

// verdict is what an attempt has come to.
type verdict int

const (
	wrong verdict = iota
	right
	unchecked // there were too many wrong ones before
)

// try calls check, which checks what a request has brought, unless its address has
// no attempt left. What is checked must have been read before: of requests that
// come at once, none may begin before the others are counted.
func (a *attempts) try(r *http.Request, check func() bool) verdict {
	from := network(r.RemoteAddr)
	a.mu.Lock()
	defer a.mu.Unlock()
	l := a.by[from]
	if l != nil && l.Tokens() < 1 {
		return unchecked
	}
	if check() {
		return right
	}
	if l == nil {
		if len(a.by) >= maxAddresses || a.by == nil {
			a.by = make(map[netip.Prefix]*rate.Limiter)
		}
		l = rate.NewLimiter(1, 10)
		a.by[from] = l
	}
	l.Allow()
	return wrong
}

// network is what an address belongs to: itself, or the network of 64 bits that
// one of IPv6 has to itself.
func network(address string) netip.Prefix {
	host, _, _ := net.SplitHostPort(address)
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
