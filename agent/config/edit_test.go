package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sigalert/agent/config"
	"sigalert/internal/address"
	"sigalert/internal/reach"
)

const (
	aSum   = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	aToken = "sigalert_abcdefghijklmnop"
)

func paired(addr, name string) config.Server {
	return config.Server{Name: name, Addresses: []string{addr}, Proof: reach.Proof{Fingerprint: aSum, Token: aToken}}
}

// A server is added to files as people write them, and nothing else changes.
func TestWithServer(t *testing.T) {
	const subs = "subscriptions: [{sender: x}]\n"
	block := func(indent string) string {
		return indent + "desk:\n" + indent + "  url: tls://desk.example:3000\n" + indent + "  fingerprint: " + aSum + "\n" + indent + "  token: " + aToken
	}
	const braces = "{url: tls://desk.example:3000, fingerprint: " + aSum + ", token: " + aToken + "}"
	const proof = "fingerprint: " + aSum + ", token: " + aToken
	for name, tc := range map[string][2]string{
		"nothing":                {"", "servers:\n" + block("  ") + "\n"},
		"comments alone":         {"# Nothing\n# here", "# Nothing\n# here\nservers:\n" + block("  ") + "\n"},
		"a document's beginning": {"---\n", "---\nservers:\n" + block("  ") + "\n"},

		"a router":                   {"# a\nrouter: {listen: 127.0.0.1:3000} # ours\n\n# b\n" + subs, "# a\nrouter: {listen: 127.0.0.1:3000} # ours\nservers:\n" + block("  ") + "\n\n# b\n" + subs},
		"a router's lines":           {"router:\n    listen: 127.0.0.1:3000\n    # more\n" + subs, "router:\n    listen: 127.0.0.1:3000\nservers:\n" + block("  ") + "\n    # more\n" + subs},
		"a router at last":           {subs + "router:", subs + "router:\nservers:\n" + block("  ")},
		"CRLF":                       {"# a\r\nrouter: {}\r\n\r\n# b\r\n" + subs, "# a\r\nrouter: {}\r\nservers:\r\n" + strings.ReplaceAll(block("  "), "\n", "\r\n") + "\r\n\r\n# b\r\n" + subs},
		"a byte order mark":          {"\ufeffrouter: {}\n" + subs, "\ufeffrouter: {}\nservers:\n" + block("  ") + "\n" + subs},
		"a directive":                {"%YAML 1.2\n---\nrouter: {}\n" + subs, "%YAML 1.2\n---\nrouter: {}\nservers:\n" + block("  ") + "\n" + subs},
		"an end":                     {subs + "router: {}\n...\n", subs + "router: {}\nservers:\n" + block("  ") + "\n...\n"},
		"an indent":                  {"  router: {}\n  # ü\n  " + subs, "  router: {}\n  servers:\n" + block("    ") + "\n  # ü\n  " + subs},
		"no server":                  {subs + "# the end\n", subs + "\nservers:\n  local: \"127.0.0.1:3000\"\n" + block("  ") + "\n# the end\n"},
		"no server, no end":          {"subscriptions: [{sender: x}]", "subscriptions: [{sender: x}]\n\nservers:\n  local: \"127.0.0.1:3000\"\n" + block("  ")},
		"all in braces":              {"{router: {}, subscriptions: [{sender: x}]}\n", "{router: {}, subscriptions: [{sender: x}], servers: {desk: " + braces + "}}\n"},
		"nothing but subs in braces": {"{subscriptions: [{sender: x}],}", "{subscriptions: [{sender: x}], servers: {local: \"127.0.0.1:3000\", desk: " + braces + "}}"},

		"a server":                {"server: tcp://nas:3000 # at home\t#\n" + subs, "servers:\n  nas: tcp://nas:3000 # at home\t#\n" + block("  ") + "\n" + subs},
		"a server in quotes":      {`"server": "nas"` + "\n" + subs, "servers:\n  nas: \"nas\"\n" + block("  ") + "\n" + subs},
		"a server with the name":  {"server: desk.home\n" + subs, "servers:\n  desk-home: desk.home\n" + block("  ") + "\n" + subs},
		"a server in IPv6":        {"server: \"[fe80::1]:3000\"\n" + subs, "servers:\n  fe80-1: \"[fe80::1]:3000\"\n" + block("  ") + "\n" + subs},
		"a server with a number":  {"server: 1.2.3.4\n" + subs, "servers:\n  \"1-2-3-4\": 1.2.3.4\n" + block("  ") + "\n" + subs},
		"a server's list":         {"server: [a, b] # c\n" + subs, "servers:\n  a: [a, b] # c\n" + block("  ") + "\n" + subs},
		"a server's lines":        {"server:\n- a # A\n\n# B\n- b\n# C\n" + subs, "servers:\n  a:\n  - a # A\n\n  # B\n  - b\n" + block("  ") + "\n# C\n" + subs},
		"a server in braces":      {"{server: nas, subscriptions: [{sender: x}]}", "{servers: {nas: nas, desk: " + braces + "}, subscriptions: [{sender: x}]}"},
		"the server":              {"server: desk.example # mine\n" + subs, "servers:\n  desk: " + braces + " # mine\n" + subs},
		"the server in a list":    {"server: [10.0.0.1, desk.example]\n" + subs, "servers:\n  desk: {url: [10.0.0.1, tls://desk.example:3000], " + proof + "}\n" + subs},
		"the server in braces":    {"{server: 'desk.example', subscriptions: [{sender: x}]}", "{servers: {desk: " + braces + "}, subscriptions: [{sender: x}]}"},
		"a server with an anchor": {"server: &nas tcp://nas\nsubscriptions: [{sender: x, title: *nas}]\n", "servers:\n  nas: &nas tcp://nas\n" + block("  ") + "\nsubscriptions: [{sender: x, title: *nas}]\n"},

		"servers":                    {"servers:\n  home: a # A\n\n  # B\n  work: b\n\n# C\n" + subs, "servers:\n  home: a # A\n\n  # B\n  work: b\n" + block("  ") + "\n\n# C\n" + subs},
		"servers at last":            {subs + "servers: # all\n    home:\n        url: [a,\n              b]", subs + "servers: # all\n    home:\n        url: [a,\n              b]\n" + block("    ")},
		"servers in braces":          {"servers: {home: a, 'work': 'b}'} # C\n" + subs, "servers: {home: a, 'work': 'b}', desk: " + braces + "} # C\n" + subs},
		"servers in lines of braces": {"servers: {\n  home: a, # A}\n  work: \"b\", # B's\n}\n" + subs, "servers: {\n  home: a, # A}\n  work: \"b\", desk: " + braces + " # B's\n}\n" + subs},
		"servers and a router":       {"router: {}\nservers: {home: a}\n" + subs, "router: {}\nservers: {home: a, desk: " + braces + "}\n" + subs},

		"again":             {"servers: {desk: {url: tls://desk.example, fingerprint: \"" + strings.ToUpper(aSum[7:]) + "\", token: 'another-long-token'}} # C\n" + subs, "servers: {desk: {url: tls://desk.example, " + proof + "}} # C\n" + subs},
		"again in lines":    {"servers:\n  desk:\n    # A\n    token: another-long-token # B\n    url: tls://desk.example # C\n    ca: /x/y # D\n  work: w\n" + subs, "servers:\n  desk:\n    # A\n    token: " + aToken + " # B\n    url: tls://desk.example # C\n    fingerprint: " + aSum + " # D\n  work: w\n" + subs},
		"again with a file": {"servers:\n  desk: {url: [tcp://desk.example, other], token_file: /x}\n" + subs, "servers:\n  desk: {url: [tls://desk.example:3000, other], fingerprint: " + aSum + ", token: " + aToken + "}\n" + subs},
		"again with a name": {"servers:\n  mine: desk.example # C\n" + subs, "servers:\n  mine: " + braces + " # C\n" + subs},
		"again, url alone":  {"servers:\n  desk:\n    url: desk.example # C\n" + subs, "servers:\n  desk:\n    url: tls://desk.example:3000 # C\n    fingerprint: " + aSum + "\n    token: " + aToken + "\n" + subs},
		"again, a list":     {"servers:\n  desk:\n    url:\n    - tls://other\n    - desk.example # C\n    fingerprint: " + aSum + "\n    token: another-long-token\n" + subs, "servers:\n  desk:\n    url:\n    - tls://other\n    - tls://desk.example:3000 # C\n    fingerprint: " + aSum + "\n    token: " + aToken + "\n" + subs},
	} {
		t.Run(name, func(t *testing.T) {
			got, server, err := config.WithServer("c.yaml", []byte(tc[0]), paired("tls://desk.example:3000", ""))
			if err != nil || string(got) != tc[1] {
				t.Fatalf("%s\n%s, want\n%s\n(%v)", tc[0], got, tc[1], err)
			}
			if server != "desk" && name != "again with a name" {
				t.Errorf("it is called %s", server)
			}
			again, _, err := config.WithServer("c.yaml", got, paired("tls://desk.example:3000", ""))
			if err != nil || string(again) != string(got) {
				t.Errorf("the second time, it is\n%s (%v)", again, err)
			}
		})
	}
}

