package rule_test

import (
	"fmt"
	"strings"
	"testing"

	"sigalert/agent/rule"
)

// hostile are events as large as they can be, or a part of that.
func hostile(part int) map[string]string {
	members := new(strings.Builder)
	members.WriteString(`{"list": [1`)
	for i := range 90_000 / part {
		fmt.Fprintf(members, ",%d", i)
	}
	members.WriteString(`], "o": {"k": 1`)
	for i := range 20_000 / part {
		fmt.Fprintf(members, `,"k%d":%d`, i, i)
	}
	fmt.Fprintf(members, `}, "text": %q}`, strings.Repeat("ab ", 100_000/part))
	return map[string]string{
		"members": members.String(),
		"deep":    strings.Repeat(`{"a":`, 4_990) + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000) + strings.Repeat("}", 4_990),
		"strings": `{"list": ["` + strings.Repeat(`a", "`, 170_000/part) + `"], "text": "` + strings.Repeat("a", 100_000/part) + `"}`,
		"long":    `{"text": "` + strings.Repeat("a", 1_000_000/part) + `", "n": ` + strings.Repeat("9", 40_000/part) + `}`,
		"numbers": `{"list": [` + strings.Repeat("1.1,", 250_000/part) + `1]}`,
	}
}

// costly are expressions whose work grows with the data.
var costly = []string{
	`any(data.list, data.text contains #)`, `any(data.list, # == data)`, `all(data.list, data.list == data.list)`, `filter(data.list, # in data.list)`,
	`map(data.list, data)`, `map(data.list, json(data))`, `map(data.list, string(data.text))`, `map(data.list, upper(data.text))`, `map(data.list, data.list)`,
	`reduce(data.list, #acc + "x" + string(#), "")`, `reduce(data.list, #acc + #acc, "x")`, `reduce(data.list, concat(#acc, #acc), [1])`, `reduce(data.list, [#acc, #acc], 1)`,
	`sort(data.list)`, `sortBy(data.list, #)`, `groupBy(data.list, #)`, `uniq(data.list)`, `flatten(data)`, `flatten(data.list)`, `keys(data.o)`, `toPairs(data.o)`,
	`data.text matches "(a|b|aa)*c"`, `data.text matches "(a?){25}a{25}"`, `map(data.list, data.text matches "x$")`, `split(data.text, "")`, `replace(data.text, "", data.text)`,
	`replace(data.text, "a", data.text)`, `join(map(data.list, string(#)), data.text)`, `map(data.list, split(data.text, ""))`, `map(data.list, reverse(data.list))`,
	`mean(data.list)`, `median(data.list)`, `max(data.list)`, `sum(map(filter(data.list, # > 1), # * 2))`, `map(data.list, len(data.text))`, `map(data.list, data.text[1:])`,
	`json(data)`, `data`, `map(1..100000, data.text + "x")`, `data.n * 2`, `int(data.text)`, `fromJSON(data.text)`, `map(data.list, truncate(data.text, 10))`, `map(data.list, data.text < data.text)`,
	`map(data.list, indexOf(data.text, "z"))`, `data == data`, `map(data.list, take(data.list, 5))`, `map(data.list, keys(data.o))`, `map(data.list, 1..90000)`, `map(data.list, date(data.text))`,
}

// TestHostile has each expression either work or fail.
func TestHostile(t *testing.T) {
	for name, data := range hostile(10) {
		for _, expr := range costly {
			x, err := rule.CompileText("{{" + expr + "}}")
			if err != nil {
				t.Errorf("%s: %v", expr, err)
				continue
			}
			if text, _ := x.Render(event(data)); len(text) > 64<<10 {
				t.Errorf("%s, %s: a text of %d bytes", name, expr, len(text))
			}
		}
	}
}

// What takes long each time cannot be done for each element of a list.
func TestWorkIsCounted(t *testing.T) {
	list := "[1" + strings.Repeat(",1", 4_000) + "]"
	members := new(strings.Builder)
	for i := range 10_000 {
		fmt.Fprintf(members, `"k%d":1,`, i)
	}
	for data, exprs := range map[string][]string{
		`{"text": "` + strings.Repeat("1h", 100_000) + `", "list": ` + list + `}`: {
			`map(data.list, duration(data.text))`, `map(data.list, data[data.text])`, `map(data.list, get(data, data.text))`,
			`filter(data.list, data.text in data)`, `groupBy(data.list, data.text)`, `map(data.list, upper(data.text))`,
		},
		`{"text": "` + strings.Repeat("9", 300) + strings.Repeat(" ", 100_000) + `", "list": ` + list + `}`: {
			`map(data.list, float(data.text))`, `map(data.list, int(data.text[:15] + data.text[300:]))`,
		},
		`{"n": ` + strings.Repeat("9", 100_000) + `, "list": [` + strings.Repeat("12345678901234567890,", 4_000) + `1]}`: {
			`data.n in data.list`, `filter(data.list, # == data.n)`, `groupBy(data.list, data.n)`,
		},
		`{"o": {` + members.String() + `"k": 1}, "list": ` + list + `}`: {
			`map(data.list, string(data.o))`, `join(map(data.list, data.o))`, `fromPairs(map(data.list, [data.o, 1]))`, `map(data.list, {{(data.o): 1}})`,
		},
		list: {`map(data, time.Format("` + strings.Repeat("1", 999) + `"))`},
	} {
		for _, expr := range exprs {
			x, err := rule.Compile(expr, rule.Value)
			if err != nil {
				t.Errorf("%s: %v", expr, err)
				continue
			}
			if _, err := x.Eval(event(data)); err == nil || !strings.HasSuffix(err.Error(), "it takes too much work for this event's data") {
				t.Errorf("%s: %v", expr, err)
			}
		}
	}
}

