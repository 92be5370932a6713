package rule_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sigalert/agent/rule"
	"sigalert/sig"
)

var zone = time.FixedZone("", 3600)

// event is one with this data, a minute old.
func event(data string) *rule.Event {
	at := time.Date(2026, 11, 30, 8, 5, 0, 0, time.UTC)
	ev := sig.Event{Sender: "build", Event: "done", Data: sig.JSONData([]byte(data)), Time: at}
	return rule.NewEvent(ev, at.Add(time.Minute).In(zone))
}

const sample = `{
	"temp": 21.5, "n": 7, "big": 12345678901234567890, "small": 0.1, "pi": 3.14159265358979323846, "million": 1000000, "huge": 1e400,
	"room": "attic", "ok": true, "off": false, "none": null, "my-key": "k", "text": "Ünï\"<&>",
	"list": [3, 1, 2], "deep": {"a": {"b": ["x", {"c": 5}]}}, "tags": ["red", "green"],
	"disks": [{"name": "sda", "free": 5}, {"name": "sdb", "free": 90}], "started": "2026-11-30T08:00:00Z", "at": 1796025600
}`

func TestEval(t *testing.T) {
	for _, test := range []struct{ expr, want string }{
		// variables and members
		{`sender`, "build"}, {`event`, "done"}, {`time`, "2026-11-30 09:05"}, {`data.room`, "attic"},
		{`data.deep.a.b[1].c`, "5"}, {`data.deep.a.b[-1].c`, "5"}, {`data["my-key"]`, "k"}, {`data?.deep?.a?.zz?.b`, ""},
		{`data.x.y.z`, ""}, {`data.list[0]`, "3"}, {`data.list[9]`, ""}, {`data.list[-9]`, ""}, {`data.list.x`, ""}, {`data.room.x[1]`, ""},
		{`data[sender]`, ""}, {`data.temp[0].x`, ""}, {`[1, 2][5]`, ""}, {`{"a": {"b": 1}}.a.b`, "1"}, {`data["ro" + "om"]`, "attic"},
		// numbers
		{`data.n`, "7"}, {`data.temp`, "21.5"}, {`data.big`, "12345678901234567890"}, {`data.small`, "0.1"},
		{`data.pi`, "3.14159265358979323846"}, {`data.million`, "1000000"}, {`data.million * 1.0`, "1000000"}, {`data.huge`, "1e400"},
		{`data.small + 0.2`, "0.30000000000000004"}, {`7 / 2`, "3.5"}, {`6 / 2`, "3"}, {`7 % 4`, "3"}, {`2 ** 10`, "1024"}, {`-data.n`, "-7"}, {`+data.n`, "7"},
		{`9223372036854775807 + 1`, "9223372036854776000"}, {`9223372036854775807 * 2`, "18446744073709552000"}, {`-9223372036854775807 - 2`, "-9223372036854776000"},
		{`data.big > 5`, "true"}, {`data.big < 5`, "false"}, {`data.big == data.big`, "true"}, {`data.big == 5`, "false"}, {`fromJSON("-12345678901234567890") == data.big`, "false"}, {`data.huge > 1e300`, "true"}, {`1.0 == 1`, "true"},
		// nil
		{`data.x > 3`, "false"}, {`data.x < 3`, "false"}, {`data.x <= 3`, "false"}, {`3 >= data.x`, "false"}, {`data.x == 3`, "false"}, {`data.x == ""`, "false"},
		{`data.x == nil`, "true"}, {`data.none == nil`, "true"}, {`data.room != nil`, "true"}, {`data.x != "attic"`, "true"}, {`data.x ?? "none"`, "none"}, {`data.x.y ?? data.room`, "attic"},
		{`!data.x`, "true"}, {`data.x && data.ok`, "false"}, {`data.x || data.ok`, "true"}, {`data.x ? 1 : 2`, "2"}, {`data.x contains "a"`, "false"},
		{`data.x startsWith "a"`, "false"}, {`data.x matches "a"`, "false"}, {`1 in data.x`, "false"}, {`any(data.x, # > 1)`, "false"}, {`all(data.x, # > 1)`, "true"}, {`len(data.x)`, ""}, {`len(data.x) > 1`, "false"},
		{`upper(data.x)`, ""}, {`data.x[1:2]`, ""}, {`hasPrefix(data.x, "a")`, "false"}, {`date(data.x)`, ""},
		// mixed types
		{`data.room > 3`, "false"}, {`data.list < 3`, "false"}, {`data.room == 3`, "false"}, {`data.n == "7"`, "false"}, {`data.list == [3, 1, 2.0]`, "true"},
		{`data.deep.a == {"b": ["x", {"c": 5}]}`, "true"}, {`data.deep == data.list`, "false"}, {`"a" < "b"`, "true"}, {`1 < data.n < 9`, "true"}, {`1 < data.n < 5`, "false"},
		// text
		{`"Temp: " + data.room`, "Temp: attic"}, {`data.text`, `Ünï"<&>`}, {`data.text[0:3]`, "Ünï"}, {`data.text[-3:]`, "<&>"}, {`data.text[5:2]`, ""}, {`len(data.text)`, "7"},
		{`upper(data.text)`, `ÜNÏ"<&>`}, {`data.room | upper() | truncate(3)`, "AT…"}, {`truncate(data.room, 9)`, "attic"}, {`truncate(data.room, 0)`, ""},
		{`trim("  a ")`, "a"}, {`trim("xax", "x")`, "a"}, {`trimPrefix("v1", "v")`, "1"}, {`trimSuffix("a.go", ".go")`, "a"}, {`replace("aXbX", "X", "-")`, "a-b-"}, {`replace("aXbX", "X", "-", 1)`, "a-bX"},
		{`split("a,b", ",")`, `["a","b"]`}, {`split("a,b,c", ",", 2)[1]`, "b,c"}, {`splitAfter("a,b", ",")`, `["a,","b"]`}, {`join(data.list, "-")`, "3-1-2"}, {`join(data.tags)`, "redgreen"},
		{`indexOf(data.text, "ï")`, "2"}, {`lastIndexOf("abab", "b")`, "3"}, {`indexOf("a", "b")`, "-1"}, {`hasSuffix(data.room, "ic")`, "true"},
		{`data.room matches "^att"`, "true"}, {"data.room matches `\\d`", "false"}, {`data.room not in ["a", "b"]`, "true"}, {`data.room in ["attic"]`, "true"}, {`"temp" in data`, "true"}, {`3 in data.list`, "true"},
		{`not (data.room contains "tt")`, "false"}, {`toBase64("hi")`, "aGk="}, {`fromBase64("aGk=")`, "hi"}, {`fromJSON("{\"a\": 12345678901234567890}").a`, "12345678901234567890"}, {`string(nil)`, ""}, {`string(5)`, "5"},
		{"\"{{\" + '}}'", "{{}}"}, {`"\u0041"`, "A"},
		// shown
		{`data.ok`, "true"}, {`data.deep`, `{"a":{"b":["x",{"c":5}]}}`}, {`[data.big, data.text, nil]`, `[12345678901234567890,"Ünï\"<&>",null]`}, {`json(data.room)`, `"attic"`}, {`json(data.x)`, "null"}, {`json(time)`, `"2026-11-30T09:05:00+01:00"`},
		{`{"b": 1, "a": time}`, `{"a":"2026-11-30T09:05:00+01:00","b":1}`}, {`{(sender): 1}`, `{"build":1}`},
		// lists
		{`filter(data.disks, .free < 10)`, `[{"free":5,"name":"sda"}]`}, {`map(data.disks, .name)`, `["sda","sdb"]`}, {`map(data.list, # * #index)`, "[0,1,4]"}, {`count(data.list, # > 1)`, "2"}, {`count([true, nil, false])`, "1"}, {`sum(data.list)`, "6"}, {`sum(data.disks, .free)`, "95"},
		{`all(data.list, # > 0)`, "true"}, {`none(data.list, # > 5)`, "true"}, {`one(data.list, # == 1)`, "true"}, {`find(data.disks, .name == "sdb").free`, "90"}, {`findIndex(data.list, # == 1)`, "1"}, {`findLast(data.list, # > 1)`, "2"}, {`findLastIndex(data.list, # > 1)`, "2"},
		{`groupBy([1, "1", 2, "1"], #)["1"] | len()`, "3"},
		{`groupBy(data.disks, .name)["sda"][0].free`, "5"}, {`sortBy(data.disks, .free, "desc")[0].name`, "sdb"}, {`reduce(data.list, #acc + #)`, "6"}, {`reduce(data.list, #acc + #, 10)`, "16"}, {`len(filter(data.list, # > 1)) > 1`, "true"},
		{`first(data.list)`, "3"}, {`last(data.list)`, "2"}, {`first([])`, ""}, {`take(data.list, 2)`, "[3,1]"}, {`reverse(data.list)`, "[2,1,3]"}, {`sort(data.list)`, "[1,2,3]"}, {`sort(data.tags, "desc")`, `["red","green"]`}, {`uniq([1, 1.0, "1"])`, `[1,"1"]`},
		{`concat(data.list, [4])`, "[3,1,2,4]"}, {`flatten([1, [2, [3]]])`, "[1,2,3]"}, {`keys(data.disks[0])`, `["free","name"]`}, {`values({"b": 2, "a": 1})`, "[1,2]"}, {`toPairs({"a": 1})`, `[["a",1]]`}, {`fromPairs([["a", 1]])`, `{"a":1}`},
		{`1..3`, "[1,2,3]"}, {`sum(map(1..3, # * 2))`, "12"}, {`get(data, "room")`, "attic"}, {`max(data.list)`, "3"}, {`min(4, 2.5)`, "2.5"}, {`mean(1, 2)`, "1.5"}, {`median([3, 1, 2, 10])`, "2.5"}, {`max([])`, ""}, {`data.list[1:]`, "[1,2]"},
		// numbers' functions
		{`round(21.56)`, "22"}, {`round(21.56, 1)`, "21.6"}, {`floor(2.9)`, "2"}, {`ceil(2.1)`, "3"}, {`abs(-3)`, "3"}, {`abs(data.temp)`, "21.5"}, {`int("12")`, "12"}, {`int(2.9)`, "2"}, {`float("2.5")`, "2.5"}, {`type(data.x)`, "nil"}, {`type(data.big)`, "float"}, {`type(data)`, "map"}, {`type(data.list)`, "array"},
		{`bytes(7300000000)`, "7.3 GB"}, {`bytes(999)`, "999 B"}, {`bytes(1000)`, "1 kB"}, {`bytes(999960)`, "1 MB"}, {`bytes(-2500)`, "-2.5 kB"},
		{`duration(125)`, "2 m 5 s"}, {`duration(5)`, "5 s"}, {`duration(0.25)`, "0.2 s"}, {`duration(7500)`, "2 h 5 m"}, {`duration(-5)`, "-5 s"},
		// times
		{`time.Hour()`, "9"}, {`time.Format("15:04")`, "09:05"}, {`time.Weekday().String()`, "Monday"}, {`time.Weekday()`, "Monday"}, {`time.Weekday() in ["Monday"]`, "true"}, {`time.Month() >= 11`, "true"}, {`time.Year()`, "2026"}, {`ago(time)`, "1 m 0 s"}, {`ago(data.started)`, "6 m 0 s"}, {`ago(data.at)`, "6 m 0 s"},
		{`date(data.started)`, "2026-11-30 09:00"}, {`date("2026-11-30 10:00")`, "2026-11-30 10:00"}, {`date(data.at)`, "2026-11-30 09:00"}, {`date("30.11.2026", "02.01.2006").Day()`, "30"}, {`time - date(data.started)`, "5 m 0 s"}, {`time - date(data.started) > duration("4m")`, "true"}, {`(time + duration("1h")).Hour()`, "10"}, {`2 * duration("1m")`, "2 m 0 s"}, {`-duration("1m")`, "-1 m 0 s"},
		// forms
		{`let x = data.n; x * 2`, "14"}, {`if data.ok { "yes" } else { "no" }`, "yes"}, {"data.ok // a comment\n ? 1 : 2", "1"}, {`data.ok ?: 2`, "true"}, {`(data.off or data.ok) and not data.off`, "true"},
	} {
		x, err := rule.Compile(test.expr, rule.Value)
		if err != nil {
			t.Errorf("%s: %v", test.expr, err)
			continue
		}
		v, err := x.Eval(event(sample))
		if err != nil {
			t.Errorf("%s: %v", test.expr, err)
			continue
		}
		if got := rule.Show(v); got != test.want {
			t.Errorf("%s: %q (%T), not %q", test.expr, got, v, test.want)
		}
	}
}

