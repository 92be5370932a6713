package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/sig"
)

// loadRouter is the router in a file that has this text.
func loadRouter(t *testing.T, text string) (*config.Router, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "r.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r, _, err := config.LoadRouter(path)
	if err == nil {
		err = r.Check()
	}
	return r, path, err
}

func setting(t *testing.T, flag string) config.Setting {
	t.Helper()
	i := slices.IndexFunc(config.RouterSettings, func(s config.Setting) bool { return s.Flag == flag })
	if i < 0 {
		t.Fatal("there is no flag --" + flag)
	}
	return config.RouterSettings[i]
}

// What a file says of a router, flags can say, too.
func TestRouterInFileAndFlags(t *testing.T) {
	for in, flags := range map[string][]string{
		"{}":                        nil,
		"":                          nil,
		"{listen: ':4000'}":         {"listen=:4000"},
		"{hosts: [a.example, b]}":   {"host=a.example", "host=b"},
		"{hosts: []}":               nil,
		"{tls: auto}":               {"tls=auto"},
		"{tls: none, tokens: none}": {"tls=none", "tokens=none"},
		"{tls: {cert: /c, key: /k, client_ca: /a}, tokens: auto}": {"tls-cert=/c", "tls-key=/k", "client-ca=/a", "tokens=auto"},
		"{tls: {client_ca: /a}, tokens: auto}":                    {"client-ca=/a", "tokens=auto"},
		"{tokens: auto, insecure: true}":                          {"tokens=auto", "insecure=true"},
		"{tokens: /t, insecure: false}":                           {"tokens=/t"},
		"{allow_legacy: [10.0.0.0/8, 'fd00::/8']}":                {"allow-legacy=10.0.0.0/8", "allow-legacy=fd00::/8"},
		"{store: none}": {"store=none"},
		"{store: {dir: /s, sync: each, limit: 5, age: 1d12h, size: 7}}":          {"store=/s", "sync=each", "limit=5", "age=36h", "size=7"},
		"{limits: {events: 5, unread: 2, failed_logins: 0, token_listeners: 7}}": {"max-events=5", "max-unread=2", "max-failed-logins=0", "max-token-listeners=7"},
		"{store: {age: 0}}": {"age=0"},
		"{store: {sync: group, limit: 10000, age: 24h, size: 64}, store2: none}": {"error"},
	} {
		file, _, err := loadRouter(t, "router: "+in+"\n")
		if err != nil {
			if !slices.Equal(flags, []string{"error"}) {
				t.Errorf("%s: %v", in, err)
			}
			continue
		}
		r := config.DefaultRouter()
		texts := make(map[string][]string)
		for _, flag := range flags {
			name, text, _ := strings.Cut(flag, "=")
			texts[name] = append(texts[name], text)
		}
		for name, texts := range texts {
			if err := r.Override(setting(t, name), texts...); err != nil {
				t.Error(err)
			}
		}
		if err := r.Check(); err != nil || !r.Equal(file) || !file.Equal(r) {
			t.Errorf("%s: %+v, by flags %+v (%v)", in, file, r, err)
		}
	}
}

