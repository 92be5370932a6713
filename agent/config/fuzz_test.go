package config_test

import (
	"bytes"
	std "cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"gopkg.in/yaml.v3"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/agent/rule"
	"sigalert/internal/address"
	"sigalert/internal/age"
	"sigalert/internal/topic"
	"sigalert/sig"
	"sigalert/sig/store"
)

// FuzzParse compares what Parse makes of a file with what yaml makes of it by
// itself, with what the other functions make of it, and with what Parse makes of
// the same file written otherwise.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		good,
		"a: &a [*a, *a]\nsubscriptions: *a",
		"subscriptions:\n- sender: 0x1F\n  title: '{{ upper(sender) }}'\n",
		"subscriptions: [{sender: !!bool 5, event: .inf, body: '{{ map(data.a, .b.c) }}{{ time.Year() }}'}]",
		good + "history: {listen: &l localhost:1, max_entries: 0x5, retention: 1d1h, token: *l}",
		"? &k server\n: ::1\ndefaults: {? *k : x, <<: {urgency: low}}\n--- x",
		"subscriptions:\n- body: |\n    {{ let x = data; (x.a.b ?? \"c\") | truncate(2) }}{{ if .Data }}\n",
		"subscriptions:\n  - sender: x\n    body: |\n\n      {{ data.ok ?\n      \"yes\" : nil }}\n      end\n",
		"subscriptions:\n  - {sender: t, event: zero, when: not data.ok, tag: '{{ sender }}', body: '{{ data.errors ?? \"no\" }} errors'}\n",
		"server: example.org\ndefaults: {urgency: low, presence: true, when: data != 0, title: \"T {{ sender }}\"}\nsubscriptions:\n" +
			"  - {sender: timer, event: tick, urgency: critical}\n  - {sender: 5, event: 1.0}\n  - {sender: true, presence: false}\n" +
			"  - {sender: \"5\", event: 2020-01-01}\n  - {sender: \"\", event: ~}\n",
		"subscriptions:\n- &a {sender: x, title: &t Hello}\n- {sender: y, title: *t}\n- {sender: z, when: '{{ x }}', urgency: '{{ data.x }}', title: &w \"a\\nb {{ dta\\t}}\", tag: *w}\n- {sender: &v 5, when: true, urgency: >-\n   {{ data.x == 3\n   ? 'low' : 'critical' }}}\n",
		"subscriptions: [{sender: !!int abc}, {sender: !!binary x}, {sender: !!null x, event: !!timestamp x}, {sender: !a x, event: !!int \"5\"}]",
		"subscriptions:\n- event: #notify me\n", "server: a\nserver: b\n!!str subscriptions: [{sender: \u00a0a}, {sender: “b”}]",
		good + "history: {listen: 0.0.0.0:8080, token: a-secret-of-this-test, max_entries: 1_000, retention: 12h, allowed_hosts: [a, B.example]}",
		"# \u2028\r\r\n\u0085subscriptions:\n- {sender: a, title: >-\n\n  {{ if }}\n", good + "\x00", "defaults: {title: &k server}\n*k : host\n" + good, good + "\xff", "subscriptions:\n\t- x", "server: *x",
		"defaults: {urgncy: low}\n" + good, good + "---\nx: 1\n", "# a\r# b\n\u0085[1]", "# a\rsubscriptions:\n- {sender: a}\n", good + "? server\n",
		"# mine\n%YAML 1.2\n---\n" + good, "%YAML 1.2\n" + good,
		"subscriptions:\n- body: |\n    {{ x\n", "subscriptions: [{sender: !!int \"\\e[2J\"}]",
		"subscriptions:\n- {sender: 'd?-*', event: '#[a-c]', resolve: data.x, tag: a, only_changes: data.x, rate_limit: 5/1m, icon: {low: a, critical: /b}, sound: none, timeout: 10s, url: '/a', image: true}\n",
		"subscriptions:\n- sender: a\n  actions: &a [{label: A, open: 'https://a/{{ data.x }}'}, {label: B, snooze: 1h}, {label: C, reply: {sender: s, method: m}}, {label: D, request: &r {method: m, params: &p {a: [1, ~, x, '{{ data }}'], b: {c: true}}}}]\n  command: &c [logger, 5, '{{ data.x }}']\n- {sender: b, actions: *a, command: *c}\n- {sender: c, actions: [{label: E, request: *r}], command: {shell: 'echo $A'}}\n",
		"defaults: {timeout: never, command: [], actions: [], icon: {}, rate_limit: none}\n" + good, "subscriptions: [{actions: [{label: A, request: {method: m, params: &p [*p]}}]}]",
		"subscriptions: [{rate_limit: 0/1m, timeout: 5, icon: a.png, sound: ~/x, url: a.b, image: yes, actions: [{label: A}], command: ['{{ x }}']}]",
		"defaults: {for: 30s, repeat: 15m, unless: a, escalate: &e {after: 5m, command: [x]}}\nsubscriptions:\n- {sender: a, for: none, repeat: {every: 1h, at_most: 3}, expect_every: 25h, unless: '', escalate: none}\n- {sender: b, repeat: none, escalate: {after: 1m, publish: {sender: c, event: d}}}\n- {sender: d, escalate: *e}\n",
		"router: {listen: &l '[::]:40'}\n" + good, "router:\n" + good, "router: {}\nserver: a\n" + good, "server: [a, tcp://b:4]\n" + good, "servers: {h: a, w: {url: [b, c]}}\nrouter:\nsubscriptions: [{sender: a, server: w}, {sender: a, server: \"[hr]*\"}]\n", good + "router:\n  listen: :4000\n  x: 1\n",
		"router: {hosts: [a.example], tls: auto, tokens: auto, insecure: true, allow_legacy: [10.0.0.0/8], store: none, limits: {}}\n" + good,
		"router: {tls: {cert: /c, key: /k, client_ca: /a}, tokens: /t, store: {dir: /s, sync: each, limit: 5, age: 1d12h, size: 7}}\n" + good,
	} {
		f.Add([]byte(seed))
	}
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, path := range append(files, "config.example.yaml") {
		seed, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed)
	}
	path := filepath.Join(f.TempDir(), "c.yaml")
	f.Fuzz(func(t *testing.T, in []byte) { understood(t, path, in) })
}

