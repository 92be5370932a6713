package rule

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sigalert/internal/words"
)

// function is one that expressions call. Where its first argument is nil, its result
// is nil, and false where it returns a bool.
type function struct {
	// args has a letter for each argument: s text, n number, i whole number, l list,
	// o object, a anything. After ? they may be left out; * stands for any more.
	args   string
	result any  // of the type that it returns; nil: any
	nils   bool // it takes nil as a value
	call   func(m *meter, args []any) (any, error)
}

// functions are all but those that take a predicate. Of expr's own, these are left
// out: repeat and toJSON, whose results can be far larger than their arguments; now
// and timezone, which look outside; and the ones that work on bits.
var functions = map[string]function{
	"len": {args: "a", result: 0, call: func(m *meter, args []any) (any, error) {
		switch v := args[0].(type) {
		case string:
			return utf8.RuneCountInString(v), m.charge(len(v))
		case []any:
			return len(v), nil
		case map[string]any:
			return len(v), nil
		}
		return nil, mismatchf("len takes text, a list or an object, not %s", kind(args[0]))
	}},
	"type": {args: "a", result: "", nils: true, call: func(_ *meter, args []any) (any, error) { return typeName(args[0]), nil }},
	"get":  {args: "aa", call: func(m *meter, args []any) (any, error) { return operators["."](m, args[0], args[1]) }},

	"abs": {args: "n", call: func(m *meter, args []any) (any, error) {
		if order, _ := compare(args[0], 0); order < 0 {
			return negate(m, args[0], nil)
		}
		return args[0], nil
	}},
	"ceil":  {args: "n?i", call: rounding(math.Ceil)},
	"floor": {args: "n?i", call: rounding(math.Floor)},
	"round": {args: "n?i", call: rounding(math.Round)},
	"int":   {args: "a", call: toInt},
	"float": {args: "a", call: toFloat},
	"max":   {args: "a*", call: extreme("max", 1)},
	"min":   {args: "a*", call: extreme("min", -1)},
	"mean": {args: "a*", call: overNumbers("mean", func(list []float64) float64 {
		sum := 0.0
		for _, f := range list {
			sum += f
		}
		return sum / float64(len(list))
	})},
	"median": {args: "a*", call: overNumbers("median", func(list []float64) float64 {
		sort.Float64s(list)
		return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
	})},

	"string": {args: "a", result: "", nils: true, call: func(m *meter, args []any) (any, error) {
		if day, ok := args[0].(time.Weekday); ok {
			return day.String(), nil
		}
		return m.show(args[0])
	}},
	"json":        {args: "a", result: "", nils: true, call: func(m *meter, args []any) (any, error) { return m.json(args[0]) }},
	"upper":       {args: "s", result: "", call: change(func(args []any) string { return strings.ToUpper(args[0].(string)) })},
	"lower":       {args: "s", result: "", call: change(func(args []any) string { return strings.ToLower(args[0].(string)) })},
	"trim":        {args: "s?s", result: "", call: trim},
	"trimPrefix":  {args: "ss", result: "", call: change(func(args []any) string { return strings.TrimPrefix(args[0].(string), args[1].(string)) })},
	"trimSuffix":  {args: "ss", result: "", call: change(func(args []any) string { return strings.TrimSuffix(args[0].(string), args[1].(string)) })},
	"truncate":    {args: "si", result: "", call: change(func(args []any) string { return truncate(args[0].(string), args[1].(int)) })},
	"replace":     {args: "sss?i", result: "", call: replace},
	"split":       {args: "ss?i", call: splitting(strings.SplitN)},
	"splitAfter":  {args: "ss?i", call: splitting(strings.SplitAfterN)},
	"join":        {args: "l?s", result: "", call: join},
	"indexOf":     {args: "ss", result: 0, call: index(strings.Index)},
	"lastIndexOf": {args: "ss", result: 0, call: index(strings.LastIndex)},
	"hasPrefix":   {args: "ss", result: true, call: func(m *meter, args []any) (any, error) { return operators["startsWith"](m, args[0], args[1]) }},
	"hasSuffix":   {args: "ss", result: true, call: func(m *meter, args []any) (any, error) { return operators["endsWith"](m, args[0], args[1]) }},
	"toBase64":    {args: "s", result: "", call: change(func(args []any) string { return base64.StdEncoding.EncodeToString([]byte(args[0].(string))) })},
	"fromBase64": {args: "s", result: "", call: func(m *meter, args []any) (any, error) {
		b, err := base64.StdEncoding.DecodeString(args[0].(string))
		if err != nil {
			return nil, errors.New("the text is not base64")
		}
		return string(b), m.charge(4 * len(b))
	}},
	"fromJSON": {args: "s", call: func(m *meter, args []any) (any, error) {
		if err := m.charge(50 * len(args[0].(string))); err != nil {
			return nil, err
		}
		text := []byte(args[0].(string))
		if !json.Valid(text) {
			return nil, errors.New("the text is not JSON")
		}
		return decode(text), nil
	}},

	"first": {args: "l", call: func(_ *meter, args []any) (any, error) { return member(args[0], 0), nil }},
	"last":  {args: "l", call: func(_ *meter, args []any) (any, error) { return member(args[0], -1), nil }},
	"take":  {args: "li", call: func(m *meter, args []any) (any, error) { return slice(m, args[0], 0, max(0, args[1].(int))) }},
	"reverse": {args: "l", call: func(m *meter, args []any) (any, error) {
		list := slices.Clone(args[0].([]any))
		slices.Reverse(list)
		return list, m.charge(16 * len(list))
	}},
	"concat":  {args: "l*", call: concat},
	"flatten": {args: "l", call: func(m *meter, args []any) (any, error) { return m.flatten(nil, args[0].([]any)) }},
	"uniq":    {args: "l", call: uniq},
	"sort":    {args: "l?s", call: sorted},
	"keys": {args: "o", call: func(m *meter, args []any) (any, error) {
		return m.members(args[0], func(key string, _ any) any { return key })
	}},
	"values": {args: "o", call: func(m *meter, args []any) (any, error) {
		return m.members(args[0], func(_ string, v any) any { return v })
	}},
	"toPairs": {args: "o", call: func(m *meter, args []any) (any, error) {
		return m.members(args[0], func(key string, v any) any { return []any{key, v} })
	}},
	"fromPairs": {args: "l", call: fromPairs},

	"bytes":    {args: "n", result: "", call: func(_ *meter, args []any) (any, error) { f, _ := float(args[0]); return words.Bytes(f), nil }},
	"duration": {args: "a", call: duration},
	"date":     {args: "a?s", result: time.Time{}, call: func(m *meter, args []any) (any, error) { return date(m, args) }},
	"ago": {args: "a", result: "", call: func(m *meter, args []any) (any, error) {
		t, err := date(m, args)
		if err != nil {
			return nil, err
		}
		return span(max(0, m.now.Sub(t))), nil
	}},
}

