package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/sig"
)

func TestParse(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte(`
server: example.org
defaults: {urgency: low, presence: true, title: "T {{.Sender}}"}
subscriptions:
  - {sender: timer, event: tick, urgency: critical}
  - {sender: 5, event: 1.0}
  - {sender: true, presence: false}
  - {event: "#notify"}
  - {sender: "5", event: 2020-01-01}
  - {sender: "", event: ~}
`))
	if err != nil {
		t.Fatal(err)
	}
	if c.Server != "example.org:3000" {
		t.Errorf("server %s", c.Server)
	}
	type sub struct {
		Name     string
		JSON     string
		Urgency  notify.Urgency
		Presence bool
		Line     int
	}
	var got []sub
	for _, s := range c.Subscriptions {
		got = append(got, sub{s.String(), string(s.Sender.JSON()) + " " + string(s.Event.JSON()), s.Urgency, s.Presence, s.Line})
		if text, err := config.Render(s.Title, config.Fields{Sender: "x"}); err != nil || text != "T x" {
			t.Errorf("%s: the default title gives %q, %v", s, text, err)
		}
		if s.Body != nil {
			t.Errorf("%s has a body", s)
		}
	}
	want := []sub{
		{"timer: tick", `"timer" "tick"`, notify.Critical, true, 5},
		{"5: 1", `5 1`, notify.Low, true, 6},
		{"every event of true", `true null`, notify.Low, false, 7},
		{"#notify of any sender", `null "#notify"`, notify.Low, true, 8},
		{"5: 2020-01-01", `"5" "2020-01-01"`, notify.Low, true, 9},
		{"every event", `null null`, notify.Low, true, 10},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

const good = "subscriptions: [{sender: a}]\n"

func TestProblemsAreAllTold(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"everything at once", `servr: x
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
defaults: {sender: x}
`, `c.yaml:1: unknown key "servr" (did you mean "server"?)
c.yaml:2: server: unknown scheme "http": want tcp://HOST:PORT
c.yaml:4: subscriptions[0]: unknown key "sendr" (did you mean "sender"?)
c.yaml:4: subscriptions[0].urgency: unknown urgency "hgih": want low, normal or critical
c.yaml:4: subscriptions[0].presence: want true or false, not the text "maybe"
c.yaml:5: subscriptions[1]: want keys and values, not the text "timer"
c.yaml:6: subscriptions[2].sender: want a name, not a list
c.yaml:7: subscriptions[2]: unknown key "titel" (did you mean "title"?)
c.yaml:8: subscriptions[2].title: there is no .Sendr: a template has .Sender, .Event, .Data and .Time
c.yaml:9: subscriptions[2].body: :1: unclosed action
c.yaml:10: subscriptions[2]: unknown key "zebra"
c.yaml:11: subscriptions[3]: the key "sender" is in line 11 already
c.yaml:12: defaults: unknown key "sender"`},
		{"empty", ``, `c.yaml:1: there are no subscriptions: say what to alert for, such as "subscriptions: [{sender: timer, event: tick}]"`},
		{"comment only", "# nothing\n", `c.yaml:1: there are no subscriptions: say what to alert for, such as "subscriptions: [{sender: timer, event: tick}]"`},
		{"no list", `subscriptions: {sender: a}`, `c.yaml:1: subscriptions: want a list, not keys and values`},
		{"empty list", `subscriptions: []`, `c.yaml:1: subscriptions: the list is empty: there is nothing to alert for`},
		{"a list at the top", `[1]`, `c.yaml:1: want keys and values, not a list`},
		{"a tab", "subscriptions:\n\t- {sender: a}\n", `c.yaml:2: this is not YAML: found character that cannot start any token`},
		{"two documents", good + "---\nx: 1\n", `c.yaml:2: a second document: the file holds one`},
		{"not UTF-8", good + "\xff", `c.yaml:2: this is not UTF-8 text`},
		{"never alerts", "subscriptions:\n- {sender: a, event: 1}\n- {event: 1.0, sender: a}\n", `c.yaml:3: subscriptions[1]: never alerts: line 2 alerts for a: 1 before it`},
		{"not a number", `subscriptions: [{sender: .nan}]`, `c.yaml:1: subscriptions[0].sender: .nan is no name: quote it if it is text`},
		{"port", good + "server: host:99999", `c.yaml:2: server: "99999" is no port: a port is a number up to 65535`},
		{"merge key", "x: &x {sender: a}\nsubscriptions: [{<<: *x}]", "c.yaml:1: unknown key \"x\"\nc.yaml:2: subscriptions[0]: unknown key \"<<\""},
		{"an alias of itself", "subscriptions: &a [*a]", "c.yaml:1: subscriptions[0]: want keys and values, not a list"},
		{"null for text", "subscriptions: [{sender: a, title: }]", "c.yaml:1: subscriptions[0].title: want text, not nothing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := config.Parse("c.yaml", []byte(tc.in))
			if err == nil {
				t.Fatal("no problem")
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
	if _, err := config.Parse("c.yaml", bytes.Repeat([]byte("#"), 2<<20)); err == nil || !strings.Contains(err.Error(), "larger than 1 MiB") {
		t.Errorf("too large: %v", err)
	}
}

func TestAliases(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte("subscriptions:\n- &a {sender: x, title: &t Hello}\n- {sender: y, title: *t}\n"))
	if err != nil || len(c.Subscriptions) != 2 || c.Subscriptions[1].Title == nil {
		t.Errorf("%v, %+v", err, c)
	}
}

func TestParseServer(t *testing.T) {
	for in, want := range map[string]string{
		"": "127.0.0.1:3000", "tcp://h:1": "h:1", "tcp://h": "h:3000", "h": "h:3000", "h:80": "h:80", ":80": "127.0.0.1:80",
		"::1": "[::1]:3000", "[::1]": "[::1]:3000", "[::1]:5": "[::1]:5", "tcp://h:1/": "h:1", "10.0.0.1": "10.0.0.1:3000", " h ": "h:3000",
	} {
		if got, err := config.ParseServer(in); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"http://h", "h:x", "h:-1", "h:70000", "h:1:2", "tcp://h/path", "a b", "user@h", "tcp://"} {
		got, err := config.ParseServer(in)
		if in == "tcp://" {
			if err != nil || got != "127.0.0.1:3000" {
				t.Errorf("%q: %q, %v", in, got, err)
			}
			continue
		}
		if err == nil {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestTemplateFunctions(t *testing.T) {
	for in, want := range map[string]string{
		`{{.Data.a}} {{.Data.none.deeper}}`:               "1 ",
		`{{.Data.none | default "x"}}`:                    "x",
		`{{json .Data.list}}`:                             `[1,"b"]`,
		`{{upper .Sender}} {{lower "A"}} {{trim " b "}}`:  "TIMER a b",
		`{{truncate 2 "éèê"}} {{"ab" | truncate 2}}`:      "éè… ab",
		`{{range .Data.list}}<{{.}}>{{end}}`:              "<1><b>",
		`{{.Time.Year}} {{.Event}}`:                       "2026 tick",
		`{{with .Data.none}}{{.x}}{{else}}nothing{{end}}`: "nothing",
		`{{if eq .Data.text "t"}}yes{{end}}`:              "yes",
	} {
		c, err := config.Parse("c.yaml", []byte("subscriptions: [{sender: a, title: "+quote(in)+"}]"))
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		got, err := config.Render(c.Subscriptions[0].Title, config.Fields{
			Sender: "timer", Event: "tick", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			Data: map[string]any{"a": json.Number("1"), "text": "t", "list": []any{json.Number("1"), "b"}},
		})
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", in, got, err, want)
		}
	}
	c, err := config.Parse("c.yaml", []byte(`subscriptions: [{sender: a, title: "{{range .Data}}{{range $.Data}}xxxxxxxxxx{{end}}{{end}}"}]`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.Render(c.Subscriptions[0].Title, config.Fields{Data: make([]any, 1<<20)}); err == nil {
		t.Error("a text of 10 TiB")
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func TestExample(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "config.yaml")
	if err := config.WriteExample(path); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil || len(c.Subscriptions) != 4 {
		t.Fatalf("the example: %v, %+v", err, c)
	}
	if err := config.WriteExample(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("written over a file: %v", err)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, shown) {
		t.Error("config.example.yaml is not what the first run writes")
	}
}

func TestLoadWhatCannotBeRead(t *testing.T) {
	if _, err := config.Load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	var problems config.Problems
	if _, err := config.Load(t.TempDir()); err == nil || errors.As(err, &problems) {
		t.Errorf("a folder: %v", err)
	}
}

func TestNamesKeepNUL(t *testing.T) {
	c, err := config.Parse("c.yaml", []byte(`subscriptions: [{sender: "\0x"}]`))
	if err != nil {
		t.Fatal(err)
	}
	if want, _ := sig.ParseName([]byte(`"\u0000x"`)); !c.Subscriptions[0].Sender.Equal(want) {
		t.Errorf("got %q", c.Subscriptions[0].Sender)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("a: &a [*a, *a]\nsubscriptions: *a"))
	f.Add([]byte("subscriptions:\n- sender: 0x1F\n  title: '{{template \"x\"}}'\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := config.Parse("c.yaml", in)
		var problems config.Problems
		switch {
		case err == nil:
			if len(c.Subscriptions) == 0 {
				t.Error("no subscription, and no problem")
			}
		case !errors.As(err, &problems) || len(problems) == 0:
			t.Errorf("%T %v", err, err)
		}
		for _, p := range problems {
			if p.Line < 1 || p.Line > bytes.Count(in, []byte("\n"))+2 || p.What == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}

func ExampleProblems() {
	_, err := config.Parse("config.yaml", []byte("subscriptions:\n  - {sender: timer, titel: Hello}\n"))
	fmt.Println(err)
	// Output: config.yaml:2: subscriptions[0]: unknown key "titel" (did you mean "title"?)
}