func TestHolds(t *testing.T) {
	for expr, want := range map[string]bool{
		`data.temp > 20 && data.room != "cellar"`: true,
		`data.temp > 30`: false, `data.x`: false, `data.ok`: true, `data.x.y == "a"`: false, `sender == "build"`: true,
	} {
		x, err := rule.Compile(expr, rule.Condition)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		if got, err := x.Holds(event(sample)); got != want || err != nil {
			t.Errorf("%s: %v, %v", expr, got, err)
		}
	}
}

func TestData(t *testing.T) {
	for data, want := range map[string]string{`"text"`: "text", `null`: "", `5`: "5", `-0`: "0", `1e3`: "1000", `1.10`: "1.1", `[1, {"a": 1e30}]`: `[1,{"a":1e+30}]`, `true`: "true",
		`0.000001`: "0.000001", `1E-7`: "1e-7", `100000000000000000000`: "100000000000000000000", `123456789.123456789123`: "123456789.123456789123", `9007199254740993`: "9007199254740993", `9007199254740993.0`: "9007199254740993.0", `-1e-400`: "-1e-400", `0.0`: "0"} {
		text, err := rule.CompileText("{{data}}")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := text.Render(event(data)); got != want || err != nil {
			t.Errorf("%s: %q, %v, not %q", data, got, err, want)
		}
	}
}