// understood makes all the comparisons for one file.
func understood(t *testing.T, path string, in []byte) {
	c, err := config.Parse(path, in)
	var problems config.Problems
	if err != nil && (!errors.As(err, &problems) || len(problems) == 0) {
		t.Fatalf("%T %v", err, err)
	}
	located(t, in, problems)
	sameOnDisk(t, path, in, c, err)
	if bom := []byte("\ufeff"); !bytes.HasPrefix(in, bom) {
		again, aerr := config.Parse(path, append(bom, in...))
		same(t, "a byte order mark", again, aerr, c, err)
	}
	if !bytes.Contains(in, []byte("\r")) {
		again, aerr := config.Parse(path, bytes.ReplaceAll(in, []byte("\n"), []byte("\r\n")))
		same(t, "CRLF", again, aerr, c, err)
	}
	in = directive.ReplaceAll(in, []byte("$1#"))
	asYAML(t, in, c, problems)
	if err != nil {
		return
	}
	var said said
	dec := yaml.NewDecoder(bytes.NewReader(in))
	dec.KnownFields(true)
	if err := dec.Decode(&said); err != nil {
		t.Fatalf("accepted, but yaml: %v", err)
	}
	said.compare(t, c)
	for _, s := range c.Subscriptions {
		located(t, in, config.Problems{{Line: s.Line, What: s.Topic().String()}})
	}
	if text := rewritten(t, in); text != nil {
		again, err := config.Parse(path, text)
		same(t, "rewritten", again, err, c, nil, noLines, cmpopts.IgnoreFields(config.Config{}, "Warnings"))
	}
}

// directive is a %YAML that this package reads and yaml refuses.
var directive = regexp.MustCompile(`^((?:\x{FEFF})?(?:[ \t]*(?:#[^\n]*)?\r?\n)*)%YAML[ \t]+1\.`)

// located checks that each problem is one line, and is at one of the file's.
func located(t *testing.T, in []byte, problems config.Problems) {
	lines := 1 + bytes.Count(bytes.TrimSuffix(in, []byte("\n")), []byte("\n"))
	for _, p := range problems {
		if p.Line < 1 || p.Line > lines || p.What == "" || strings.ContainsFunc(p.Error(), unicode.IsControl) {
			t.Errorf("of %d lines: %+v", lines, p)
		}
	}
}

