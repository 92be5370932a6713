package config_test

import (
	"encoding/json"
	"strings"
	"testing"
	"text/template"
	"time"
	"unicode/utf8"

	"sigalert/agent/config"
)

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func compile(t *testing.T, text string) *template.Template {
	t.Helper()
	c, err := config.Parse("c.yaml", []byte("subscriptions: [{sender: a, title: "+quote(text)+"}]"))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c.Subscriptions[0].Title
}

func TestRender(t *testing.T) {
	fields := config.Fields{
		Sender: "timer", Event: "tick", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Data: map[string]any{
			"a": json.Number("1"), "text": "t", "null": nil, "list": []any{json.Number("1"), "b"},
			"odd": "<no value> <b>", "my-key": "k", "deep": map[string]any{"er": "x"},
		},
	}
	for in, want := range map[string]string{
		`{{.Data.a}} {{.Data.none.deeper}} {{.Data.null.deeper}}`:  "1  ",
		`{{.Data.text.deeper}}{{.Data.list.deeper}}`:               "",
		`{{.Data.deep.er}} {{$.Data.deep.er}} {{(.Data.deep).er}}`: "x x x",
		`{{.Data.odd}}`: "<no value> <b>", `{{index .Data "my-key"}}{{index .Data "no-key"}}`: "k",
		`{{.Data.none | default "x"}} {{default "x" .Data.a}}`:                         "x 1",
		`{{.Data.list}} {{json .Data.list}} {{.Data.deep}}`:                            `[1,"b"] [1,"b"] {"er":"x"}`,
		`{{json .Data.odd}} {{json .Data.none}}`:                                       `"<no value> <b>" null`,
		`{{upper .Sender}} {{lower "A"}} {{trim " b "}}`:                               "TIMER a b",
		`[{{upper .Data.none}}{{.Data.none | truncate 5}}{{trim .Data.null}}]`:         "[]",
		`{{truncate 2 "éèê"}} {{"ab" | truncate 2}} {{truncate 3 .Data.list}}`:         `éè… ab [1,…`,
		`{{range .Data.list}}<{{.}}{{.none}}>{{end}}`:                                  "<1><b>",
		`{{range $i, $e := .Data.list}}{{$i}}{{$e}}{{$e.x}}{{end}}`:                    "011b",
		`{{range .Data.none}}x{{else}}empty{{end}}`:                                    "empty",
		`{{.Time.Year}} {{.Time.Format "15:04"}} {{.Event}}`:                           "2026 03:04 tick",
		`{{with .Time}}{{.Year}} {{.Format "15:04"}}{{end}}`:                           "2026 03:04",
		`{{$t := .Time}}{{$t.Year}} {{$t.Format "15:04"}} {{.Time.UTC.Hour}}`:          "2026 03:04 3",
		`{{with .Data.none}}{{.x}}{{else}}nothing{{end}}`:                              "nothing",
		`{{with .Data.none}}{{else with .Data.deep}}{{.er}}{{end}}`:                    "x",
		`{{if eq .Data.text "t"}}yes{{end}}{{if eq .Data.none "t"}}no{{end}}`:          "yes",
		`{{define "d"}}{{.Sender}} {{.Data.deep.er}}{{end}}{{template "d" .}}`:         "timer x",
		`{{block "d" .Data.deep}}{{.er}}{{.none}}{{end}}`:                              "x",
		`{{printf "%s-%v" .Sender .Data.a}} {{len .Data.list}} {{index .Data.list 1}}`: "timer-1 2 b",
		`{{$x := .}}{{$x.Sender}} {{$x.Data.a}}`:                                       "timer 1",
		`{{.Sender | printf "%s!"}} {{not true}}`:                                      "timer! false",
	} {
		if got, err := config.Render(compile(t, in), fields); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", in, got, err, want)
		}
	}
}