// A flag counts more than the file, and an error names whichever it is about.
func TestRouterOverridden(t *testing.T) {
	const text = "subscriptions: []\nrouter:\n  listen: 127.0.0.1:4000\n  hosts: [a, b]\n  tls:\n    cert: /c\n    key: /k\n  store: none\n  tokens: auto\n"
	for _, tc := range []struct{ flag, text, want string }{
		{"", "", "127.0.0.1:4000 [a b] {Mode: Cert:/c Key:/k ClientCA:} none"},
		{"listen", "[::1]:5", "[::1]:5 [a b] {Mode: Cert:/c Key:/k ClientCA:} none"},
		{"host", "c", "127.0.0.1:4000 [c] {Mode: Cert:/c Key:/k ClientCA:} none"},
		{"tls", "auto", "127.0.0.1:4000 [a b] {Mode:auto Cert: Key: ClientCA:} none"},
		{"tls-cert", "d", "127.0.0.1:4000 [a b] {Mode: Cert:d Key: ClientCA:} none"},
		{"tls-key", "d", "--tls-key: a key is for a certificate: name it with --tls-cert"},
		{"client-ca", "d", "127.0.0.1:4000 [a b] {Mode: Cert:/c Key:/k ClientCA:d} none"},
		{"store", "s", "127.0.0.1:4000 [a b] {Mode: Cert:/c Key:/k ClientCA:} s"},
	} {
		r, path, err := loadRouter(t, text)
		if err != nil {
			t.Fatal(err)
		}
		for key, line := range map[string]int{"listen": 3, "tls.cert": 6, "store": 8} {
			if got, want := r.Place(key), fmt.Sprintf("%s:%d: router.%s", path, line, key); got != want {
				t.Errorf("%s is at %q, want %q", key, got, want)
			}
		}
		if tc.flag != "" {
			if err = r.Override(setting(t, tc.flag), tc.text); err != nil {
				t.Error(err)
			}
			if got, want := r.Place(setting(t, tc.flag).Key), "--"+tc.flag; got != want {
				t.Errorf("it is at %q, want %q", got, want)
			}
			err = r.Check()
		}
		got := fmt.Sprintf("%s %s %+v %s", r.Listen, r.Hosts, r.TLS, r.Store.Dir)
		if err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("with --%s:\n%s, want\n%s", tc.flag, got, tc.want)
		}
	}
}

