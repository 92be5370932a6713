package config

import (
	"fmt"
	"net"
	"net/netip"

	"gopkg.in/yaml.v3"

	"sigalert/internal/address"
)

// placeKeys are the keys that say where the router is: somewhere else, or here.
func (p *parser) placeKeys() map[string]setter {
	first, line := "", 0 // the one that came first
	only := func(set setter) setter {
		return func(n *yaml.Node, where string) {
			if first != "" && first != where {
				p.problem(n.Line, where, fmt.Sprintf(`the file has %q on line %d, too: keep "router" to run a router in this program, or "server" to connect to one that runs elsewhere`, first, line))
				return
			}
			first, line = where, n.Line
			set(n, where)
		}
	}
	return map[string]setter{"server": only(p.server), "router": only(p.router)}
}

func (p *parser) server(n *yaml.Node, where string) {
	if p.portAlone(n, where) {
		return
	}
	addr, ok := parsed(p, n, where, address.ParseServer)
	if !ok {
		return
	}
	if _, port, _ := net.SplitHostPort(addr); port == "0" {
		p.problem(n.Line, where, "a server cannot be at port 0: use a number from 1 to 65535")
	}
	p.config.Server = addr
}

func (p *parser) router(n *yaml.Node, where string) {
	listen, _ := address.ParseListen("")
	switch v := resolve(n); {
	case v.Kind == yaml.MappingNode:
		p.mapping(n, where, p.routerKeys(&listen))
	case !isNull(v): // nothing is what a comment leaves of it
		p.problem(n.Line, where, fmt.Sprintf("must be keys and values, not %s: write {listen: %q}", kind(v), listen))
	}
	p.config.Router, p.config.Server = listen, reaching(listen)
}

func (p *parser) routerKeys(listen *string) map[string]setter {
	return map[string]setter{"listen": func(n *yaml.Node, where string) { *listen = p.listen(n, where) }}
}

func (p *parser) listen(n *yaml.Node, where string) string {
	if p.portAlone(n, where) {
		return ""
	}
	addr, ok := parsed(p, n, where, address.ParseListen)
	if !ok {
		return ""
	}
	switch _, port, _ := net.SplitHostPort(addr); {
	case port == "0":
		p.problem(n.Line, where, "nobody could find a router at port 0: use a number from 1 to 65535")
	case !address.IsLoopback(addr):
		p.warn(n.Line, where, fmt.Sprintf("anyone who can reach %s may listen and send: there is no password", addr))
	}
	return addr
}

// reaching is the address at which this machine reaches what listens on addr.
func reaching(addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "", err == nil && ip == netip.IPv4Unspecified():
		host = address.Loopback
	case err == nil && ip == netip.IPv6Unspecified():
		host = netip.IPv6Loopback().String()
	}
	return net.JoinHostPort(host, port)
}