// sameOnDisk checks that the file means the same to all who read it.
func sameOnDisk(t *testing.T, path string, in []byte, c *config.Config, err error) {
	if err := os.WriteFile(path, in, 0o600); err != nil {
		t.Fatal(err)
	}
	loaded, lerr := config.LoadRegular(path)
	same(t, "loaded", loaded, lerr, c, err)
	checked, problems, warnings := config.Check(path, in)
	located(t, in, warnings)
	var cerr error
	if len(problems) > 0 {
		cerr = problems
	}
	same(t, "checked", checked, cerr, c, err)
	if c == nil {
		return
	}
	servers, serr := config.LoadServers(path)
	if servers == nil {
		servers = []config.Server{{Addresses: []string{"127.0.0.1:3000"}}}
	}
	if serr != nil || !cmp.Equal(servers, c.Servers) {
		t.Errorf("the servers alone: %v, %v, not %v", servers, serr, c.Servers)
	}
	router, _, rerr := config.LoadRouter(path)
	if rerr == nil {
		rerr = router.Check()
	}
	i := slices.IndexFunc(c.Servers, func(s config.Server) bool { return s.Router != nil })
	if (rerr == nil) != (i >= 0) || rerr == nil && !router.Equal(c.Servers[i].Router) {
		t.Errorf("the router alone: %+v, %v", router, rerr)
	}
}

// asYAML checks that what yaml cannot read is refused, and that nothing else is
// said not to be YAML.
func asYAML(t *testing.T, in []byte, c *config.Config, problems config.Problems) {
	dec := yaml.NewDecoder(bytes.NewReader(in))
	var first any
	err := dec.Decode(&first)
	for documents := 1; err == nil; documents++ {
		var n yaml.Node
		if err = dec.Decode(&n); err == nil && c != nil {
			t.Errorf("%d documents are accepted", documents+1)
		}
	}
	valid := errors.Is(err, io.EOF)
	if !valid && c != nil {
		t.Errorf("accepted, but yaml: %v", err)
	}
	if valid && strings.Contains(problems.Error(), "this is not YAML") {
		t.Errorf("yaml reads it: %v", problems)
	}
}

// rendered compares texts by what they become, and conditions by what they say.
var rendered = cmp.Options{
	cmp.Transformer("text", func(text *rule.Text) (all []string) {
		if text == nil {
			return nil
		}
		for _, data := range []string{"", `"x"`, `["a"]`, `{"a": {"b": 1}, "x": "low", "ok": true}`} {
			now := time.Unix(0, 0)
			got, err := text.Render(rule.NewEvent(sig.Event{Sender: "s", Event: "e", Time: now, Data: sig.JSONData([]byte(data))}, now))
			all = append(all, fmt.Sprint(len(got) > 64<<10, got, err))
		}
		return all
	}),
	cmp.Transformer("condition", func(x *rule.Expr) string {
		if x == nil {
			return ""
		}
		return "=" + x.Source()
	}),
}