func TestText(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", ""}, {"plain }} { } text", "plain }} { } text"}, {"Build {{ data.n }} failed", "Build 7 failed"}, {"{{data.x}}", ""}, {"a{{sender}}b{{event}}c", "abuildbdonec"},
		{`{{ "{{" }}x}}`, "{{x}}"}, {`{{ "}}" + data.room }}`, "}}attic"}, {`{{{"a": {"b": 1}}.a.b}}`, "1"}, {`{{ {"a": {"b": 1}}}}`, `{"a":{"b":1}}`}, {"{{ data.n\n + 1 }}", "8"},
		{`{{ data.ok ? "critical" : "low" }}`, "critical"}, {`{{ join(map(data.disks, .name + ": " + string(.free)), "\n") }}`, "sda: 5\nsdb: 90"}, {"ä{{ \"ö\" }}ü", "äöü"},
	} {
		x, err := rule.CompileText(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if got, err := x.Render(event(sample)); got != test.want || err != nil {
			t.Errorf("%s: %q, %v, not %q", test.text, got, err, test.want)
		}
	}
}

func TestConstant(t *testing.T) {
	for text, want := range map[string]bool{"": true, "critical": true, "{{ 1 }}": false, "a{{ 1 }}": false} {
		x, err := rule.CompileText(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := x.Constant(); ok != want || ok && got != text {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
	}
}

func TestFaults(t *testing.T) {
	for _, test := range []struct{ expr, want string }{
		{`dta.x > 3`, "1:1: unknown name dta (did you mean data?)"},
		{"data.x > 3 &&\n  sendr == \"a\"", "2:3: unknown name sendr (did you mean sender?)"},
		{`uper(data.x) == "A"`, "1:1: unknown name uper (did you mean upper?)"},
		{`data.x > `, "1:9: the expression ends too early"},
		{`data.x = 3`, "1:8: = is not known here: to compare, write =="},
		{`data.x == "abc`, "1:15: the text has no closing quote"},
		{`data.x == “abc”`, `1:11: quotes must be straight: "text"`},
		{`sender > 3`, "1:8: > does not work with text and a number"},
		{`sender + 3 == "a"`, "1:8: + does not work with text and a number"},
		{`"text"`, "1:1: this must be true or false, not text"},
		{`  len(data)`, "1:3: this must be true or false, not a number"},
		{`upper(data.x)`, "1:1: this must be true or false, not text"},
		{`upper(5) == "A"`, "1:1: upper takes text, not a number"},
		{`upper() == "A"`, "1:1: upper takes 1 argument, not 0"},
		{`trim("a", "b", "c") == "A"`, "1:1: trim takes 1 to 2 arguments, not 3"},
		{`data.x + 1 contains "a"`, "1:12: contains needs text on both sides, not a number and text"},
		{`len(data.x) contains "a"`, "1:13: contains does not work with a number and text"},
		{`data.a && "x"`, "1:8: && does not work with a value and text"},
		{`1 / 0 == 1`, "1:3: a division by zero"},
		{`any(data.list, any(.tags, # == "x"))`, "1:27: a condition within another function's condition is not allowed: it could take too long"},
		{`data.x matches data.y`, "1:21: the regular expression after matches must be text in quotes"},
		{`data.x matches "("`, "1:8: the regular expression is wrong: missing closing ): `(`"},
		{"data.x matches \"" + strings.Repeat("a{1000}", 9) + `"`, "1:16: the regular expression is too large: repeat less in it"},
		{"data.x matches \"" + strings.Repeat("((a{30}){30})", 9) + `"`, "1:16: the regular expression is too large: repeat less in it"},
		{`data.x matches "(a{900}){9}"`, "1:8: the regular expression is wrong: invalid repeat count: `{9}`"},
		{`data.x matches "a{900}"`, "1:16: the regular expression is too large: repeat less in it"},
		{`data.x.lower() == "a"`, "1:8: write lower(…) in place of .lower(…)"},
		{`time.Hours() > 3`, "1:6: a time has no Hours (did you mean Hour?)"},
		{`time.Hour > 3`, "1:11: a function is written with (), as in time.Hour()"},
		{`data.x == date(data.y).Hour`, "1:24: a time has no members: a function is written with (), as in time.Hour()"},
		{`time[data.x] > 3`, "1:5: a time has no elements"},
		{`upper`, "1:1: upper is a function: write upper(…)"},
		{`[ago] == data.x`, "1:2: ago is a function: write ago(…)"},
		{`data.x == any`, "1:11: any is a function: write any(…)"},
		{`time.Local() == time`, "1:6: a time has no Local"},
		{`sender.foo() == 3`, "1:8: text has no foo"},
		{`now() > time`, "1:1: unknown name now: time is the event's time, and ago(time) how long ago it was"},
		{`$env.x`, "1:1: unknown name $env: use sender, event, data and time"},
		{`list(data) == nil`, "1:1: unknown name list (did you mean last?)"},
		{`.Data.temp > 30`, "1:1: this is a Go template: write data.temp > 30"},
		{`.Data`, "1:1: this is a Go template: write data"},
		{``, "1:1: an expression is missing"},
		{`filter(data.list, # > 1)`, "1:1: this must be true or false, not a list"},
		{`any("abc", # == 1)`, "1:5: any takes a list, not text"},
		{`data.1 == 2`, `1:5: an element of a list is written [1], and a key that begins with a digit in ["…"]`},
		{`data.my-key == 2`, `1:9: unknown name key: the key "my-key" is written data["my-key"]`},
		{`data["a"].b-c-d > 1`, `1:13: unknown name c: the key "b-c-d" is written data["a"]["b-c-d"]`},
		{`data.x - key`, "1:10: unknown name key (did you mean keys?)"},
		{`upper data.x`, "1:7: what a function takes stands in parentheses: write upper(…)"},
		{`printf "%d" data.x`, "1:8: unknown name printf: round(data.x, 1) rounds, and text is joined with +"},
		{`# > 1`, "1:1: # is not expected here"},
		{`let data = 1; data > 1`, "1:5: the name data is taken"},
		{`data["a"`, "1:8: the expression ends too early"},
		{`data.x == "\d"`, "1:13: a \\ in text begins one of \\n \\t \\\" \\\\ \\u0041; for a regular expression, use backquotes"},
		{`data.x == b"a"`, `1:11: b"" is not supported: leave out the b`},
		{`data.x & data.y`, "1:8: & is not known: write &&"},
		{strings.Repeat("1+", 600) + "1 > 0", "the expression is too long"},
		{strings.Repeat("(1<", 30) + "1" + strings.Repeat("<1)", 30), "the expression is too long"},
		{strings.Repeat(" ", 17<<10), "1:1: the expression is longer than 16 KiB"},
		{`1..1000000 == nil`, "1:2: a range of more than 100,000 numbers"},
	} {
		_, err := rule.Compile(test.expr, rule.Condition)
		if err == nil || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%.60s: %v, not %s", test.expr, err, test.want)
		}
	}
}

func TestTextFaults(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"{{ dta }} and\nmore {{ sendr }}", "1:4: unknown name dta (did you mean data?)\n2:9: unknown name sendr (did you mean sender?)"},
		{"äö {{ dta }}", "1:7: unknown name dta (did you mean data?)"},
		{"a {{ data.x", `1:3: "{{" has no "}}"`},
		{"{{ }}", "1:3: an expression is missing"},
		{"{{ data.x + }} {{ dta }}", "1:12: the expression ends too early\n1:19: unknown name dta (did you mean data?)"},
		{`{{ "abc }} {{ dta }}`, "1:15: unknown name dta (did you mean data?)\n1:21: the text has no closing quote"},
		{"{{.Data.x}}", "1:3: this is a Go template: write {{ data.x }}"},
		{"{{ .Sender }}", "1:4: this is a Go template: write {{ sender }}"},
		{"{{- .Data.x.y -}}", "1:3: this is a Go template: write {{ data.x.y }}"},
		{"{{if .Data.ok}}good{{else}}bad{{end}}", "1:3: this is a Go template: write {{ data.ok ? a : b }}"},
		{"{{if gt .Data.x 3}}a{{end}} {{dta}}", "1:3: this is a Go template: write {{ cond ? a : b }}\n1:31: unknown name dta (did you mean data?)"},
		{"{{range .Data}}{{.}}{{end}}", "1:3: this is a Go template: write {{ join(map(data.list, string(#)), \", \") }}\n1:18: this is a Go template: write {{ data.x }}"},
		{"{{.Data.x | upper}}", "1:3: this is a Go template: write {{ upper(data.x) }}"},
		{`{{.Data.x | default "none"}}`, `1:3: this is a Go template: write {{ data.x ?? "none" }}`},
		{`{{default "none" .Data.x}}`, `1:3: this is a Go template: write {{ data.x ?? "none" }}`},
		{`{{index .Data "my-key"}}`, `1:3: this is a Go template: write {{ data["my-key"] }}`},
		{`{{printf "%.1f" .Data.x}}`, `1:3: this is a Go template: write {{ data.x }}`},
		{`{{truncate 20 .Data.x}}`, `1:3: this is a Go template: write {{ truncate(data.x, 20) }}`},
		{"{{end}}", "1:3: this is a Go template: write {{ cond ? a : b }}"},
		{strings.Repeat("{{ 1 }}", 300), "the text has more than 200 expressions"},
		{strings.Repeat(" ", 65<<10), "1:1: the text is longer than 64 KiB"},
	} {
		_, err := rule.CompileText(test.text)
		if err == nil || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%.60s: %v, not %s", test.text, err, test.want)
		}
	}
}

