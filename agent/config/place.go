package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"sigalert/internal/address"
	"sigalert/internal/reach"
	"sigalert/internal/topic"
	"sigalert/internal/words"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

const (
	maxServers   = 16
	maxAddresses = 8 // of one server
	routerName   = "router"
)

// Server is a server of the file, or a router that is to run here.
type Server struct {
	Name      string      // "": the file has this one alone, without a name
	Addresses []string    // host:port, after tls:// for TLS; the first that answers counts
	Proof     reach.Proof // what the server and we know each other by
	Router    *Router     // that is to run here, at the address; nil: it runs elsewhere
}

// String is the server for people: "nas:3000", or "work (a:3000 or b:3000)".
func (s Server) String() string {
	text := strings.Join(s.Addresses, " or ")
	if s.Name != "" {
		text = s.Name + " (" + text + ")"
	}
	return text
}

// At is the server's own address that is the same as another, with or without TLS; "" if
// it has none.
func (s Server) At(addr string) string {
	for _, a := range s.Addresses {
		if address.HostPort(a) == address.HostPort(addr) {
			return a
		}
	}
	return ""
}

// Place is where the servers are, for people.
func (c *Config) Place() string {
	all := make([]string, len(c.Servers))
	for i, s := range c.Servers {
		all[i] = s.String()
	}
	return strings.Join(all, ", ")
}

// OnServer is the name of the server that the subscription is for, or the glob; "": all.
func (s *Subscription) OnServer() string {
	return cmp.Or(s.ServerGlob.String(), s.Server.String())
}

// IsFor reports whether the subscription is for a server. One without a name is the
// only one, and every subscription is for it.
func (s *Subscription) IsFor(server string) bool {
	name := sig.Name(server)
	return server == "" || (s.Server.IsEvery() || s.Server.Equal(name)) && s.ServerGlob.Matches(name)
}

// placeKeys are the keys that say where the servers are: somewhere else, or here.
func (p *parser) placeKeys() map[string]setter {
	lines := make(map[string]int)
	apart := func(set setter, others ...string) setter {
		return func(n *yaml.Node, where string) {
			for _, other := range others {
				if lines[other] > 0 {
					p.problem(n.Line, where, tooMany(where, other, lines[other]))
					return
				}
			}
			lines[where] = n.Line
			set(n, where)
		}
	}
	return map[string]setter{
		"server":  apart(p.server, "router", "servers"),
		"router":  apart(p.router, "server"),
		"servers": apart(p.servers, "server"),
	}
}

// tooMany says what to do about two keys of which the file may have one.
func tooMany(key, other string, line int) string {
	what := fmt.Sprintf("the file has %q on line %d, too: ", other, line)
	if key == "servers" || other == "servers" {
		return what + `give all of them a name, under "servers"`
	}
	return what + `keep "router" to run a router in this program, or "server" to connect to one that runs elsewhere`
}

func (p *parser) server(n *yaml.Node, where string) {
	if all := p.addresses(n, where); len(all) > 0 {
		p.config.Servers = []Server{{Addresses: all}}
	}
}

// servers are those with a name.
func (p *parser) servers(n *yaml.Node, where string) {
	v := resolve(n)
	p.named = true
	switch {
	case isNull(v), v.Kind == yaml.MappingNode && len(v.Content) == 0:
		p.problem(n.Line, where, `there are none: name each, such as {home: "tcp://nas:3000"}`)
		return
	case v.Kind == yaml.MappingNode && len(v.Content) > 2*maxServers:
		p.problem(n.Line, where, fmt.Sprintf("there are more than %d", maxServers))
		return
	}
	names := make(map[string]setter)
	for i := 0; v.Kind == yaml.MappingNode && i+1 < len(v.Content); i += 2 {
		key := resolve(v.Content[i])
		p.names = append(p.names, key.Value)
		names[key.Value] = func(n *yaml.Node, where string) {
			if what := badName(key); what != "" {
				p.problemAt(v.Content[i].Line, v.Content[i].Column, where, what)
				return
			}
			p.namedServer(key.Value, n, where)
		}
	}
	p.mapping(n, where, names)
}