// The example keeps each of its lines.
func TestWithServerInExample(t *testing.T) {
	text, err := os.ReadFile("config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := config.WithServer("c.yaml", text, paired("tls://desk.example:3000", ""))
	if err != nil {
		t.Fatal(err)
	}
	from := strings.Index(string(got), "servers:\n  desk:")
	left := string(got[:from]) + string(got[from+len(got)-len(text):])
	if left != string(text) {
		t.Errorf("%s", got)
	}
	if c, err := config.Parse("c.yaml", got); err != nil || c.Place() != "router (127.0.0.1:3000), desk (tls://desk.example:3000)" {
		t.Error(c.Place(), err)
	}
}

func TestWithServerRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"servers: {desk: a}\n":                                "another server has the name desk",
		"servers: [a]\n":                                      "must be keys and values",
		"router: {\n":                                         "not YAML",
		"router: {}\n---\n":                                   "second document",
		"x: &s {home: a}\nservers: *s\n":                      "only you can change",
		"servers:\n  home: |\n    a\n":                        "",
		"server: >\n  desk.example\n":                         "only you can change",
		"servers: {home: &d {url: desk.example}}\n":           "",
		"? server\n: desk\n":                                  "only you can change",
		"servers:\n  home:\n    url: |\n      desk.example\n": "only you can change",
		"[a]\n": "only you can change",
		"x\n":   "only you can change",
	} {
		got, _, err := config.WithServer("c.yaml", []byte(text), paired("tls://desk.example:3000", "desk"))
		if want == "" && err == nil {
			continue
		}
		if err == nil || want == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n%s\n%v, want %s", text, got, err, want)
		}
		if strings.Contains(want, "only you") != errors.Is(err, config.ErrByHand) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Whatever a file has, a server is added as meant, or not at all.
