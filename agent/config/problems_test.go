package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
)

const (
	good = "subscriptions: [{sender: a}]\n"
	none = `there are no subscriptions: say what to alert for, such as "subscriptions: [{sender: timer, event: tick}]"`
)

func TestProblemsAreAllTold(t *testing.T) {
	_, err := config.Parse("c.yaml", []byte(`servr: x
server: http://host
subscriptions:
  - {sendr: timer, urgency: hgih, presence: maybe}
  - timer
  - sender: [a]
    titel: x
    title: "{{.Sendr}}"
    body: "{{.Data"
    zebra: 1
  - {sender: timer, sender: clock}
  - sender: builds
    body: |
      {{.Data.project}}
      {{if .Data.failed}}{{.Evnt}}{{end}}
      {{$.Tme}}
  - {sender: a, event: 1}
  - {event: 1.0, sender: a}
defaults: {sender: x, urgncy: low}
`))
	if err == nil {
		t.Fatal("no problem")
	}
	want := `c.yaml:1: unknown key "servr" (did you mean "server"?)
c.yaml:2: server: unknown scheme "http": use tcp://HOST:PORT
c.yaml:4: subscriptions[0]: unknown key "sendr" (did you mean "sender"?)
c.yaml:4: subscriptions[0].urgency: unknown urgency "hgih": must be low, normal or critical
c.yaml:4: subscriptions[0].presence: must be true or false, not the text "maybe"
c.yaml:5: subscriptions[1]: must be keys and values, not the text "timer"
c.yaml:6: subscriptions[2].sender: must be a name, not a list
c.yaml:7: subscriptions[2]: unknown key "titel" (did you mean "title"?)
c.yaml:8: subscriptions[2].title: there is no .Sendr: a template has .Sender, .Event, .Data and .Time
c.yaml:9: subscriptions[2].body: unclosed action
c.yaml:10: subscriptions[2]: unknown key "zebra"
c.yaml:11: subscriptions[3]: the key "sender" is already on line 11
c.yaml:15: subscriptions[4].body: there is no .Evnt: a template has .Sender, .Event, .Data and .Time
c.yaml:16: subscriptions[4].body: there is no .Tme: a template has .Sender, .Event, .Data and .Time
c.yaml:18: subscriptions[6]: never alerts: line 17 matches first
c.yaml:19: defaults: unknown key "sender"
c.yaml:19: defaults: unknown key "urgncy" (did you mean "urgency"?)`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestProblems(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"empty", ``, `1: ` + none},
		{"comment only", "# nothing\n", `1: ` + none},
		{"null", "---\n~\n", `1: ` + none},
		{"a server alone", "\nserver: a\n", `2: ` + none},
		{"no list", `subscriptions: {sender: a}`, `1: subscriptions: must be a list, not keys and values`},
		{"empty list", `subscriptions: []`, `1: subscriptions: the list is empty: say what to alert for, such as "- {sender: timer, event: tick}"`},
		{"nothing for a list", `subscriptions:`, `1: subscriptions: the list is empty: say what to alert for, such as "- {sender: timer, event: tick}"`},
		{"a list at the top", `[1]`, `1: must be keys and values, not a list`},
		{"a key that is a list", good + "? [x]\n: 1\n", `2: must be a key, not a list`},
		{"merge key", "subscriptions:\n- &x {sender: a}\n- {<<: *x, event: b}", `3: subscriptions[1]: "<<" is not supported: put what all subscriptions share into "defaults"`},
		{"an alias of itself", "subscriptions: &a [*a]", "1: subscriptions[0]: must be keys and values, not a list"},
		{"null for text", "subscriptions: [{sender: a, title: }]", "1: subscriptions[0].title: must be text, not nothing"},
		{"numbers for text", "server: 3000\nsubscriptions: [{sender: a, title: 42, body: true}]", "1: server: must be text, not a number\nc.yaml:2: subscriptions[0].title: must be text, not a number\nc.yaml:2: subscriptions[0].body: must be text, not true or false"},
		{"braces without quotes", "subscriptions:\n- title: {{.Sender}}\n", `2: subscriptions[0].title: must be text, not keys and values: text that begins with "{" needs quotes`},
		{"a channel without quotes", "subscriptions:\n- event: #notify me\n", `2: subscriptions[0].event: #notify is a comment here: text that begins with # needs quotes`},
		{"a comment for a list", "defaults: #none\nsubscriptions: #none\n", `2: subscriptions: the list is empty: say what to alert for, such as "- {sender: timer, event: tick}"`},
		{"yes is text", "subscriptions: [{presence: yes}]", `1: subscriptions[0].presence: must be true or false, not the text "yes"`},
		{"a number for a truth", "subscriptions: [{presence: 1}]", `1: subscriptions[0].presence: must be true or false, not a number`},
		{"a tag that lies", "subscriptions: [{sender: !!int abc, event: !!bool 5}]", "1: subscriptions[0].sender: abc is not a name: quote it if it is text\nc.yaml:1: subscriptions[0].event: 5 is not a name: quote it if it is text"},
		{"not a number", `subscriptions: [{sender: .nan}, {event: -.inf}]`, "1: subscriptions[0].sender: .nan is not a name: quote it if it is text\nc.yaml:1: subscriptions[1].event: -.inf is not a name: quote it if it is text"},
		{"a long name", "subscriptions: [{sender: " + strings.Repeat("a", 1025) + "}]", `1: subscriptions[0].sender: the name is longer than 1 KiB`},
		{"port", good + "server: host:99999", `2: server: "99999" is not a port: a port is a number up to 65535`},
		{"port 0", good + "server: host:0", `2: server: a server cannot be at port 0: use a number from 1 to 65535`},
		{"nothing for a server", good + "server:", `2: server: must be text, not nothing`},
		{"every event before one", "subscriptions:\n- sender: a\n- {sender: a, event: b}\n- {sender: a, event: \"#connect\"}\n- {sender: a, event: c, presence: true}\n", `3: subscriptions[1]: never alerts: line 2 matches first`},
		{"everything first", "subscriptions:\n- presence: true\n- event: b\n", `3: subscriptions[1]: never alerts: line 2 matches first`},
		{"true is 1", "subscriptions:\n- event: true\n- event: 1\n", `3: subscriptions[1]: never alerts: line 2 matches first`},
		{"an alias of a subscription", "subscriptions:\n- &a {sender: a}\n- *a\n", `3: subscriptions[1]: never alerts: line 2 matches first`},

		{"a tab", "subscriptions:\n\t- {sender: a}\n", `2: this is not YAML: a tab indents this line: indent with spaces`},
		{"indented too little", "subscriptions:\n - sender: a\n   event: b\n  title: x\n", `4: this is not YAML: did not find expected '-' indicator`},
		{"an open list", "server: a\nsubscriptions: [{sender: a}\ndefaults: {}\n", `2: this is not YAML: did not find expected ',' or ']'`},
		{"an open quote", "subscriptions:\n- sender: \"a\n- sender: b\n", `2: this is not YAML: found unexpected end of stream`},
		{"an unknown alias", "server: a\nsubscriptions: *x\n", `2: this is not YAML: unknown anchor 'x' referenced`},
		{"a NUL byte", good + "server: \x00\n", `2: this is not YAML: control characters are not allowed`},
		{"two documents", good + "---\nx: 1\n", `2: a second document: the file must hold only one`},
		{"two documents and more", "server: a\n---\nx: 1\n", "1: " + none + "\nc.yaml:2: a second document: the file must hold only one"},
		{"not UTF-8", good + "\xff", `2: this is not UTF-8 text`},
		{"too large", strings.Repeat("#\n", 1<<19) + "#", `1: the file is larger than 1 MiB`},
		{"a fault in a large file", good + strings.Repeat("# comment\n", 4000) + "a: ]\n", `4002: this is not YAML: did not find expected node content`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := config.Parse("c.yaml", []byte(tc.in))
			if err == nil {
				t.Fatal("no problem")
			}
			if diff := cmp.Diff("c.yaml:"+tc.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTemplateProblems(t *testing.T) {
	const has = ": a template has .Sender, .Event, .Data and .Time"
	for in, want := range map[string]string{
		`{{if .Data.x}}{{.sender}}{{end}}`: `there is no .sender` + has,
		`{{range .Data}}{{$.Foo}}{{end}}`:  `there is no .Foo` + has,
		`{{upper .Foo}}`:                   `there is no .Foo` + has,
		`{{.Sender.name}}`:                 `there is no .Sender.name: .Sender is text`,
		`{{.Time.Hours}}`:                  `there is no .Time.Hours: .Time is a Go time, such as in {{.Time.Format "15:04"}}`,
		`{{template "x"}}`:                 `there is no template "x"`,
		`{{.Data.x | truncate}}`:           `truncate takes 2 arguments, not 1`,
		`{{truncate "x" .Sender}}`:         `<"x">: expected integer; found "x"`,
		`{{foo .Sender}}`:                  `function "foo" not defined`,
		`{{range 1000000000}}{{end}}`:      `the template does not end: it loops more than 100000 times`,
		`{{define "a"}}{{template "b"}}{{template "b"}}{{end}}` + doubling('b', 'z') + `{{define "z"}}{{end}}{{template "a"}}`: `the template does not end: it loops more than 100000 times`,
		`{{$x := "xx"}}{{range 100}}{{$x = print $x $x}}{{end}}`:                                                               `a text in the template grows beyond 4 MiB`,
		`{{$x := "'"}}{{range 100}}{{$x = js $x}}{{end}}`:                                                                      `a text in the template grows beyond 4 MiB`,
		`{{range 100000}}{{$x := printf "%1000000d" 1}}{{end}}`:                                                                `the template's functions make more than 16 MiB of text`,
		`{{range 9}}{{range 99}}{{$x := printf "%1000000d" 1}}{{end}}{{end}}`:                                                  `the template's functions make more than 16 MiB of text`,
		`{{$x := printf "%1000000d" 1}}{{range 99}}{{if eq (truncate 1 $x) "x"}}{{end}}{{end}}`:                                `the template's functions make more than 16 MiB of text`,
		`{{printf "` + strings.Repeat("%[1]1000000d", 51) + `" 1}}`:                                                            `a call in the template has more than 50 verbs or arguments`,
		`{{print` + strings.Repeat(" .Sender", 51) + `}}`:                                                                      `a call in the template has more than 50 verbs or arguments`,
	} {
		_, err := config.Parse("c.yaml", []byte("subscriptions: [{sender: a, body: "+quote(in)+"}]"))
		if want = "c.yaml:1: subscriptions[0].body: " + want; err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", in, err, want)
		}
	}
}

// doubling defines templates that each call the next one twice.
func doubling(from, to rune) string {
	var b strings.Builder
	for r := from; r < to; r++ {
		fmt.Fprintf(&b, `{{define "%c"}}{{template "%c"}}{{template "%c"}}{{end}}`, r, r+1, r+1)
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		good,
		"a: &a [*a, *a]\nsubscriptions: *a",
		"subscriptions:\n- sender: 0x1F\n  title: '{{template \"x\"}}'\n",
		"subscriptions: [{sender: !!bool 5, event: .inf, body: '{{range .Data.a}}{{.b.c}}{{else}}{{$.Time.Year}}{{end}}'}]",
		good + "history: {listen: &l localhost:1, limit: 0x5, age: 1d1h, token: *l}",
		"? &k server\n: ::1\ndefaults: {? *k : x, <<: {urgency: low}}\n--- x",
		"subscriptions:\n- body: |\n    {{with $x := .Data}}{{($x.a).b | default \"c\" | truncate 2}}{{else with .Time}}{{.Year}}{{end}}\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := config.Parse("c.yaml", in)
		var problems config.Problems
		if err != nil {
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Errorf("%T %v", err, err)
			}
			for _, p := range problems {
				if p.Line < 1 || p.What == "" {
					t.Errorf("%+v", p)
				}
			}
			return
		}
		if len(c.Subscriptions) == 0 {
			t.Error("no subscription, and no problem")
		}
		for _, s := range c.Subscriptions {
			if s.Body != nil && bytes.Count(in, []byte("&")) == 0 {
				for _, data := range []any{nil, "x", []any{"a"}, map[string]any{"a": nil}} {
					if text, err := config.Render(s.Body, config.Fields{Data: data, Time: time.Unix(0, 0)}); err == nil && len(text) > 64<<10 {
						t.Errorf("%d bytes", len(text))
					}
				}
			}
		}
	})
}

func ExampleProblems() {
	_, err := config.Parse("config.yaml", []byte("subscriptions:\n  - {sender: timer, titel: Hello}\n"))
	fmt.Println(err)
	// Output: config.yaml:2: subscriptions[0]: unknown key "titel" (did you mean "title"?)
}
