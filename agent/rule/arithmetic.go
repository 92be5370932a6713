package rule

import (
	"errors"
	"math"
	"time"
)

// float is the value of a number as a float.
func float(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case float64:
		return v, true
	case Number:
		return v.float, true
	case time.Weekday:
		return float64(v), true
	case time.Month:
		return float64(v), true
	}
	return 0, false
}

// finite is a float, if it is a number at all.
func finite(f float64) (any, error) {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, errLarge
	}
	return f, nil
}

func add(m *meter, a, b any) (any, error) {
	switch x := a.(type) {
	case int:
		if y, ok := b.(int); ok {
			if sum := x + y; (sum > x) == (y > 0) {
				return sum, nil
			}
		}
	case string:
		if y, ok := b.(string); ok {
			if err := m.charge(4 * (len(x) + len(y))); err != nil {
				return nil, err
			}
			return x + y, nil
		}
	case time.Time:
		if y, ok := b.(time.Duration); ok {
			return x.Add(y), nil
		}
	case time.Duration:
		switch y := b.(type) {
		case time.Time:
			return y.Add(x), nil
		case time.Duration:
			return x + y, nil
		}
	}
	return calculate(a, b, "add %s and %s", func(x, y float64) float64 { return x + y })
}

func subtract(m *meter, a, b any) (any, error) {
	switch x := a.(type) {
	case int:
		if y, ok := b.(int); ok {
			if difference := x - y; (difference < x) == (y > 0) {
				return difference, nil
			}
		}
	case time.Time:
		switch y := b.(type) {
		case time.Time:
			return x.Sub(y), nil
		case time.Duration:
			return x.Add(-y), nil
		}
	case time.Duration:
		if y, ok := b.(time.Duration); ok {
			return x - y, nil
		}
	}
	return calculate(a, b, "subtract from %s %s", func(x, y float64) float64 { return x - y })
}

func multiply(m *meter, a, b any) (any, error) {
	if x, ok := a.(int); ok {
		if y, ok := b.(int); ok {
			if product := x * y; x == 0 || product/x == y && !(x == -1 && y == math.MinInt) {
				return product, nil
			}
		}
	}
	if d, ok := b.(time.Duration); ok {
		a, b = d, a
	}
	if d, ok := a.(time.Duration); ok {
		if n, ok := float(b); ok {
			return time.Duration(float64(d) * n), nil
		}
	}
	return calculate(a, b, "multiply %s and %s", func(x, y float64) float64 { return x * y })
}

func divide(m *meter, a, b any) (any, error) {
	if y, ok := float(b); ok && y == 0 {
		return nil, errZero
	}
	return calculate(a, b, "divide %s by %s", func(x, y float64) float64 { return x / y })
}

func modulo(m *meter, a, b any) (any, error) {
	x, ok := a.(int)
	y, too := b.(int)
	switch {
	case !ok || !too:
		return nil, mismatchf("%% needs whole numbers, not %s and %s", kind(a), kind(b))
	case y == 0:
		return nil, errZero
	}
	return x % y, nil
}

func power(m *meter, a, b any) (any, error) { return calculate(a, b, "raise %s to %s", math.Pow) }

func calculate(a, b any, what string, f func(x, y float64) float64) (any, error) {
	x, ok := float(a)
	y, too := float(b)
	if !ok || !too {
		hint := ""
		if a == nil || b == nil {
			hint = ": give a default with ??"
		}
		return nil, mismatchf("cannot "+what+hint, kind(a), kind(b))
	}
	return finite(f(x, y))
}

func negate(m *meter, a, _ any) (any, error) {
	if d, ok := a.(time.Duration); ok {
		return -d, nil
	}
	if _, ok := float(a); !ok {
		return nil, mismatchf("a sign belongs before a number, not before %s", kind(a))
	}
	return subtract(m, 0, a)
}

func positive(m *meter, a, _ any) (any, error) {
	_, err := negate(m, a, nil)
	return a, err
}

func numbersFrom(m *meter, a, b any) (any, error) {
	first, ok := a.(int)
	last, too := b.(int)
	if !ok || !too {
		return nil, mismatchf(".. needs whole numbers, not %s and %s", kind(a), kind(b))
	}
	n := float64(last) - float64(first) + 1
	if n > 100_000 {
		return nil, errors.New("a range of more than 100,000 numbers")
	}
	list := make([]any, 0, int(max(n, 0)))
	for i := range cap(list) {
		list = append(list, first+i)
	}
	return list, m.charge(50 * len(list))
}