// An expression that takes too much leaves work for those after it, but together they
// cannot go on for ever.
func TestWorkIsShared(t *testing.T) {
	compile := func(expr string) *rule.Expr {
		x, err := rule.Compile(expr, rule.Value)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	costly, large, small := compile(`map(data.list, upper(data.text))`), compile(`json(data)`), compile(`data.n > 2 && data.host startsWith "web"`)
	ev := event(`{"host": "web-1", "n": 3, "list": [1` + strings.Repeat(",1", 4_000) + `], "text": "` + strings.Repeat("a", 100_000) + `"}`)
	for n := range 100 {
		if _, err := costly.Eval(ev); err == nil {
			t.Error("the costly one works")
		}
		if _, err := large.Eval(ev); (err == nil) != (n < 4) {
			t.Errorf("the large one, time %d: %v", n, err)
		}
		if v, err := small.Eval(ev); v != true {
			t.Errorf("the small one, time %d: %v, %v", n, v, err)
		}
	}
}

// A number of any length is read once, whatever is done with it.
// A pattern that is too large is refused before it takes long.
func BenchmarkHugePattern(b *testing.B) {
	text := `data matches "` + strings.Repeat("a{1000}", 145) + `"`
	for b.Loop() {
		if _, err := rule.Compile(text, rule.Condition); err == nil {
			b.Fatal("taken")
		}
	}
}

func BenchmarkLongNumber(b *testing.B) {
	x, err := rule.Compile(`count(data.list, # < data.n && abs(data.n) > #)`, rule.Value)
	if err != nil {
		b.Fatal(err)
	}
	data := `{"n": ` + strings.Repeat("9", 500_000) + `, "list": [1` + strings.Repeat(",1", 20_000) + `]}`
	b.ReportAllocs()
	for b.Loop() {
		x.Eval(event(data))
	}
}

// BenchmarkDecode is the decoding of large data.
func BenchmarkDecode(b *testing.B) {
	for name, data := range hostile(1) {
		b.Run(name, func(b *testing.B) {
			x, err := rule.Compile("data == nil", rule.Condition)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				x.Holds(event(data))
			}
		})
	}
}

// BenchmarkHostile evaluates all costly rules for one event: together they are bounded.
func BenchmarkHostile(b *testing.B) {
	for name, data := range hostile(1) {
		b.Run(name, func(b *testing.B) {
			var texts []*rule.Text
			for _, expr := range costly {
				x, err := rule.CompileText("{{" + expr + "}}")
				if err != nil {
					b.Fatal(err)
				}
				texts = append(texts, x)
			}
			b.ReportAllocs()
			for b.Loop() {
				ev := event(data)
				for _, x := range texts {
					x.Render(ev)
				}
			}
		})
	}
}

func TestCut(t *testing.T) {
	x, err := rule.CompileText("a{{ data }}b")
	if err != nil {
		t.Fatal(err)
	}
	text, err := x.Render(event(`"` + strings.Repeat("ä", 50_000) + `"`))
	if err != nil || len(text) != 64<<10-1 || !strings.HasSuffix(text, "ä") {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rule.Compile(`data.temp > 30 && data.room != "attic"`, rule.Condition); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompileText(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rule.CompileText("Build {{ data.number }} of {{ sender }} failed"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHolds(b *testing.B) {
	x, err := rule.Compile(`data.temp > 20 && data.room == "attic"`, rule.Condition)
	if err != nil {
		b.Fatal(err)
	}
	ev := event(`{"temp": 35.5, "room": "attic"}`)
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := x.Holds(ev); !ok || err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEvent(b *testing.B) {
	x, err := rule.Compile(`data.temp > 20 && data.room == "attic"`, rule.Condition)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := x.Holds(event(`{"temp": 35.5, "room": "attic"}`)); !ok || err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	x, err := rule.CompileText(`{{ sender }}: {{ data.temp }} °C in {{ upper(data.room) }}`)
	if err != nil {
		b.Fatal(err)
	}
	ev := event(`{"temp": 35.5, "room": "attic"}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := x.Render(ev); err != nil {
			b.Fatal(err)
		}
	}
}
