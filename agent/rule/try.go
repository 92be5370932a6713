package rule

import (
	"errors"
	"slices"
	"time"
)

const (
	// maxTries bounds the events that an expression is tried with.
	maxTries = 1_500
	// maxTried bounds the work of all tries.
	maxTried = 10_000_000
)

// kinds are a value of each JSON type; element is what lists and objects hold.
var kinds = []func(element any) any{
	func(any) any { return 1 },
	func(any) any { return "1" },
	func(element any) any { return []any{element} },
	func(element any) any { return map[string]any{"key": element} },
	func(any) any { return true },
	func(any) any { return nil },
}

// try evaluates an expression with members of every JSON type. If for each of them a
// value is of a type that cannot be where it is, the expression can never work, and
// try returns the error.
func (x *Expr) try() *tried {
	paths := []path{{root: pointer}}
	for _, p := range x.paths {
		if p.root == "data" || p.root == pointer && len(p.keys) > 0 {
			paths = append(paths, p)
		}
	}
	slices.SortStableFunc(paths, shorter)
	ev := newEvent("sender", "event", time.Unix(0, 0), time.Unix(0, 0))
	ev.known = true
	var first *tried
	ev.meter.left = maxTried
	choice := make([]int, len(paths))
	for range maxTries / len(paths) {
		ev.data = sample(paths, choice)
		_, err := x.eval(ev)
		if err == nil {
			return nil
		}
		at, cause := reason(err)
		if _, never := errors.AsType[mismatch](cause); !never && !x.fixed {
			return nil
		}
		if first == nil {
			first = &tried{at, cause.Error()}
		}
		if x.fixed {
			return first
		}
		if !next(choice) {
			if x.open {
				return nil
			}
			return first
		}
	}
	return nil
}

// tried is why an expression can never work.
type tried struct {
	at   int
	what string
}

// next is the next choice of kinds; false after the last.
func next(choice []int) bool {
	for i := len(choice) - 1; i >= 0; i-- {
		if choice[i]++; choice[i] < len(kinds) {
			return true
		}
		choice[i] = 0
	}
	return false
}

// sample is data with a value of the chosen kind at each path.
func sample(paths []path, choice []int) any {
	build := func(root string, element any) (v any) {
		for i, p := range paths {
			if p.root == root {
				v = set(v, p.keys, kinds[choice[i]](element))
			}
		}
		return v
	}
	return build("data", build(pointer, 1))
}

// set puts a value at a path in v, unless something else is in the way.
func set(v any, keys []any, value any) any {
	if len(keys) == 0 {
		return value
	}
	switch key := keys[0].(type) {
	case string:
		if v == nil {
			v = make(map[string]any)
		}
		if object, ok := v.(map[string]any); ok {
			object[key] = set(object[key], keys[1:], value)
		}
	case int:
		if v == nil {
			v = make([]any, max(key+1, -key))
		}
		if list, ok := v.([]any); ok {
			for len(list) <= key {
				list = append(list, nil)
			}
			if key < 0 {
				key += len(list)
			}
			if key >= 0 {
				list[key] = set(list[key], keys[1:], value)
			}
			return list
		}
	}
	return v
}
