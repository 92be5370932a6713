package rule

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// mismatch is an error for a value of a type that can never work where it is.
type mismatch string

func (m mismatch) Error() string { return string(m) }

func mismatchf(format string, args ...any) error { return mismatch(fmt.Sprintf(format, args...)) }

var (
	errZero  = errors.New("a division by zero")
	errLarge = errors.New("the result is too large for a number")
)

// operator is what an expression's operator does. It has two operands; an operator
// that is written before one operand has only the first.
type operator func(m *meter, a, b any) (any, error)

// operators take the place of expr's own, by the name under which the compiler knows
// them. None of these is a name that an expression can spell.
var operators = map[string]operator{
	"==": func(m *meter, a, b any) (any, error) { return m.equal(a, b) },
	"!=": func(m *meter, a, b any) (any, error) {
		same, err := m.equal(a, b)
		return !same, err
	},
	"<":          comparison(func(order int) bool { return order < 0 }),
	"<=":         comparison(func(order int) bool { return order <= 0 }),
	">":          comparison(func(order int) bool { return order > 0 }),
	">=":         comparison(func(order int) bool { return order >= 0 }),
	"contains":   search("contains", strings.Contains),
	"startsWith": search("startsWith", strings.HasPrefix),
	"endsWith":   search("endsWith", strings.HasSuffix),
	"matches":    matches,
	"in":         in,
	"+":          add,
	"-":          subtract,
	"*":          multiply,
	"/":          divide,
	"%":          modulo,
	"**":         power,
	"^":          power,
	"..":         numbersFrom,
	"-1":         negate,
	"+1":         positive,
	".":          func(m *meter, a, b any) (any, error) { return member(a, b), m.hash(b) },
	"bool":       func(_ *meter, a, _ any) (any, error) { return truth(a) },
	"key":        func(_ *meter, a, _ any) (any, error) { return sortable(a) },
	"name":       func(m *meter, a, _ any) (any, error) { return m.show(a) },
	"group":      func(m *meter, a, _ any) (any, error) { return a, m.hash(a) },
	"layout":     layout,
	"list":       list,
	"addend":     addend,
	"grouped":    grouped,
}

// truth is a condition: nil does not hold.
func truth(v any) (bool, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case nil:
		return false, nil
	}
	return false, mismatchf("a condition must be true or false, not %s", kind(v))
}

