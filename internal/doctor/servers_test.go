package doctor

import (
	"errors"
	"strings"
	"testing"

	"sigalert/agent/config"
)

func TestSeveralServers(t *testing.T) {
	o := with(testOptions, func(o *Options) { o.Server = "" })
	f := file{servers: []config.Server{
		{Name: "router", Addresses: []string{"127.0.0.1:3000"}, Router: config.DefaultRouter()},
		{Name: "work", Addresses: []string{"a:3000", "b:3000", "c:3000"}},
	}}
	if got := o.servers(f); len(got) != 2 {
		t.Errorf("%v", got)
	}
	if got := testOptions.servers(f); len(got) != 1 || got[0].String() != "127.0.0.1:3000" {
		t.Errorf("with --server: %v", got)
	}
	a := running{Agent: Agent{Connected: true, Line: "Connected", Server: "router, work", Router: true}}
	all := []visited{{f.servers[0], []place{ours}}, {f.servers[1], []place{{err: errors.New("no such host")}, ours, closed}}}
	var got []string
	for _, v := range all {
		for _, r := range o.place(f, v, a) {
			got = append(got, r.Name+" "+string(r.Status)+" "+strings.Join(r.Details, "; "))
		}
	}
	want := "server router ok |router ok |http router ok |clock router note |" +
		"server work ok a:3000 does not answer: no such host; c:3000 does not answer: cannot reach it: connection refused|http work ok |clock work note "
	if text := strings.Join(got, "|"); text != want {
		t.Errorf("%s\nwant %s", text, want)
	}
	if r := o.at(all, a).agent(a); r.Status != OK {
		t.Errorf("%+v", r)
	}
	list := []visited{{config.Server{Addresses: []string{"a:3000", "b:3000"}}, []place{ours, ours}}}
	for at, status := range map[string]Status{"b:3000": OK, "a:3000 or b:3000": OK, "c:3000": Note} {
		a.Server = at
		if r := o.at(list, a).agent(a); r.Status != status {
			t.Errorf("at %s: %+v", at, r)
		}
	}
}
