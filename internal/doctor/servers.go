package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"sigalert/agent/config"
)

// visited is what was found of one server.
type visited struct {
	config.Server
	places []place // at its addresses
}

// best is the address that answers first in the order of the file; if none does, the
// first.
func (v visited) best() int {
	return max(0, slices.IndexFunc(v.places, func(p place) bool { return p.err == nil }))
}

// servers are those that are to be examined.
func (o Options) servers(f file) []config.Server {
	if o.Server == "" && len(f.servers) > 0 {
		return f.servers
	}
	return []config.Server{{Addresses: []string{cmp.Or(o.Server, o.Local)}, Proof: o.Proof}}
}

// visitAll begins to visit all addresses, and returns what waits for it.
func (o Options) visitAll(ctx context.Context, servers []config.Server) func() []visited {
	var asked [][]func() place
	for _, s := range servers {
		var each []func() place
		proof := s.Proof.Locally(o.Folder, s.Addresses, s.Router != nil)
		for _, addr := range s.Addresses {
			each = append(each, start(ctx, lookTime, func(ctx context.Context) place { return visit(ctx, addr, proof) }, place{err: errHangs}))
		}
		asked = append(asked, each)
	}
	return func() (all []visited) {
		for i, s := range servers {
			v := visited{Server: s}
			for _, ask := range asked[i] {
				v.places = append(v.places, ask())
			}
			all = append(all, v)
		}
		return all
	}
}

// place judges one server. Where servers have names, the results have, too.
func (o Options) place(f file, v visited, a running) []Result {
	best := v.best()
	o.Server, f.runsRouter = v.Addresses[best], v.Router != nil
	if v.Name != "" {
		a.Server = o.Server // it is one of the agent's
	}
	p := v.places[best]
	server := o.server(f, p, a)
	for i, other := range v.places {
		if i != best && other.err != nil {
			server.Details = append(server.Details, fmt.Sprintf("%s does not answer: %v", v.Addresses[i], other.err))
		}
	}
	results := []Result{server, http(p), clock(p)}
	for i := range results {
		results[i].Name = strings.TrimSpace(results[i].Name + " " + v.Name)
	}
	if f.runsRouter {
		results = slices.Insert(results, 1, o.router(p, a))
	}
	return results
}

// at has the server that the agent says it is at, if that is what was examined.
func (o Options) at(all []visited, a running) Options {
	var names []string
	for _, v := range all {
		name := cmp.Or(v.Name, v.Addresses[0])
		if v.Name == "" && (slices.Contains(v.Addresses, a.Server) || v.String() == a.Server) {
			name = a.Server
		}
		names = append(names, name)
	}
	o.Server = strings.Join(names, ", ")
	return o
}
