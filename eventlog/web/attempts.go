package web

import (
	"maps"
	"net/http"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// attempts bounds how many wrong tokens and keys an address may try: a burst, and
// then one each second. Other addresses do not wait for that.
type attempts struct {
	mu sync.Mutex // guards the field below, and is held while a token is checked
	by map[netip.Prefix]*rate.Limiter
}

const (
	burst        = 10
	maxAddresses = 10_000 // that are told apart
)

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
		if a.by == nil {
			a.by = make(map[netip.Prefix]*rate.Limiter)
		}
		a.makeRoom()
		l = rate.NewLimiter(1, burst)
		a.by[from] = l
	}
	l.Allow()
	return wrong
}

// makeRoom forgets addresses if there are too many: those with the most attempts left,
// which have made none for the longest time or only a few. It requires the lock.
func (a *attempts) makeRoom() {
	for left := float64(burst); len(a.by) >= maxAddresses; left-- {
		maps.DeleteFunc(a.by, func(_ netip.Prefix, l *rate.Limiter) bool { return l.Tokens() >= left })
	}
}

// network is what an address belongs to: itself or, for IPv6, the network of 64 bits
// that one client may have to itself.
func network(address string) netip.Prefix {
	at, _ := netip.ParseAddrPort(address)
	addr := at.Addr().Unmap()
	prefix, _ := addr.Prefix(min(64, addr.BitLen()))
	return prefix
}
