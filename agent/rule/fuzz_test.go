package rule_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"sigalert/agent/rule"
)

func FuzzCompile(f *testing.F) {
	for _, expr := range costly {
		f.Add(expr, `{"list": [1, "a"], "text": "abc", "o": {"k": 1}, "n": 3}`)
	}
	for _, seed := range []string{`data.a?.b[0] ?? "x"`, `{"a": 1}.a`, `time.Hour() > 3`, `a < b < c`, `.Data.x`, `let x = 1; x`, `$env`, `if data { 1 } else { 2 }`, `#`, `::upper("a")`, `"a" | upper()`} {
		f.Add(seed, `5`)
	}
	f.Fuzz(func(t *testing.T, expr, data string) {
		for _, want := range []rule.Want{rule.Value, rule.Condition} {
			x, err := rule.Compile(expr, want)
			if err != nil {
				if fs, ok := err.(rule.Faults); !ok || len(fs) != 1 || fs[0].Line < 1 || fs[0].Column < 1 || fs[0].What == "" {
					t.Fatalf("%#v", err)
				}
				continue
			}
			if !json.Valid([]byte(data)) {
				data = "null"
			}
			ev := event(data)
			if v, err := x.Eval(ev); err == nil {
				rule.Show(v)
				rule.JSON(v)
			}
			x.Explain(ev)
		}
	})
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"a {{ data.x }} b", `{{ "}}" }}`, "{{if .Data.x}}a{{else}}b{{end}}", "{{ {} }}", "{{{{}}}}", "{{- .x -}}", "{{`", "{{ '", "{{/*", "{{//", "ä{{ dta }}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := rule.CompileText(text)
		if err != nil {
			if fs, ok := err.(rule.Faults); !ok || len(fs) == 0 || fs[0].Line < 1 || fs[0].Column < 1 {
				t.Fatalf("%#v", err)
			}
			return
		}
		x.Render(event(`{"x": [1, 2]}`))
	})
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a": [1, 2.5e3, "x\"\u00e4", true, false, null, {}]}`, `[]`, ` { "a" : 1 , "b" : [ 1 , 2 ] } `, `-0`, `"ä"`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data string) {
		var want any
		if json.Unmarshal([]byte(data), &want) != nil {
			return
		}
		x, err := rule.Compile("data", rule.Value)
		if err != nil {
			t.Fatal(err)
		}
		v, err := x.Eval(event(data))
		if err != nil {
			return // deeper than an event's data can be
		}
		var got any
		if err := json.Unmarshal([]byte(rule.JSON(v)), &got); err != nil && len(data) < 1<<20 {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%v, not %v", got, want)
		}
	})
}