func TestRouterProblems(t *testing.T) {
	for in, want := range map[string]string{
		"hosts: a":                          `1: router.hosts: must be a list, not the text "a"`,
		"hosts: [a, 'b c', 5, [d]]":         `1: router.hosts[1]: "b c" is not a host name: use a name such as log.example, of ASCII letters and digits, dots and hyphens` + "\n1: router.hosts[2]: must be text, not a number: put it in quotes\n1: router.hosts[3]: must be text, not a list",
		"hosts: [a\u00a0b]":                 `1: router.hosts[0]: `,
		"tls: sometimes":                    `1: router.tls: must be auto or none, not "sometimes"`,
		"tls: true":                         "1: router.tls: must be text, not true or false",
		"tls: [auto]":                       "1: router.tls: must be text, not a list",
		"tls: ":                             "1: router.tls: must be text, not nothing",
		"tls: {crt: /c}":                    `1:16: router.tls: unknown key "crt" (did you mean "cert"?)`,
		"tls: {cert: c}":                    `1: router.tls.cert: "c" is not a whole path`,
		"tls: {cert: ''}":                   "1: router.tls.cert: must not be empty",
		"tls: {cert: 5}":                    "1: router.tls.cert: must be text, not a number: put it in quotes",
		"tls: {key: /k}":                    "1: router.tls.key: a key is for a certificate: name it with cert",
		"tls: {cert: /c, client_ca: a}":     `1: router.tls.client_ca: "a" is not a whole path`,
		"tokens: t.json":                    `1: router.tokens: "t.json" is not a whole path`,
		"tokens: true":                      "1: router.tokens: must be text, not true or false",
		"tokens: {file: /t}":                `1: router.tokens: must be text, not keys and values: text that begins with "{" needs quotes`,
		"insecure: yes":                     `1: router.insecure: must be true or false, not the text "yes"`,
		"allow_legacy: 10.0.0.0/8":          `1: router.allow_legacy: must be a list, not the text "10.0.0.0/8"`,
		"allow_legacy: [10.0.0.1]":          `1: router.allow_legacy[0]: "10.0.0.1" is an address, not a network: write 10.0.0.1/32 for this one alone`,
		"allow_legacy: [10.0.0.1/8, home]":  `1: router.allow_legacy[0]: "10.0.0.1/8" is an address in a network: write 10.0.0.0/8` + "\n" + `1: router.allow_legacy[1]: "home" is not a network: use one such as 192.168.1.0/24`,
		"store: /var/lib/x":                 `1: router.store: must be none, not "/var/lib/x"`,
		"store: {dir: none}":                `1: router.store.dir: "none" is not a whole path`,
		"store: {sync: often}":              `1: router.store.sync: unknown mode "often": must be group, each or none`,
		"store: {limit: 0}":                 "1: router.store.limit: must be a whole number from 1 to 100,000,000, not 0",
		"store: {limit: 0x10, size: 1_000}": "1: router.store.limit: must be a whole number from 1 to 100,000,000, not 0x10\n1: router.store.size: must be a whole number from 1 to 1,000,000, not 1_000",
		"store: {limit: '5', size: 1.5}":    `1: router.store.limit: must be a whole number, not the text "5"` + "\n1: router.store.size: must be a whole number from 1 to 1,000,000, not 1.5",
		"store: {age: 5s}":                  `1: router.store.age: "5s" is too short an age: use at least 1m, or 0 for no limit`,
		"store: {age: [1d]}":                "1: router.store.age: must be text, not a list",
		"store: {max: 5}":                   `1:18: router.store: unknown key "max" (did you mean "limit"?)`,
		"store: none, store: {limit: 5}":    `1:23: router: the key "store" is already on line 1`,
		"listen: 127.0.0.1:3000, lsten: x":  `1:34: router: unknown key "lsten" (did you mean "listen"?)`,
	} {
		_, path, err := loadRouter(t, "router: {"+in+"}\n")
		got := ""
		if err != nil {
			got = strings.ReplaceAll(err.Error(), path+":", "")
		}
		if !strings.Contains(want, "\n") && strings.HasSuffix(want, ": ") && strings.HasPrefix(got, want) {
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

// Of a file that is for serve alone only the router counts, but a slip in it does not
// pass.
func TestLoadRouter(t *testing.T) {
	for in, want := range map[string]string{
		"router:\n": "127.0.0.1:3000",
		"router: {}\nservers: {a: b}\nsubscriptions: nonsense\nhistory: 5\n": "127.0.0.1:3000",
		"":                              `1: there is no router in this file: add one, such as "router: {listen: 127.0.0.1:3000}"`,
		"# router: {}\nserver: a\n":     `1: there is no router in this file: add one, such as "router: {listen: 127.0.0.1:3000}"`,
		"router: {}\nserver: a\n":       "127.0.0.1:3000",
		"router: {}\nsubscription:\n":   `2:1: unknown key "subscription" (did you mean "subscriptions"?)`,
		"ruoter: {listen: ':1'}\n":      `1:1: unknown key "ruoter" (did you mean "router"?)`,
		"router: {listen: ':1'\n":       "1: this is not YAML: did not find expected ',' or '}'",
		"listen: 127.0.0.1:3000\n":      `1:1: unknown key "listen"`,
		"router: {}\nrouter: {}\n":      `2:1: the key "router" is already on line 1`,
		"router: {limit: 5, bind: x}\n": "1:10: router: unknown key \"limit\" (did you mean \"limits\"?)\n1:20: router: unknown key \"bind\" (did you mean \"listen\"?)",
	} {
		r, path, err := loadRouter(t, in)
		got := ""
		if err != nil {
			got = strings.ReplaceAll(err.Error(), path+":", "")
		} else {
			got = r.Listen
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
	if _, _, err := config.LoadRouter(t.TempDir()); err == nil {
		t.Error("a folder has a router")
	}
}

// Which changes a running router can follow.
func TestRouterChanges(t *testing.T) {
	for _, tc := range []struct{ was, is, changed, restart string }{
		{"{}", "{}", "", ""},
		{"{}", "{listen: '127.0.0.1:3000', store: {limit: 10000}}", "", ""},
		{"{}", "{listen: ':1'}", "listen", "listen"},
		{"{}", "{hosts: [a], allow_legacy: [10.0.0.0/8]}", "hosts allow_legacy", "hosts"},
		{"{tls: auto}", "{tls: none}", "tls", "tls"},
		{"{tls: auto}", "{tls: {cert: /c}}", "tls tls.cert", ""},
		{"{tls: {cert: /c}}", "{tls: {cert: /d, key: /k}}", "tls.cert tls.key", ""},
		{"{}", "{tls: {cert: /c, key: /k}}", "tls.cert tls.key", "tls.cert tls.key"},
		{"{tokens: auto}", "{tokens: /t}", "tokens", ""},
		{"{tokens: none}", "{tokens: auto}", "tokens", "tokens"},
		{"{listen: ':1'}", "{listen: ':1', tls: auto, tokens: auto}", "tls tokens", ""},
		{"{listen: ':1'}", "{listen: ':1', insecure: true}", "insecure", "insecure"},
		{"{}", "{store: none}", "store.dir", "store.dir"},
		{"{store: {dir: /s}}", "{store: {sync: each, size: 5}, insecure: true}", "insecure store.dir store.sync store.size", "store.dir store.sync store.size"},
	} {
		was, _, err := loadRouter(t, "router: "+tc.was)
		if err != nil {
			t.Fatal(err)
		}
		is, _, err := loadRouter(t, "router: "+tc.is)
		if err != nil {
			t.Fatal(err)
		}
		changed, restart := was.Changes(is)
		if strings.Join(changed, " ") != tc.changed || strings.Join(restart, " ") != tc.restart {
			t.Errorf("%s to %s: changed %q, restart %q", tc.was, tc.is, changed, restart)
		}
		kept := was.Keep(is, restart)
		if _, restart := was.Changes(kept); len(restart) > 0 {
			t.Errorf("%s to %s: %q would still need a restart", tc.was, tc.is, restart)
		}
		if kept := was.Keep(is, changed); !kept.Equal(was) {
			t.Errorf("%s to %s: %+v is not what was", tc.was, tc.is, kept)
		}
	}
}

// The limits are what the library has by default, 0 is none, and what is left out is as it
// was.
func TestRouterLimits(t *testing.T) {
	if got, want := config.DefaultRouter().Limits, sig.NewServerRouter(nil).Limits(); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	r, _, err := loadRouter(t, "router: {limits: {events: 0, reading: 2, senders: 5}}\n")
	if err != nil {
		t.Fatal(err)
	}
	want := config.DefaultRouter().Limits
	want.Events, want.Reading, want.Senders = -1, 2<<20, 5
	if r.Limits != want {
		t.Errorf("%+v, want %+v", r.Limits, want)
	}
	for _, bad := range []string{"-1", "x", "1.5", "3000000000"} {
		if _, _, err := loadRouter(t, "router: {limits: {reading: "+bad+"}}\n"); err == nil || !strings.Contains(err.Error(), ":1: router.limits.reading: must be a whole number") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// The documentation has the settings as they are.
func TestRouterDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString("| key of `router` | flag | default | | change |\n|---|---|---|---|---|\n")
	code := func(text string) string {
		if text == "" {
			return ""
		}
		return "`" + text + "`"
	}
	for _, s := range config.RouterSettings {
		flag, help := "", s.Help
		if s.Flag != "" {
			flag = "--" + s.Flag
			if _, rest, ok := strings.Cut(help, "`"); ok {
				value, _, _ := strings.Cut(rest, "`")
				flag += " " + value
			}
		}
		change := "reload"
		if s.Restart {
			change = "restart"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", code(s.Key), code(flag), code(s.Default), help, change)
	}
	text, err := os.ReadFile("../../docs/router.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\n"+b.String()+"\n") {
		t.Errorf("docs/router.md must have this table:\n%s", &b)
	}
}