// same checks that got and gerr say the same as want and werr.
func same(t *testing.T, what string, got *config.Config, gerr error, want *config.Config, werr error, opts ...cmp.Option) {
	if text(gerr) != text(werr) {
		t.Errorf("%s: %v, want %v", what, gerr, werr)
	}
	if diff := cmp.Diff(want, got, append(opts, rendered)...); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

var yamlWords = regexp.MustCompile(`this is not YAML: .*`)

// text is an error without the YAML library's words: of two faults in one line it
// may name either.
func text(err error) string {
	if err == nil {
		return ""
	}
	return yamlWords.ReplaceAllString(err.Error(), "this is not YAML")
}

// said is the file as yaml reads it by itself, which refuses unknown keys.
type said struct {
	Server        yaml.Node // an address, or a list
	Servers       map[string]yaml.Node
	Router        yaml.Node // nothing is a router, too
	CatchUp       yaml.Node `yaml:"catch_up"` // TestCatchUp is about what it says
	History       yaml.Node // true or false, too
	Defaults      alert
	Subscriptions []struct {
		alert                 `yaml:",inline"`
		Sender, Event, Server name
		ExpectEvery           *string `yaml:"expect_every"`
	}
}

// alert is what a subscription and the defaults may both have.
type alert struct {
	When, Title, Body, Urgency, Tag, URL, Sound *string
	Resolve                                     *string
	OnlyChanges                                 *string `yaml:"only_changes"`
	RateLimit                                   *string `yaml:"rate_limit"`
	Timeout                                     *string
	Icon, Actions, Command, Repeat, Escalate    yaml.Node
	For, Unless                                 *string
	Presence, Image                             *bool
}

// name is a name's value, and how it is spelled.
type name struct {
	value any
	text  string
}

func (n *name) UnmarshalYAML(node *yaml.Node) error {
	return errors.Join(node.Decode(&n.value), node.Decode(&n.text))
}

func (n *name) parse(t *testing.T) sig.Name {
	text := []byte(n.text)
	switch n.value.(type) {
	case string, time.Time:
		if n.text == "" {
			return ""
		}
		text, _ = json.Marshal(n.text)
	case nil:
		return ""
	default:
		var spelled, read any
		value, _ := json.Marshal(n.value)
		if err := errors.Join(json.Unmarshal(text, &spelled), json.Unmarshal(value, &read)); err != nil || spelled != read {
			t.Errorf("%s is accepted as a name, but is %s: %v", text, value, err)
		}
	}
	name, err := sig.ParseName(text)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// pattern is the name, or else the glob.
func (n *name) pattern(t *testing.T) (sig.Name, topic.Glob) {
	literal := n.parse(t)
	switch n.value.(type) {
	case string, time.Time:
		name, glob, err := topic.ParseGlob(n.text)
		if err != nil {
			t.Error(err)
		}
		return name, glob
	}
	return literal, topic.Glob{}
}

// compare checks that the configuration is what yaml reads.
func (s *said) compare(t *testing.T, got *config.Config) {
	want := config.Config{Path: got.Path, Warnings: got.Warnings, CatchUp: 24 * time.Hour}
	if !s.CatchUp.IsZero() {
		want.CatchUp = got.CatchUp
	}
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	var err error
	want.Servers = s.servers(t)
	byName := func(a, b config.Server) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(want.Servers, byName)
	slices.SortFunc(got.Servers, byName)
	if kept := true; s.History.Decode(&kept) != nil || kept {
		var h struct {
			Listen, Token *string
			MaxEntries    *int `yaml:"max_entries"`
			Retention     *string
			AllowedHosts  []string `yaml:"allowed_hosts"`
		}
		if s.History.Kind != 0 && s.History.Decode(new(bool)) != nil {
			must(s.History.Decode(&h))
		}
		want.History = &config.History{Token: *std.Or(h.Token, new("")), AllowedHosts: h.AllowedHosts, MaxEntries: *std.Or(h.MaxEntries, new(10_000))}
		want.History.Listen, err = address.ParsePage(*std.Or(h.Listen, new("127.0.0.1:0")))
		must(err)
		want.History.Retention, err = age.Parse(*std.Or(h.Retention, new("30d")))
		must(err)
	}
	for _, sub := range s.Subscriptions {
		urgency := compiled(t, std.Or(sub.Urgency, s.Defaults.Urgency))
		if urgency != nil {
			if word, fixed := urgency.Constant(); fixed {
				_, err := notify.ParseUrgency(word)
				must(err)
			}
		}
		var when *rule.Expr
		if text := std.Or(sub.When, s.Defaults.When); text != nil {
			when, err = rule.Compile(*text, rule.Condition)
			must(err)
		}
		expression := func(text *string, want rule.Want) *rule.Expr {
			if text == nil || *text == "false" && want == rule.Value {
				return nil
			}
			x, err := rule.Compile(*text, want)
			must(err)
			return x
		}
		sender, senders := sub.Sender.pattern(t)
		event, events := sub.Event.pattern(t)
		server, servers := sub.Server.pattern(t)
		// What is made of lists and keys is only looked at.
		var made config.Subscription
		if i := len(want.Subscriptions); i < len(got.Subscriptions) {
			made = got.Subscriptions[i]
		}
		bounded(t, made)
		want.Subscriptions = append(want.Subscriptions, config.Subscription{
			Sender:      sender,
			SenderGlob:  senders,
			Event:       event,
			EventGlob:   events,
			Server:      server,
			ServerGlob:  servers,
			Resolve:     expression(std.Or(sub.Resolve, s.Defaults.Resolve), rule.Condition),
			OnlyChanges: expression(std.Or(sub.OnlyChanges, s.Defaults.OnlyChanges), rule.Value),
			URL:         compiled(t, std.Or(sub.URL, s.Defaults.URL)),
			Sound:       compiled(t, std.Or(sub.Sound, s.Defaults.Sound)),
			Image:       *std.Or(sub.Image, s.Defaults.Image, new(false)),
			Icon:        made.Icon,
			RateLimit:   made.RateLimit,
			For:         made.For,
			Repeat:      made.Repeat,
			ExpectEvery: made.ExpectEvery,
			Unless:      compiled(t, std.Or(sub.Unless, s.Defaults.Unless)),
			Escalate:    made.Escalate,
			Timeout:     made.Timeout,
			Actions:     made.Actions,
			Command:     made.Command,
			Title:       compiled(t, std.Or(sub.Title, s.Defaults.Title)),
			Body:        compiled(t, std.Or(sub.Body, s.Defaults.Body)),
			Urgency:     urgency,
			When:        when,
			Tag:         compiled(t, std.Or(sub.Tag, s.Defaults.Tag)),
			Presence:    *std.Or(sub.Presence, s.Defaults.Presence, new(false)),
		})
	}
	same(t, "read by yaml", got, nil, &want, nil, noLines, cmpopts.EquateEmpty())
}

// servers are those that yaml reads, in no order.
func (s *said) servers(t *testing.T) (all []config.Server) {
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	read := func(name string, n yaml.Node) {
		var in struct{ URL yaml.Node }
		if n.Decode(&in) == nil && in.URL.Kind != 0 {
			n = in.URL
		}
		var list []string
		if n.Decode(&list) != nil {
			list = []string{""}
			must(n.Decode(&list[0]))
		}
		server := config.Server{Name: name}
		for _, text := range list {
			addr, err := address.ParseServer(text)
			must(err)
			server.Addresses = append(server.Addresses, addr)
		}
		all = append(all, server)
	}
	if s.Server.Kind != 0 {
		read("", s.Server)
	}
	for name, n := range s.Servers {
		read(name, n)
	}
	if s.Router.Kind != 0 {
		r := readRouter(t, s.Router)
		host, port, _ := net.SplitHostPort(r.Listen)
		switch ip, _ := netip.ParseAddr(host); {
		case host == "" || ip.IsUnspecified() && ip.Is4():
			host = "127.0.0.1"
		case ip.IsUnspecified():
			host = "::1"
		}
		server := config.Server{Addresses: []string{net.JoinHostPort(host, port)}, Router: r}
		if s.Servers != nil {
			server.Name = "router"
		}
		all = append(all, server)
	}
	if all == nil {
		return []config.Server{{Addresses: []string{"127.0.0.1:3000"}}}
	}
	return all
}

// readRouter is a router that yaml reads, apart from its limits.
func readRouter(t *testing.T, n yaml.Node) *config.Router {
	var in struct {
		Listen, Tokens     string
		Hosts              []string
		TLS, Store, Limits yaml.Node
		Insecure           bool
		AllowLegacy        []string `yaml:"allow_legacy"`
	}
	r := config.DefaultRouter()
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	must(n.Decode(&in))
	var err error
	r.Listen, err = address.ParseListen(in.Listen)
	must(err)
	r.Hosts, r.Tokens, r.Insecure = append(r.Hosts, in.Hosts...), in.Tokens, in.Insecure
	for _, text := range in.AllowLegacy {
		r.AllowLegacy = append(r.AllowLegacy, netip.MustParsePrefix(text))
	}
	var tls struct {
		Cert, Key string
		ClientCA  string `yaml:"client_ca"`
	}
	if in.TLS.Kind != 0 && in.TLS.Decode(&tls) != nil {
		must(in.TLS.Decode(&r.TLS.Mode))
	}
	r.TLS.Cert, r.TLS.Key, r.TLS.ClientCA = tls.Cert, tls.Key, tls.ClientCA
	kept := struct {
		Dir, Sync, Age string
		Limit, Size    int
	}{"", "group", "24h", r.Store.Limit, r.Store.Size}
	if in.Store.Kind != 0 && in.Store.Decode(&kept) != nil {
		must(in.Store.Decode(&kept.Dir))
	}
	r.Store.Dir, r.Store.Limit, r.Store.Size = kept.Dir, kept.Limit, kept.Size
	r.Store.Sync, err = store.ParseSync(kept.Sync)
	must(err)
	r.Store.Age, err = age.Parse(kept.Age)
	must(err)
	return r
}

// bounded checks what is made of a subscription's lists and keys.
func bounded(t *testing.T, s config.Subscription) {
	r := s.RateLimit
	if r != (config.Rate{}) && (r.Count < 1 || r.Count > 1000 || r.Within < time.Second || r.Within > 7*24*time.Hour) || s.Timeout > 24*time.Hour || len(s.Actions) > 8 {
		t.Errorf("%+v, %s, %d buttons", r, s.Timeout, len(s.Actions))
	}
	for _, d := range []time.Duration{s.For, s.Repeat.Every, s.ExpectEvery} {
		if d != 0 && d < time.Second || d > 30*24*time.Hour {
			t.Errorf("a wait of %s", d)
		}
	}
	if n := s.Repeat.AtMost; (s.Repeat.Every == 0) != (n == 0) || n < 0 || n > 1000 {
		t.Errorf("repeated %d times", n)
	}
	if e := s.Escalate; e != nil && (e.After < time.Second || (e.Command != nil) == (e.Publish != nil) || e.Publish != nil && (e.Publish.Sender.IsEvery() || e.Publish.Event.IsEvery())) {
		t.Errorf("%+v", e)
	}
	for _, a := range s.Actions {
		does := 0
		for _, is := range []bool{a.Open != nil, a.Snooze > 0, a.Request != nil} {
			if is {
				does++
			}
		}
		if a.Label == nil || does != 1 || a.Request != nil && (a.Request.Method.IsEvery() || a.Request.Reply && a.Request.Params != nil) {
			t.Errorf("%+v", a)
		}
		if a.Request == nil || a.Request.Params == nil {
			continue
		}
		if v, err := a.Request.Params.Value(seen(`{"x": [1, "low", {"a": null}]}`)); err == nil {
			if text, err := json.Marshal(v); err != nil || len(text) > 2<<20 {
				t.Errorf("%d bytes of params, %v", len(text), err)
			}
		}
	}
	if c := s.Command; c != nil && (len(c.Args) > 100 || (len(c.Args) > 0) == (c.Shell != "") || strings.Contains(c.Shell, "{{")) {
		t.Errorf("%+v", c)
	}
}

func compiled(t *testing.T, text *string) *rule.Text {
	if text == nil {
		return nil
	}
	c, err := rule.CompileText(*text)
	if err != nil {
		t.Fatalf("%q: %v", *text, err)
	}
	return c
}

var noLines = cmpopts.IgnoreFields(config.Subscription{}, "Line")

// rewritten is the file without comments, with each text in quotes and each block
// in brackets or the reverse; nil if yaml reads that otherwise.
func rewritten(t *testing.T, in []byte) []byte {
	var n yaml.Node
	var before, after any
	if err := errors.Join(yaml.Unmarshal(in, &n), yaml.Unmarshal(in, &before)); err != nil {
		t.Fatal(err)
	}
	rewrite(&n)
	out, err := yaml.Marshal(&n)
	if err != nil || yaml.Unmarshal(out, &after) != nil || !reflect.DeepEqual(before, after) {
		return nil
	}
	return out
}

func rewrite(n *yaml.Node) {
	n.HeadComment, n.LineComment, n.FootComment = "", "", ""
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!str":
		n.Style = yaml.DoubleQuotedStyle
	case n.Kind == yaml.MappingNode, n.Kind == yaml.SequenceNode:
		n.Style ^= yaml.FlowStyle
	}
	for _, n := range n.Content {
		rewrite(n)
	}
}