// check checks the arguments of a call, and makes a []any of each list.
func (f function) check(name string, args []any) error {
	letters := strings.ReplaceAll(f.args, "?", "")
	for i, v := range args {
		letter := letters[min(i, len(letters)-1)]
		if letter == '*' {
			letter = letters[len(letters)-2]
		}
		ok, takes := true, ""
		switch letter {
		case 's':
			_, ok = v.(string)
			takes = "text"
		case 'n':
			_, ok = float(v)
			takes = "a number"
		case 'i':
			_, ok = v.(int)
			takes = "a whole number"
		case 'o':
			_, ok = v.(map[string]any)
			takes = "an object"
		case 'l':
			_, ok = v.([]any)
			takes = "a list"
		}
		if !ok {
			if i > 0 {
				takes += " as argument " + strconv.Itoa(i+1)
			}
			return mismatchf("%s takes %s, not %s", name, takes, kind(v))
		}
	}
	return nil
}

// arity is how many arguments a function takes; most is -1 if there is no limit.
func (f function) arity() (least, most int) {
	needed, _, _ := strings.Cut(f.args, "?")
	if fixed, ok := strings.CutSuffix(f.args, "*"); ok {
		return len(fixed), -1
	}
	return len(needed), len(strings.ReplaceAll(f.args, "?", ""))
}

// typeName is the name of a value's type, as expr's type has it.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case bool:
		return "bool"
	case int:
		return "int"
	case float64, Number:
		return "float"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "map"
	case time.Time:
		return "time"
	case time.Duration:
		return "duration"
	}
	return "int"
}

// show is a value as text, all of it.
func (m *meter) show(v any) (string, error) {
	switch v.(type) {
	case []any, map[string]any:
		return m.json(v)
	}
	s := Show(v)
	return s, m.charge(4 * len(s))
}

func (m *meter) json(v any) (string, error) {
	text, known := m.printed.find(v)
	if !known {
		p := printer{limit: (m.left - m.least) / workOfByte, meter: m}
		if p.print(v); p.err != nil {
			return "", p.err
		}
		text = string(p.text[:min(len(p.text), maxJSON)])
	}
	if err := m.charge(workOfByte * len(text)); err != nil {
		return "", err
	}
	m.printed.keep(v, text)
	return text, nil
}

func change(f func(args []any) string) func(*meter, []any) (any, error) {
	return func(m *meter, args []any) (any, error) {
		if err := m.charge(4 * len(args[0].(string))); err != nil {
			return nil, err
		}
		return f(args), nil
	}
}

func trim(m *meter, args []any) (any, error) {
	text := args[0].(string)
	if len(args) == 1 {
		return strings.TrimSpace(text), m.charge(len(text))
	}
	cutset := args[1].(string)
	if len(cutset) > 100 {
		return nil, errors.New("trim takes at most 100 characters to cut off")
	}
	return strings.Trim(text, cutset), m.charge(len(text) * (10 + len(cutset)))
}

