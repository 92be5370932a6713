package rule

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/expr-lang/expr/compiler"

	"sigalert/sig"
)

var inBackticks = regexp.MustCompile("`([^`]+)`")

// FuzzDirect has expressions computed by expr's machine too: the value and the failure
// are the same, and so is the work.
func FuzzDirect(f *testing.F) {
	docs, err := os.Open("../../docs/expressions.md")
	if err != nil {
		f.Fatal(err)
	}
	defer docs.Close()
	data := `{"temp": 21.5, "room": "attic", "list": [1, 2.5, "a", null], "o": {"k": 1}, "big": 123456789012345678901234567890, "s": "1", "t": true, "none": null}`
	for lines := bufio.NewScanner(docs); lines.Scan(); {
		for _, expr := range inBackticks.FindAllStringSubmatch(lines.Text(), -1) {
			f.Add(expr[1], data)
		}
	}
	for _, expr := range []string{
		`data.temp > 20 && data.room != "attic" || not data.t`, `data.a.b.c ?? data.room ?? 1`, `data.t ? data.list[0] : data.list[-1]`, `-data.temp ** 2 + 3 % 2`,
		`data.list + 1`, `data.s * 2`, `len(5)`, `upper(data.temp)`, `data.t and data.temp`, `!data.room`, `data.none ? 1 : 2`, `1 / 0`, `data.room[1:3]`, `data.list[1:]`,
		`round(data.temp, 1.5)`, `time > date("2020-01-01")`, `ago(time)`, `data.room matches "^a.*c$"`, `"k" in data.o`, `uniq([]) ?? "x"`, `uniq(data.empty) ?? "x"`, `data.big == data.big`,
		`duration(90) > duration(60)`, `1 in 1..3`, `float(1) == 1`, `(data.t ? true : nil) && true`, `min(1, data.temp, 2)`, `"a" + 1`, `sender + event`, `data?.["room"]`, `get(data, "room")`,
	} {
		f.Add(expr, data)
		f.Add(expr, `[1, "a", {"b": false}]`)
	}
	f.Fuzz(func(t *testing.T, expr, data string) {
		for _, want := range []Want{Value, Condition} {
			x, fault := compile(source{expr, 0, expr}, want)
			if fault != nil || x.direct == nil {
				continue
			}
			tree, config, _, _ := source{expr, 0, expr}.parse(want)
			program, err := compiler.Compile(tree, config)
			if err != nil {
				t.Fatal(err)
			}
			other := &Expr{source: x.source, program: program, data: x.data}
			now := time.Unix(1e9, 0)
			ev := sig.Event{Sender: "s", Event: "e", Time: now, Data: sig.JSONData([]byte(data))}
			one, two := NewEvent(ev, now), NewEvent(ev, now)
			v, failed := x.Eval(one)
			w, wrong := other.Eval(two)
			if JSON(v) != JSON(w) || reflect.TypeOf(v) != reflect.TypeOf(w) || failure(failed) != failure(wrong) || one.meter.left != two.meter.left {
				t.Errorf("%s of %s: %#v (%v, %d left), by expr's machine %#v (%v, %d left)", expr, data, v, failed, one.meter.left, w, wrong, two.meter.left)
			}
		}
	})
}

// failure is all of an error that matters.
func failure(err error) string {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return fmt.Sprint(err)
	}
	_, never := errors.AsType[mismatch](err)
	return fmt.Sprint(e.Line, e.Column, e, never)
}
