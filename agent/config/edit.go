package config

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"sigalert/internal/address"
)

// ErrByHand: a file is written such that a program cannot add to its servers.
var ErrByHand = errors.New("the file's servers are written in a way that only you can change")

// WithServer returns a file's text with a server that is reached with TLS, and the
// server's name. If the file has a server at this address, that gets the proof; else the
// server comes after the others, and one that had no name gets one. The rest of the text
// stays as it is. s has one address and, in its proof, a fingerprint and a token; if its
// name is empty, it is named after the address.
//
// The error is Problems, ErrByHand, or that the name is another server's.
func WithServer(path string, text []byte, s Server) (with []byte, name string, err error) {
	before, err := serversOf(path, text)
	if err != nil {
		return nil, "", err
	}
	at := slices.IndexFunc(before, func(o Server) bool { return o.Router == nil && o.At(s.Addresses[0]) != "" })
	taken := func(name string) bool {
		return name == routerName || slices.ContainsFunc(before, func(o Server) bool { return o.Name == name })
	}
	switch {
	case at >= 0 && before[at].Name != "":
		s.Name = before[at].Name
	case s.Name == "":
		s.Name = nameOf(s.Addresses[0], taken)
	case taken(s.Name):
		return nil, "", fmt.Errorf("another server has the name %s: use another one", s.Name)
	}
	bom := len(text) - len(bytes.TrimPrefix(text, []byte("\ufeff")))
	e := newEdit(text[bom:])
	after := slices.Clone(before)
	if at >= 0 {
		after[at] = before[at].with(s)
	} else {
		if len(before) == 0 && e.root != nil { // as it is without any
			local, _ := address.ParseServer("")
			after = []Server{{Name: "local", Addresses: []string{local}}}
		}
		after = append(after, s)
	}
	for i, o := range after {
		if o.Name == "" && o.Router == nil {
			after[i].Name = nameOf(o.Addresses[0], func(name string) bool { return taken(name) || name == s.Name })
		}
	}
	e.use(after, s, at >= 0)
	with = slices.Concat(text[:bom], e.apply())
	if e.failed || !isAsMeant(path, text, with, after) {
		s.Proof.Token = "TOKEN" // which is not for the screen
		return nil, "", fmt.Errorf("%w: add this to them, with the token\n%s: %s", ErrByHand, scalar(s.Name), flow(s))
	}
	return with, s.Name, nil
}

// with is the server with the name, the address and the proof of a new one at its
// address.
func (s Server) with(n Server) Server {
	s.Name, s.Proof, s.Addresses = n.Name, n.Proof, slices.Clone(s.Addresses)
	for i, a := range s.Addresses {
		if address.HostPort(a) == address.HostPort(n.Addresses[0]) {
			s.Addresses[i] = n.Addresses[0]
		}
	}
	return s
}

var notInNames = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// nameOf is a name for a server at an address that is not taken.
func nameOf(addr string, taken func(string) bool) string {
	host, _, _ := net.SplitHostPort(address.HostPort(addr))
	label, _, _ := strings.Cut(host, ".")
	if _, err := netip.ParseAddr(host); err == nil {
		label = host
	}
	for _, name := range []string{label, host} {
		name = strings.Trim(notInNames.ReplaceAllString(name, "-"), "-_")
		if name = name[:min(len(name), 32)]; serverName.MatchString(name) && !taken(name) {
			return name
		}
	}
	for n := 1; ; n++ {
		if name := fmt.Sprintf("server-%d", n); !taken(name) {
			return name
		}
	}
}

// isAsMeant reports whether a text has these servers, and everything else as another has
// it.
func isAsMeant(path string, old, with []byte, servers []Server) bool {
	got, err := serversOf(path, with)
	if err != nil || len(got) != len(servers) {
		return false
	}
	for i, s := range servers {
		if got[i].Router == nil && got[i].Name != s.Name || (got[i].Router == nil) != (s.Router == nil) || got[i].Proof != s.Proof || !slices.Equal(got[i].Addresses, s.Addresses) {
			return false
		}
	}
	_, before, _ := Check(path, old)
	_, after, _ := Check(path, with)
	return len(after) == len(before) && slices.EqualFunc(others(old), others(with), equalNodes)
}

// others are what a file has besides servers elsewhere.
func others(text []byte) (all []*yaml.Node) {
	root := tree(bytes.TrimPrefix(text, []byte("\ufeff")))
	for i := 0; root != nil && i+1 < len(root.Content); i += 2 {
		if key := root.Content[i].Value; key != "server" && key != "servers" {
			all = append(all, root.Content[i], root.Content[i+1])
		}
	}
	return all
}

func equalNodes(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Value == b.Value && a.Tag == b.Tag && a.Anchor == b.Anchor && slices.EqualFunc(a.Content, b.Content, equalNodes)
}

// tree is the root of a text without a byte order mark, with lines and columns as YAML
// counts them; nil: there is nothing.
func tree(text []byte) *yaml.Node {
	var doc yaml.Node
	if yaml.Unmarshal(directive.ReplaceAll(text, []byte("$1#YAML 1.")), &doc) != nil || len(doc.Content) == 0 || isNull(doc.Content[0]) {
		return nil
	}
	return doc.Content[0]
}
