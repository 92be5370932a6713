package config_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/internal/reach"
)

func TestServers(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte(`
router:
servers:
  home: nas
  work: {url: ["tcp://a:3000", "b:4000"]}
subscriptions:
  - {sender: backup, server: home}
  - {sender: backup, server: "[rw]*"}
  - {sender: backup}
  - {sender: door, server: "*"}
`))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Place(), "router (127.0.0.1:3000), home (nas:3000), work (a:3000 or b:4000)"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var got []string
	ids := make(map[string]bool)
	for _, s := range c.Subscriptions {
		var names []string
		for _, server := range c.Servers {
			if s.IsFor(server.Name) {
				names = append(names, server.Name)
			}
		}
		got = append(got, strings.Join(names, " "))
		ids[s.ID()] = true
	}
	if diff := cmp.Diff([]string{"home", "router work", "router home work", "router home work"}, got); diff != "" {
		t.Error(diff)
	}
	if len(ids) != 4 || !ids["backup\x01\x01\x01"] {
		t.Errorf("identities: %v", ids)
	}
	for _, s := range c.Subscriptions {
		if !s.IsFor("") {
			t.Error("not for a server that is the only one")
		}
	}
}

func TestServerProblems(t *testing.T) {
	for in, want := range map[string]string{
		"servers: {home: a, work: b}\nsubscriptions: [{sender: a, server: hom}]": `2:37: subscriptions[0].server: no server is called "hom" (did you mean "home"?)`,
		"servers: {home: a}\nsubscriptions: [{sender: a, server: x*}]":           `2:37: subscriptions[0].server: no server has a name that matches "x*"`,
		"servers: {home: a}\nsubscriptions: [{sender: a, server: 'x[a'}]":        `2:39: subscriptions[0].server: "[" has no "]": write \[ for the character itself`,
		"servers: {home: a}\nsubscriptions: [{sender: a, server: [home]}]":       `2: subscriptions[0].server: must be a name, not a list`,
		"server: a\nsubscriptions: [{sender: a, server: home}]":                  `2:37: subscriptions[0].server: the file has no servers with names: "servers" gives each one`,
		"servers: {home: a}\ndefaults: {server: home}\n" + good:                  `2:12: defaults: unknown key "server"`,
		"servers: {home: a, router: b}\n" + good:                                 `1:20: servers.router: this is the name of the router that "router" has this program run: use another`,
		"servers: {my home: a}\n" + good:                                         `1:11: servers.my home: "my home" is not a name for a server: use at most 32 letters, digits, - and _`,
		"servers: {5: a}\n" + good:                                               `1:11: servers.5: the number 5 is not text: put the name in quotes`,
		"servers: {home: a, home: b}\n" + good:                                   `1:20: servers: the key "home" is already on line 1`,
		"servers: {home: }\n" + good:                                             `1: servers.home: must be text, not nothing`,
		"servers: {home: 3000}\n" + good:                                         `1: servers.home: must be text, not a number: use "127.0.0.1:3000"`,
		"servers: {home: {}}\n" + good:                                           `1: servers.home: there is no address: add one, such as url: "tcp://nas:3000"`,
		"servers: {home: {urll: a}}\n" + good:                                    `1:18: servers.home: unknown key "urll" (did you mean "url"?)`,
		"servers: {home: {address: a}}\n" + good:                                 `1:18: servers.home: unknown key "address" (did you mean "url"?)`,
		"servers: {home: []}\n" + good:                                           `1: servers.home: the list is empty: add an address, such as "tcp://nas:3000"`,
		"servers: {home: [a, http://b]}\n" + good:                                `1: servers.home[1]: unknown scheme "http": use tcp://HOST:PORT`,
		"servers: {home: a, work: 'a:3000'}\n" + good:                            `1: servers.work: a:3000 is on line 1, too, as servers.home: what came from there would come twice`,
		"servers: {home: '127.0.0.1'}\nrouter:\n" + good:                         `2: router: 127.0.0.1:3000 is on line 1, too, as servers.home: what came from there would come twice`,
		"server: [a, b, a]\n" + good:                                             `1: server[2]: a:3000 is on line 1, too, as server[0]: what came from there would come twice`,
		"server: a\nservers: {home: b}\n" + good:                                 `2: servers: the file has "server" on line 1, too: give all of them a name, under "servers"`,
		"servers: {home: b}\nserver: a\n" + good:                                 `2: server: the file has "servers" on line 1, too: give all of them a name, under "servers"`,
		"servers: [a]\n" + good:                                                  `1: servers: must be keys and values, not a list`,
		"servers:\n" + good:                                                      `1: servers: there are none: name each, such as {home: "tcp://nas:3000"}`,
		"servers: {h: a}\nsubscriptions: [{sender: a}, {sender: a, server: h}]":  `2: subscriptions[1]: never alerts: line 2 matches first`,
		"servers: {h: a, i: b}\nsubscriptions: [{sender: a, server: h}, {sender: a, server: i}, {sender: a}]": ``,
	} {
		_, err := config.Parse("c.yaml", []byte(in))
		got := ""
		if err != nil {
			got = strings.TrimPrefix(err.Error(), "c.yaml:")
		}
		if got != want {
			t.Errorf("%s\n got: %s\nwant: %s", in, got, want)
		}
	}
}

// What a server and its clients know each other by.
func TestProof(t *testing.T) {
	const sum = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef"
	parse := func(server string) ([]config.Server, error) {
		c, err := config.Parse("c.yaml", []byte("servers: {work: {"+server+"}}\nsubscriptions: [{sender: a}]\n"))
		if err != nil {
			return nil, err
		}
		return c.Servers, nil
	}
	for server, want := range map[string]reach.Proof{
		`url: "tls://h"`: {},
		`url: "tls://h", fingerprint: "sha256:` + sum + `", token: 0123456789abcdefg`: {Fingerprint: "sha256:" + strings.ToLower(sum), Token: "0123456789abcdefg"},
		`url: "tls://h", ca: /etc/ca.pem, token_file: /run/token`:                     {CA: "/etc/ca.pem", TokenFile: "/run/token"},
		`url: "tls://h", cert: /etc/me.pem`:                                           {Cert: "/etc/me.pem"},
		`url: "tls://h", ca: /a, cert: /c, key: /k`:                                   {CA: "/a", Cert: "/c", Key: "/k"},
	} {
		servers, err := parse(server)
		if err != nil || len(servers) != 1 || servers[0].Addresses[0] != "tls://h:3000" || servers[0].Proof != want {
			t.Errorf("%s: %+v, %v", server, servers, err)
		}
	}
	for server, want := range map[string]string{
		`url: "tcp://h", fingerprint: "` + sum + `"`:               `begin the url with tls://`,
		`url: "tls://h", fingerprint: "sha256:00"`:                 `is not a fingerprint`,
		`url: "tls://h", ca: ca.pem`:                               `is not a whole path`,
		`url: "tls://h", ca: /ca.pem, fingerprint: "` + sum + `"`:  `says that already`,
		`url: "tls://h", token: 0123456789abcdefg, token_file: /a`: `says that already`,
		`url: "tcp://h", cert: /me.pem`:                            `begin the url with tls://`,
		`url: "tls://h", key: /me.pem`:                             `a key without its certificate`,
		`url: "tls://h", cert: me.pem`:                             `is not a whole path`,
		`url: "tls://h", token: short`:                             `too short`,
		`url: "tls://h", tokn: 0123456789abcdefg`:                  `did you mean "token"`,
	} {
		if servers, err := parse(server); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %+v, %v, want %s", server, servers, err, want)
		}
	}
}