// equal reports whether two values are the same. A number equals another of the same
// value, whatever its type; nil equals only nil.
func (m *meter) equal(a, b any) (bool, error) {
	switch x := a.(type) {
	case nil:
		return b == nil, nil
	case bool:
		y, ok := b.(bool)
		return ok && x == y, nil
	case string:
		y, ok := b.(string)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		return x == y, m.charge(len(x) / 8)
	case []any:
		y, ok := elements(b)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		for i := range x {
			if same, err := m.equalPart(x[i], y[i]); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	case []int:
		list, _ := elements(x)
		return m.equal(list, b)
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false, nil
		}
		for key, v := range x {
			w, ok := y[key]
			if !ok {
				return false, nil
			}
			if same, err := m.equalPart(v, w); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	if x, ok := a.(Number); ok {
		if y, ok := b.(Number); ok {
			digits, exponent := decimal(x.spelling)
			other, same := decimal(y.spelling)
			alike := digits == other && exponent == same && (x.float < 0) == (y.float < 0)
			return alike, m.charge(2 * (len(x.spelling) + len(y.spelling)))
		}
		return false, nil
	}
	if _, ok := b.(Number); ok {
		return false, nil
	}
	order, ok := compare(a, b)
	return ok && order == 0, nil
}

func (m *meter) equalPart(a, b any) (bool, error) {
	if err := m.charge(50); err != nil {
		return false, err
	}
	return m.equal(a, b)
}

// compare orders two numbers, texts, times or durations; there is no order of
// anything else.
func compare(a, b any) (order int, ok bool) {
	if x, ok := a.(int); ok {
		if y, ok := b.(int); ok {
			return cmp.Compare(x, y), true
		}
	}
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		return strings.Compare(x, y), ok
	case time.Time:
		y, ok := b.(time.Time)
		return x.Compare(y), ok
	case time.Duration:
		y, ok := b.(time.Duration)
		return cmp.Compare(x, y), ok
	}
	x, ok := float(a)
	y, too := float(b)
	return cmp.Compare(x, y), ok && too
}

// comparison is false for what has no order: nil above all.
func comparison(holds func(order int) bool) operator {
	return func(m *meter, a, b any) (any, error) {
		if x, ok := a.(string); ok {
			if err := m.charge(len(x) / 8); err != nil {
				return nil, err
			}
		}
		order, ok := compare(a, b)
		return ok && holds(order), nil
	}
}

func search(name string, found func(text, part string) bool) operator {
	return func(m *meter, a, b any) (any, error) {
		if a == nil || b == nil {
			return false, nil
		}
		x, ok := a.(string)
		y, too := b.(string)
		if !ok || !too {
			return nil, mismatchf("%s needs text on both sides, not %s and %s", name, kind(a), kind(b))
		}
		return found(x, y), m.charge(len(x) + len(y))
	}
}

func matches(m *meter, a, b any) (any, error) {
	if a == nil {
		return false, nil
	}
	text, ok := a.(string)
	if !ok {
		return nil, mismatchf("matches needs text on its left, not %s", kind(a))
	}
	p := b.(*pattern)
	if err := m.charge(len(text) * p.cost); err != nil {
		return nil, err
	}
	return p.MatchString(text), nil
}

func in(m *meter, a, b any) (any, error) {
	if b == nil {
		return false, nil
	}
	if object, ok := b.(map[string]any); ok {
		key, ok := a.(string)
		_, found := object[key]
		return ok && found, m.hash(a)
	}
	list, ok := elements(b)
	if !ok {
		return nil, mismatchf("in needs a list or an object on its right, not %s", kind(b))
	}
	if err := m.charge(20 * len(list)); err != nil {
		return nil, err
	}
	for _, v := range list {
		if same, err := m.equal(v, a); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

// member is an element or a member of a value; nil if there is none.
func member(v, key any) any {
	switch v := v.(type) {
	case map[string]any:
		if key, ok := key.(string); ok {
			return v[key]
		}
	case []any:
		if i, ok := key.(int); ok {
			if i < 0 {
				i += len(v)
			}
			if i >= 0 && i < len(v) {
				return v[i]
			}
		}
	case []int:
		list, _ := elements(v)
		return member(list, key)
	}
	return nil
}

// hash counts the work to look up a key.
func (m *meter) hash(key any) error {
	switch key := key.(type) {
	case string:
		return m.charge(len(key) / 8)
	case Number:
		return m.charge(len(key.spelling) / 8)
	}
	return nil
}

// elements are those of a list.
func elements(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case []int:
		list := make([]any, len(v))
		for i, n := range v {
			list[i] = n
		}
		return list, true
	}
	return nil, false
}

// slice is a part of a list, or of a text, which is counted in characters.
func slice(m *meter, v, from, to any) (any, error) {
	if v == nil {
		return nil, nil
	}
	bounds := [2]int{0, math.MaxInt}
	for i, bound := range []any{from, to} {
		if n, ok := bound.(int); ok {
			bounds[i] = n
		} else if bound != nil {
			return nil, mismatchf("the bounds of [:] must be whole numbers, not %s", kind(bound))
		}
	}
	if text, ok := v.(string); ok {
		if err := m.charge(5 * len(text)); err != nil {
			return nil, err
		}
		length := utf8.RuneCountInString(text)
		first, last := within(bounds, length)
		begin := after(text, first)
		return text[begin : begin+after(text[begin:], last-first)], nil
	}
	list, ok := elements(v)
	if !ok {
		return nil, mismatchf("[:] needs a list or text, not %s", kind(v))
	}
	first, last := within(bounds, len(list))
	return list[first:last], nil
}

// within are the bounds of a slice of something so long.
func within(bounds [2]int, length int) (first, last int) {
	for i, n := range bounds {
		if n < 0 {
			n += length
		}
		bounds[i] = min(max(n, 0), length)
	}
	return min(bounds[0], bounds[1]), bounds[1]
}

// after is where the text goes on after n characters.
func after(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

// list is what a predicate goes through: nil is an empty list. Its second argument is
// the work for each element.
func list(m *meter, a, b any) (any, error) {
	if a == nil {
		return []any{}, nil
	}
	list, ok := elements(a)
	if !ok {
		return nil, mismatchf("this function needs a list, not %s", kind(a))
	}
	return list, m.charge(len(list) * b.(int))
}

// addend is what can be added up.
func addend(m *meter, a, _ any) (any, error) {
	if f, ok := float(a); ok {
		if _, whole := a.(int); whole {
			return a, nil
		}
		return f, nil
	}
	return nil, mismatchf("sum adds numbers, not %s", kind(a))
}

// sortable is what can be sorted by.
func sortable(v any) (any, error) {
	switch v := v.(type) {
	case int, float64, string, time.Time, time.Duration:
		return v, nil
	case Number:
		return v.float, nil
	}
	return nil, mismatchf("sortBy needs numbers, texts or times, not %s", kind(v))
}

// grouped gives an object of groups keys that are text.
func grouped(m *meter, a, _ any) (any, error) {
	groups := make(map[string]any)
	for key, group := range a.(map[any][]any) {
		name := Show(key)
		before, _ := groups[name].([]any)
		groups[name] = append(before, group...)
	}
	return groups, nil
}
