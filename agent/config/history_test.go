package config_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
)

const day = 24 * time.Hour

func TestHistory(t *testing.T) {
	for in, want := range map[string]*config.History{
		"":                                  {Listen: "127.0.0.1:0", MaxEntries: 10_000, Retention: 30 * day},
		"history: true":                     {Listen: "127.0.0.1:0", MaxEntries: 10_000, Retention: 30 * day},
		"history: {}":                       {Listen: "127.0.0.1:0", MaxEntries: 10_000, Retention: 30 * day},
		"history: {max_entries: 5}":         {Listen: "127.0.0.1:0", MaxEntries: 5, Retention: 30 * day},
		"history: false":                    nil,
		"history: {listen: 127.0.0.1:8080}": {Listen: "127.0.0.1:8080", MaxEntries: 10_000, Retention: 30 * day},
		"history: {listen: 127.9.9.9:0080}": {Listen: "127.9.9.9:80", MaxEntries: 10_000, Retention: 30 * day},
		"history: {listen: LocalHost:0}":    {Listen: "LocalHost:0", MaxEntries: 10_000, Retention: 30 * day},
		`history: {listen: "[::1]:8080"}`:   {Listen: "[::1]:8080", MaxEntries: 10_000, Retention: 30 * day},
		`history: {listen: "[::ffff:127.0.0.1]:8080"}`:                     {Listen: "[::ffff:127.0.0.1]:8080", MaxEntries: 10_000, Retention: 30 * day},
		"history: {listen: 0.0.0.0:8080, token: a-secret-of-this-test}":    {Listen: "0.0.0.0:8080", MaxEntries: 10_000, Retention: 30 * day, Token: "a-secret-of-this-test"},
		`history: {listen: "[::]:8080", token: "4242424242424242"}`:        {Listen: "[::]:8080", MaxEntries: 10_000, Retention: 30 * day, Token: "4242424242424242"},
		"history: {token: xxxxxxxxxxxxxxxx, listen: host:8080}":            {Listen: "host:8080", MaxEntries: 10_000, Retention: 30 * day, Token: "xxxxxxxxxxxxxxxx"},
		"history: {listen: localhost:1, max_entries: 1, retention: 0}":     {Listen: "localhost:1", MaxEntries: 1},
		"history: {listen: localhost:1, max_entries: 1_000_000}":           {Listen: "localhost:1", MaxEntries: 1_000_000, Retention: 30 * day},
		`history: {listen: localhost:1, max_entries: 50, retention: "0"}`:  {Listen: "localhost:1", MaxEntries: 50},
		"history: {listen: localhost:1, max_entries: 50, retention: 12h}":  {Listen: "localhost:1", MaxEntries: 50, Retention: 12 * time.Hour},
		"history: &h {listen: &l localhost:1, retention: &a 1d12h}":        {Listen: "localhost:1", MaxEntries: 10_000, Retention: 36 * time.Hour},
		"history: {listen: localhost:1, allowed_hosts: []}":                {Listen: "localhost:1", MaxEntries: 10_000, Retention: 30 * day},
		"history: {listen: localhost:1, allowed_hosts: [a, B.example]}":    {Listen: "localhost:1", MaxEntries: 10_000, Retention: 30 * day, AllowedHosts: []string{"a", "B.example"}},
		"history: {listen: localhost:1, retention: 90s, max_entries: 0x1}": {Listen: "localhost:1", MaxEntries: 1, Retention: 90 * time.Second},
	} {
		c, err := config.Parse("c.yaml", []byte(good+in))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if diff := cmp.Diff(want, c.History); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

func TestHistoryProblems(t *testing.T) {
	const (
		address = "use HOST:PORT, such as 127.0.0.1:8080"
		limit   = "2: history.max_entries: must be a whole number from 1 to 1,000,000, not "
		age     = "is not a valid age: use days or hours, such as 30d or 720h, or 0 for no limit"
	)
	exposed := func(address string) string {
		return "2: history.listen: anyone who can reach " + address + " could read the history: add a token, or listen on 127.0.0.1"
	}
	for in, want := range map[string]string{
		"history:":                                    "2: history: must be keys and values, not nothing",
		"histroy: {}":                                 `2:1: unknown key "histroy" (did you mean "history"?)`,
		"history: {listne: a:1}":                      "2:11: history: unknown key \"listne\" (did you mean \"listen\"?)",
		"history: {listen: 8080}":                     "2: history.listen: must be text, not a number: use \"127.0.0.1:8080\"",
		"history: {listen: }":                         "2: history.listen: must be text, not nothing",
		"history: {listen: [a]}":                      "2: history.listen: must be text, not a list",
		`history: {listen: "8080"}`:                   `2: history.listen: "8080" is not an address: ` + address,
		`history: {listen: localhost}`:                `2: history.listen: "localhost" has no port: ` + address,
		`history: {listen: ""}`:                       `2: history.listen: "" is not an address: ` + address,
		`history: {listen: ":8080"}`:                  `2: history.listen: ":8080" has no host: use 127.0.0.1:8080 for this machine alone, or 0.0.0.0:8080 for everyone who can reach it`,
		"history: {listen: 'http://localhost:8080/'}": `2: history.listen: "http://localhost:8080/" is not an address: ` + address,
		"history: {listen: 'localhost:80/log'}":       `2: history.listen: "80/log" is not a port: a port is a number up to 65535`,
		"history: {listen: 'localhost:65536'}":        `2: history.listen: "65536" is not a port: a port is a number up to 65535`,

		"history: {listen: 0.0.0.0:8080}":                                                  exposed("0.0.0.0:8080"),
		`history: {listen: "[::]:8080"}`:                                                   exposed("[::]:8080"),
		`history: {listen: "[::ffff:10.0.0.1]:8080"}`:                                      exposed("[::ffff:10.0.0.1]:8080"),
		"history: {listen: 192.168.1.5:8080}":                                              exposed("192.168.1.5:8080"),
		"history: {listen: host:8080}":                                                     exposed("host:8080"),
		"history: {listen: localhost.example:8080}":                                        exposed("localhost.example:8080"),
		"history: {listen: 127.1:8080}":                                                    exposed("127.1:8080"), // a name, as some read it
		"history: {listen: host:8080, token: }":                                            "2: history.token: must be text, not nothing",
		"history: {listen: host:8080, token: 42}":                                          "2: history.token: must be text, not a number: put it in quotes",
		`history: {listen: host:8080, token: " "}`:                                         "2: history.token: the token is empty",
		`history: {listen: localhost:8080, token: ""}`:                                     "2: history.token: the token is empty",
		"history: {listen: localhost:8080, max_entries: 0}":                                limit + "0",
		"history: {listen: localhost:8080, max_entries: 1000001}":                          limit + "1000001",
		"history: {listen: localhost:8080, max_entries: -1}":                               limit + "-1",
		"history: {listen: localhost:8080, max_entries: 1e3}":                              limit + "1e3",
		"history: {listen: localhost:8080, max_entries: 1" + strings.Repeat("0", 60) + "}": limit + "1" + strings.Repeat("0", 60),
		"history: {listen: localhost:8080, max_entries: '10'}":                             limit + `the text "10"`,
		"history: {listen: localhost:8080, max_entries: !!int x}":                          limit + "x",
		"history: {listen: localhost:8080, max_entries: [1]}":                              limit + "a list",
		"history: {listen: localhost:8080, max_entries: }":                                 limit + "nothing",
		"history: {listen: localhost:8080, retention: 30}":                                 `2: history.retention: "30" ` + age,
		"history: {listen: localhost:8080, retention: 1.5}":                                `2: history.retention: "1.5" ` + age,
		"history: {listen: localhost:8080, retention: a month}":                            `2: history.retention: "a month" ` + age,
		"history: {listen: localhost:8080, retention: -1d}":                                `2: history.retention: "-1d" ` + age,
		"history: {listen: localhost:8080, retention: }":                                   "2: history.retention: must be text, not nothing",
		"history: {listen: localhost:8080, retention: true}":                               "2: history.retention: must be text, not true or false",
		"history: {listen: x, max_entries: x, retention: x, token: [x]}":                   "2: history.listen: \"x\" has no port: " + address + "\n" + limit + "the text \"x\"\n2: history.retention: \"x\" " + age + "\n2: history.token: must be text, not a list",
		"history: {listen: localhost:8080, allowed_hosts: log.example}":                    `2: history.allowed_hosts: must be a list of names, not the text "log.example"`,
		"history: {listen: localhost:8080, allowed_hosts: }":                               "2: history.allowed_hosts: must be a list of names, not nothing",
		"history: {listen: localhost:8080, host: [a]}":                                     `2:35: history: unknown key "host" (did you mean "allowed_hosts"?)`,
		"history: {listen: localhost:8080, allowed_hosts: [a, 5,\n 'http://b']}":           "2: history.allowed_hosts[1]: must be text, not a number: put it in quotes\n" + `3: history.allowed_hosts[2]: "http://b" is not a host name: use a name such as log.example, of ASCII letters and digits, dots and hyphens`,
		"history: {listen: localhost:8080, token: s3cret}":                                 `2: history.token: the token is too short: use at least 16 characters, such as what "openssl rand -hex 16" prints`,
		"history: {listen: localhost:8080, retention: 0.0001s}":                            `2: history.retention: "0.0001s" is too short an age: use at least 1m, or 0 for no limit`,
		`history: {listen: localhost:8080, token: "two words"}`:                            "2: history.token: a token consists of ASCII letters, digits and punctuation, without blanks",
	} {
		_, err := config.Parse("c.yaml", []byte(good+in))
		if err == nil {
			t.Errorf("%s: no problem", in)
			continue
		}
		want = "c.yaml:" + strings.ReplaceAll(want, "\n", "\nc.yaml:")
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("%s: %s", in, diff)
		}
	}
}

func TestHistoryEqual(t *testing.T) {
	full := func() *config.History {
		return &config.History{Listen: "a:1", MaxEntries: 1, Retention: 1, Token: "t", AllowedHosts: []string{"h"}}
	}
	if !full().Equal(full()) || !(*config.History)(nil).Equal(nil) {
		t.Error("the same is not equal")
	}
	for what, change := range map[string]func(*config.History){
		"listen":        func(h *config.History) { h.Listen = "b:1" },
		"max_entries":   func(h *config.History) { h.MaxEntries = 2 },
		"retention":     func(h *config.History) { h.Retention = 2 },
		"token":         func(h *config.History) { h.Token = "" },
		"allowed_hosts": func(h *config.History) { h.AllowedHosts = []string{"i"} },
	} {
		other := full()
		if change(other); other.Equal(full()) {
			t.Errorf("another %s is equal", what)
		}
	}
	if full().Equal(nil) || (*config.History)(nil).Equal(full()) {
		t.Error("one is equal to none")
	}
}

// The history is on by itself; the example shows how its page gets an address that stays.
func TestExampleOfHistory(t *testing.T) {
	text, err := os.ReadFile("config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	before, block, ok := strings.Cut(string(text), "\n# history:\n")
	if !ok {
		t.Fatal("the example shows no history")
	}
	if c, err := config.Parse("c.yaml", text); err != nil || c.History == nil || c.History.Listen != "127.0.0.1:0" {
		t.Errorf("as it is: %v, %+v", err, c)
	}
	c, err := config.Parse("c.yaml", []byte(before+"\nhistory:"+strings.ReplaceAll("\n"+block, "\n# ", "\n")))
	if err != nil {
		t.Fatal(err)
	}
	if want := (config.History{Listen: "127.0.0.1:8080", MaxEntries: 10_000, Retention: 30 * day}); !c.History.Equal(&want) {
		t.Errorf("uncommented: %+v", *c.History)
	}
}