var serverName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$`)

// CheckServerName refuses what cannot be a server's name.
func CheckServerName(name string) error {
	if what := badName(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}); what != "" {
		return errors.New(what)
	}
	return nil
}

// badName says what is wrong with a server's name; "": nothing.
func badName(n *yaml.Node) string {
	switch {
	case !isText(n):
		return fmt.Sprintf("%s is not text: put the name in quotes", value(n))
	case n.Value == routerName:
		return `this is the name of the router that "router" has this program run: use another`
	case !serverName.MatchString(n.Value):
		return fmt.Sprintf("%q is not a name for a server: use at most 32 letters, digits, - and _", n.Value)
	}
	return ""
}

// namedServer is where a server is, or that among other keys.
func (p *parser) namedServer(name string, n *yaml.Node, where string) {
	s := Server{Name: name}
	before := len(p.problems)
	if resolve(n).Kind == yaml.MappingNode {
		p.mapping(n, where, p.serverKeys(&s))
		if len(p.problems) == before && len(s.Addresses) == 0 {
			p.problem(n.Line, where, `there is no address: add one, such as url: "tcp://nas:3000"`)
		}
	} else {
		s.Addresses = p.addresses(n, where)
	}
	if s.Proof.Key != "" && s.Proof.Cert == "" && len(p.problems) == before {
		p.problem(n.Line, where, `there is a key without its certificate: add cert`)
	}
	if s.Proof.CA+s.Proof.Fingerprint+s.Proof.Cert != "" && !slices.ContainsFunc(s.Addresses, address.IsSecure) && len(s.Addresses) > 0 {
		p.problem(n.Line, where, "ca, fingerprint, cert and key are for TLS: begin the url with tls://")
	}
	if len(s.Addresses) > 0 {
		p.config.Servers = append(p.config.Servers, s)
	}
}

// serverKeys are those of one server.
func (p *parser) serverKeys(s *Server) map[string]setter {
	first := make(map[string]string) // of two keys that say the same
	once := func(what string, set setter) setter {
		return func(n *yaml.Node, where string) {
			if other := first[what]; other != "" {
				p.problem(n.Line, where, fmt.Sprintf("%s says that already: leave one out", other))
				return
			}
			first[what] = where
			set(n, where)
		}
	}
	file := func(into *string) setter {
		return func(n *yaml.Node, where string) {
			*into, _ = parsed(p, n, where, func(text string) (string, error) {
				if !filepath.IsAbs(text) {
					return "", fmt.Errorf("%q is not a whole path", text)
				}
				return text, nil
			})
		}
	}
	const authority, token = "authority", "token"
	return map[string]setter{
		"url": func(n *yaml.Node, where string) { s.Addresses = p.addresses(n, where) },
		"ca":  once(authority, file(&s.Proof.CA)),
		"fingerprint": once(authority, func(n *yaml.Node, where string) {
			s.Proof.Fingerprint, _ = parsed(p, n, where, tcp.ParseFingerprint)
		}),
		"cert":       file(&s.Proof.Cert),
		"key":        file(&s.Proof.Key),
		"token":      once(token, func(n *yaml.Node, where string) { s.Proof.Token = p.token(n, where) }),
		"token_file": once(token, file(&s.Proof.TokenFile)),
	}
}

// addresses are a server's, of which there may be a list.
func (p *parser) addresses(n *yaml.Node, where string) (all []string) {
	v := resolve(n)
	if v.Kind != yaml.SequenceNode {
		return p.serverAddress(n, where, nil)
	}
	switch {
	case len(v.Content) == 0:
		p.problem(n.Line, where, `the list is empty: add an address, such as "tcp://nas:3000"`)
	case len(v.Content) > maxAddresses:
		p.problem(n.Line, where, fmt.Sprintf("the list has more than %d addresses", maxAddresses))
		return nil
	}
	for i, n := range v.Content {
		all = p.serverAddress(n, fmt.Sprintf("%s[%d]", where, i), all)
	}
	return all
}

// serverAddress adds an address to those before it.
func (p *parser) serverAddress(n *yaml.Node, where string, all []string) []string {
	if p.portAlone(n, where) {
		return all
	}
	addr, ok := parsed(p, n, where, address.ParseServer)
	if !ok {
		return all
	}
	if _, port, _ := net.SplitHostPort(address.HostPort(addr)); port == "0" {
		p.problem(n.Line, where, "a server cannot be at port 0: use a number from 1 to 65535")
	}
	if !p.isFirst(addr, n.Line, where) {
		return all
	}
	return append(all, addr)
}

// isFirst reports whether an address comes for the first time.
func (p *parser) isFirst(addr string, line int, where string) bool {
	if first, ok := p.taken[addr]; ok {
		p.problem(line, where, fmt.Sprintf("%s is on line %d, too, as %s: what came from there would come twice", addr, first.line, first.where))
		return false
	}
	p.taken[addr] = place{line, where}
	return true
}

// placed ends what placeKeys has begun: the router beside others has a name, too.
func (p *parser) placed() {
	for i := range p.config.Servers {
		if s := &p.config.Servers[i]; p.named && s.Name == "" {
			s.Name = routerName
			p.names = append(p.names, routerName)
		}
	}
	if len(p.config.Servers) == 0 {
		addr, _ := address.ParseServer("")
		p.config.Servers = []Server{{Addresses: []string{addr}}}
	}
}

// onServer is for which servers a subscription is.
func (p *parser) onServer(n *yaml.Node, where string) (sig.Name, topic.Glob) {
	before := len(p.problems)
	name, glob := p.pattern(n, where)
	s := Subscription{Server: name, ServerGlob: glob}
	if len(p.problems) > before || slices.ContainsFunc(p.names, s.IsFor) {
		return name, glob
	}
	text := resolve(n).Value
	what := fmt.Sprintf("no server is called %q", text)
	switch near := words.Nearest(text, p.names); {
	case !p.named:
		what = `the file has no servers with names: "servers" gives each one`
	case !glob.IsZero():
		what = fmt.Sprintf("no server has a name that matches %q", text)
	case near != "":
		what += fmt.Sprintf(" (did you mean %q?)", near)
	}
	p.problemIn(resolve(n), 0, where, what)
	return name, glob
}