// truncate is the text in at most n characters, of which the last is "…" if there
// were more.
func truncate(s string, n int) string {
	if n < 0 || utf8.RuneCountInString(s) <= n {
		return s
	}
	if n == 0 {
		return ""
	}
	return s[:after(s, n-1)] + "…"
}

func replace(m *meter, args []any) (any, error) {
	text, old, with := args[0].(string), args[1].(string), args[2].(string)
	n := -1
	if len(args) == 4 {
		n = args[3].(int)
	}
	count := len(text) + 1
	if old != "" {
		count = strings.Count(text, old)
	}
	if n >= 0 {
		count = min(count, n)
	}
	if err := m.charge(4 * (len(text) + count*len(with))); err != nil {
		return nil, err
	}
	return strings.Replace(text, old, with, n), nil
}

func splitting(split func(text, by string, n int) []string) func(*meter, []any) (any, error) {
	return func(m *meter, args []any) (any, error) {
		n := -1
		if len(args) == 3 {
			n = args[2].(int)
		}
		if err := m.charge(20 * len(args[0].(string))); err != nil {
			return nil, err
		}
		parts := split(args[0].(string), args[1].(string), n)
		list := make([]any, len(parts))
		for i, part := range parts {
			list[i] = part
		}
		return list, nil
	}
}

func join(m *meter, args []any) (any, error) {
	between := ""
	if len(args) == 2 {
		between = args[1].(string)
	}
	var b strings.Builder
	for i, v := range args[0].([]any) {
		if i > 0 {
			b.WriteString(between)
		}
		text, err := m.show(v)
		if err == nil {
			err = m.charge(20 + 4*len(between))
		}
		if err != nil {
			return nil, err
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// index finds a part of a text, and counts in characters.
func index(find func(text, part string) int) func(*meter, []any) (any, error) {
	return func(m *meter, args []any) (any, error) {
		text := args[0].(string)
		if err := m.charge(2 * len(text)); err != nil {
			return nil, err
		}
		i := find(text, args[1].(string))
		if i < 0 {
			return -1, nil
		}
		return utf8.RuneCountInString(text[:i]), nil
	}
}

// rounding rounds to a whole number, or to so many decimal places.
func rounding(f func(float64) float64) func(*meter, []any) (any, error) {
	return func(m *meter, args []any) (any, error) {
		if _, whole := args[0].(int); whole && len(args) == 1 {
			return args[0], nil
		}
		x, _ := float(args[0])
		if len(args) == 2 {
			places := min(max(args[1].(int), -15), 15)
			scale := math.Pow10(places)
			if y := x * scale; math.Abs(y) < 1<<53 {
				return finite(f(y) / scale)
			}
			return finite(x)
		}
		if x = f(x); math.Abs(x) < 1<<53 {
			return int(x), nil
		}
		return finite(x)
	}
}

func toFloat(m *meter, args []any) (any, error) {
	if text, ok := args[0].(string); ok {
		if err := m.charge(20 * len(text)); err != nil {
			return nil, err
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return nil, errors.New("the text is not a number")
		}
		return finite(f)
	}
	f, ok := float(args[0])
	if !ok {
		return nil, mismatchf("a number can be made of a number or text, not of %s", kind(args[0]))
	}
	return finite(f)
}

func toInt(m *meter, args []any) (any, error) {
	switch v := args[0].(type) {
	case int:
		return v, nil
	case string:
		if i, err := strconv.Atoi(strings.TrimSpace(v)); err == nil {
			return i, nil
		}
	}
	v, err := toFloat(m, args)
	if err != nil {
		return nil, err
	}
	if f := v.(float64); math.Abs(f) < 1<<53 {
		return int(f), nil
	}
	return nil, errLarge
}

// numbersOf are the numbers among the arguments, which may be in lists.
func (m *meter) numbersOf(name string, args []any) ([]float64, error) {
	all, err := m.flatten(nil, args)
	if err != nil {
		return nil, err
	}
	list := make([]float64, len(all))
	for i, v := range all {
		f, ok := float(v)
		if !ok {
			return nil, mismatchf("%s takes numbers, not %s", name, kind(v))
		}
		list[i] = f
	}
	return list, nil
}

func overNumbers(name string, f func(list []float64) float64) func(*meter, []any) (any, error) {
	return func(m *meter, args []any) (any, error) {
		list, err := m.numbersOf(name, args)
		if err != nil || len(list) == 0 {
			return nil, err
		}
		if err := m.charge(200 * len(list)); err != nil {
			return nil, err
		}
		return finite(f(list))
	}
}

func extreme(name string, sign int) func(*meter, []any) (any, error) {
	return func(m *meter, args []any) (any, error) {
		all, err := m.flatten(nil, args)
		if err != nil {
			return nil, err
		}
		var best any
		for _, v := range all {
			if v == nil {
				continue
			}
			if best == nil {
				best = v
			}
			order, ok := compare(v, best)
			if !ok {
				return nil, mismatchf("%s takes numbers, texts or times, not %s and %s", name, kind(best), kind(v))
			}
			if order*sign > 0 {
				best = v
			}
		}
		return best, nil
	}
}