func FuzzWithServer(f *testing.F) {
	for _, text := range []string{
		"", "router: {}\n", "server: [a, b] # c\n", "{servers: {a: b, 'c': \"d\"},}", "\ufeffservers:\r\n  a: b\r\n",
		"servers:\n  desk: {url: [desk.example, &x y], ca: /x}\nz: *x", "? a\n: b\n", "servers: &s {a: b}", "server: |\n  a\n",
	} {
		f.Add(text, "tls://desk.example:3000")
	}
	f.Fuzz(func(t *testing.T, text, addr string) {
		if parsed, err := address.ParseServer(addr); err != nil || parsed != addr || !address.IsSecure(addr) || len(text) > 2000 {
			return
		}
		s := paired(addr, "")
		got, name, err := config.WithServer("c.yaml", []byte(text), s)
		if err != nil {
			return
		}
		again, same, err := config.WithServer("c.yaml", got, s)
		if err != nil || same != name || string(again) != string(got) {
			t.Fatalf("%q becomes %q, and then %q (%v)", text, got, again, err)
		}
	})
}

// A token in a file that others can read is warned of, with its line.
func TestTokenThatOthersCanRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes say nothing there")
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	text := "subscriptions: [{sender: x}]\nservers:\n  desk: {url: tls://desk, token: " + aToken + "}\nhistory: {token: another-long-token}\n"
	for mode, want := range map[os.FileMode][]string{
		0o600: nil,
		0o640: {"config.yaml:3: servers.desk.token: warning: other users", "config.yaml:4: history.token: warning: other users"},
		0o604: {"config.yaml:3: servers.desk.token: warning: other users", "config.yaml:4: history.token: warning: other users"},
	} {
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(path)
		if err != nil || len(c.Warnings) != len(want) {
			t.Fatalf("%o: %v, %v", mode, c.Warnings, err)
		}
		for i, w := range want {
			if !strings.Contains(c.Warnings[i].Error(), w) || strings.Contains(c.Warnings[i].Error(), aToken) {
				t.Errorf("%o: %s", mode, c.Warnings[i].Error())
			}
		}
	}
}