// A block text has a line break at its end, and conditions leave blank lines.
func TestRenderLeavesOutBlankLinesAtTheEnd(t *testing.T) {
	const yaml = `subscriptions:
  - sender: x
    title: "{{.Event}} "
    body: |

      {{if .Data.ok}}
      yes
      {{end}}
      end
      {{.Data.more}}
`
	c, err := config.Parse("c.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	sub := c.Subscriptions[0]
	for more, want := range map[any]string{nil: "\n\nyes\n\nend", "on \r\n \n": "\n\nyes\n\nend\non "} {
		fields := config.Fields{Event: "e", Data: map[string]any{"ok": true, "more": more}}
		got, err := config.Render(sub.Body, fields)
		if err != nil || got != want {
			t.Errorf("%v: got %q, %v, want %q", more, got, err, want)
		}
		if got, err := config.Render(sub.Title, fields); err != nil || got != "e " {
			t.Errorf("the title: %q, %v", got, err)
		}
	}
}

// A template for objects makes no trouble when the data is something else.
func TestRenderAnyData(t *testing.T) {
	tmpl := compile(t, `{{.Data.a}}{{.Data.a.b}}{{if .Data.a}}x{{end}}{{with .Data.a}}{{.b}}{{end}}{{range .Data.a}}{{.}}{{end}}{{upper .Data.a}}.`)
	for _, data := range []any{nil, true, "text", json.Number("1"), 1.5, []any{"a"}, map[string]any{}, map[string]any{"a": nil}} {
		if got, err := config.Render(tmpl, config.Fields{Data: data}); err != nil || got != "." {
			t.Errorf("%v: %q, %v", data, got, err)
		}
	}
	for want, data := range map[string]any{
		"": nil, "true": true, "text": "text", "1": json.Number("1"), "1.5": 1.5, `["a"]`: []any{"a"}, `{"a":null}`: map[string]any{"a": nil},
	} {
		if got, err := config.Render(compile(t, `{{.Data}}`), config.Fields{Data: data}); err != nil || got != want {
			t.Errorf("%v: %q, %v", data, got, err)
		}
	}
	if got, err := config.Render(compile(t, `{{len .Data}}`), config.Fields{Data: true}); err == nil {
		t.Errorf("the length of true: %q", got)
	}
}

func TestRenderIsBounded(t *testing.T) {
	many := config.Fields{Data: make([]any, 1<<20)}
	text, err := config.Render(compile(t, `{{range .Data}}{{range $.Data}}é{{end}}{{end}}`), many)
	if err != nil || len(text) != 64<<10 || !utf8.ValidString(text) {
		t.Errorf("a text of 2 TiB: %d bytes, %v", len(text), err)
	}
	text, err = config.Render(compile(t, `x{{.Data}}`), config.Fields{Data: strings.Repeat("é", 1<<20)})
	if err != nil || len(text) != 64<<10-1 || !utf8.ValidString(text) {
		t.Errorf("cut within a letter: %d bytes, %v", len(text), err)
	}
	if _, err = config.Render(compile(t, `{{range .Data}}{{range $.Data}}{{end}}{{end}}`), many); err == nil {
		t.Error("a loop of 2^40 turns that writes nothing")
	}
	// Nor does what each turn makes add up without a bound; a rendering has
	// nothing to do with the one before it.
	few, some := make([]any, 10), make([]any, 1000)
	for name, text := range map[string]string{
		"printf":   `{{range .Data}}{{$x := printf "%1000000d" 1}}{{end}}done`,
		"upper":    `{{range .Data}}{{if upper (printf "%500000d" 1)}}{{end}}{{end}}done`,
		"truncate": `{{$x := printf "%1000000d" 1}}{{range .Data}}{{if truncate 1 $x}}{{end}}{{end}}done`,
	} {
		tmpl := compile(t, text)
		for range 3 {
			if text, err := config.Render(tmpl, config.Fields{Data: few}); err != nil || text != "done" {
				t.Errorf("%s, 10 turns: %q, %v", name, text, err)
			}
		}
		if _, err := config.Render(tmpl, config.Fields{Data: some}); err == nil || !strings.Contains(err.Error(), "16 MiB") {
			t.Errorf("%s, 1,000 turns: %v", name, err)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	c, err := config.Parse("c.yaml", []byte("subscriptions: [{sender: a, title: '{{upper .Sender}} {{.Data.a}}'}]"))
	if err != nil {
		b.Fatal(err)
	}
	f := config.Fields{Sender: "timer", Data: map[string]any{"a": "b"}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := config.Render(c.Subscriptions[0].Title, f); err != nil {
			b.Fatal(err)
		}
	}
}