// TestWorks has expressions that fail for some data, and not for all.
func TestWorks(t *testing.T) {
	for _, expr := range []string{
		`data.a + 1 > 0 && data.b contains "x"`, `(data contains "x") || data.x > 3`, `upper(data.a) == upper(data.b)`, `let x = data.a; x.b + 1 > 2`,
		`first(data.list) contains "x"`, `sum(data.list, .size * 2) > 3`, `any(data.list, .name contains "a" && .size + 1 > 2)`, `data.list[0].x + data.list[1].y > 3`,
		`int(data.x) > 3`, `date(data.x) < time`, `fromJSON(data.x).y + 1 > 2`, `data[sender] + 1 > 2`, `get(data, "x") + 1 > 2`, `find(data.list, .a == 1).size + 1 > 3`,
		`int(split(data.x, ":")[1]) > 3`, `len(data) > 3`, `data.x in data.y`, `keys(data)[0] == "a"`, `sort(data.list)[0] > 1`, `values(data)[0] + 1 > 2`, `data.x / data.y > 1`,
	} {
		if _, err := rule.Compile(expr, rule.Condition); err != nil {
			t.Errorf("%s: %v", expr, err)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, test := range []struct{ expr, data, want string }{
		{`data.name + 1`, `{"name": "x"}`, "1:11: data.name + 1: cannot add text and a number"},
		{`data.name + 1`, `{}`, "1:11: data.name + 1: cannot add nil and a number: give a default with ??"},
		{"true &&\n len(data) > 1", `5`, "2:2: true &&  len(data) > 1: len takes text, a list or an object, not a number"},
		{`data.a / data.b`, `{"a": 1, "b": 0}`, "1:8: data.a / data.b: a division by zero"},
		{`data ? 1 : 2`, `"x"`, "1:1: data ? 1 : 2: a condition must be true or false, not text"},
		{`any(data, # == 1)`, `"x"`, "1:5: any(data, # == 1): this function needs a list, not text"},
		{`int(data)`, `"x"`, "1:1: int(data): the text is not a number"},
		{`sortBy(data, .a)`, `[{"a": 1}, {"a": "x"}]`, "1:1: sortBy(data, .a): it does not work with these values"},
		{`groupBy(data, #)`, `[[1]]`, "1:1: groupBy(data, #): groupBy needs text or numbers to group by"},
		{`reduce(data, #acc + #)`, `[]`, "1:1: reduce(data, #acc + #): reduce needs a start value for an empty list"},
		{`time.Format(data)`, `5`, "1:13: time.Format(data): Format takes text, not a number"},
		{`time.Format(data)`, `"` + strings.Repeat("1", 1_001) + `"`, "1:13: time.Format(data): a format has at most 1,000 characters"},
		{`2 ** data`, `5000`, "1:3: 2 ** data: the result is too large for a number"},
		{`ago(data)`, `"x"`, `1:1: ago(data): the text is not a time such as "2006-01-02T15:04:05Z07:00"`},
	} {
		x, err := rule.Compile(test.expr, rule.Value)
		if err != nil {
			t.Errorf("%s: %v", test.expr, err)
			continue
		}
		_, err = x.Eval(event(test.data))
		e, ok := errors.AsType[*rule.Error](err)
		if !ok {
			t.Errorf("%s: %v", test.expr, err)
			continue
		}
		if got := (rule.Fault{Line: e.Line, Column: e.Column, What: e.Error()}).Error(); got != test.want {
			t.Errorf("%s: %s, not %s", test.expr, got, test.want)
		}
	}
}

func TestExplain(t *testing.T) {
	for expr, want := range map[string]string{
		`data.temp > 30 && data.room != "cellar"`: `data.temp is 21.5, data.room is "attic"`,
		`data.x.y > 30`: `data.x.y is nil`, `data["my-key"] == sender`: `data["my-key"] is "k", sender is "build"`,
		`any(data.list, # > 9)`: `data.list is [3,1,2]`, `1 < data.n < 5`: `data.n is 7`,
	} {
		x, err := rule.Compile(expr, rule.Condition)
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		if got := x.Explain(event(sample)); got != want {
			t.Errorf("%s: %s, not %s", expr, got, want)
		}
	}
}
