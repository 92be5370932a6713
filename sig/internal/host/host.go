// Package host says which clients count as one.
package host

import "net/netip"

// Of is the address of a peer without its port or, for IPv6, the network of 64 bits that
// one client may have to itself; what is not an address stays as it is.
func Of(peer string) string {
	at, err := netip.ParseAddrPort(peer)
	if err != nil {
		return peer
	}
	addr := at.Addr().Unmap()
	network, _ := addr.Prefix(min(64, addr.BitLen())) // which no address lacks
	return network.String()
}
