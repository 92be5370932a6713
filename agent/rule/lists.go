package rule

import (
	"errors"
	"maps"
	"slices"
)

func (m *meter) flatten(flat, list []any) ([]any, error) {
	if err := m.charge(50 * len(list)); err != nil {
		return nil, err
	}
	for _, v := range list {
		inner, ok := v.([]any)
		if !ok {
			flat = append(flat, v)
			continue
		}
		var err error
		if flat, err = m.flatten(flat, inner); err != nil {
			return nil, err
		}
	}
	return flat, nil
}

func concat(m *meter, args []any) (any, error) {
	var all []any
	for _, list := range args {
		if err := m.charge(16 * (len(all) + len(list.([]any)))); err != nil {
			return nil, err
		}
		all = slices.Concat(all, list.([]any))
	}
	return all, nil
}

func uniq(m *meter, args []any) (any, error) {
	seen := make(map[string]bool)
	var list []any
	for _, v := range args[0].([]any) {
		key, err := m.json(v)
		if err == nil {
			err = m.charge(300 + 10*len(key))
		}
		if err != nil {
			return nil, err
		}
		if !seen[key] {
			seen[key] = true
			list = append(list, v)
		}
	}
	return list, nil
}

func sorted(m *meter, args []any) (any, error) {
	sign := 1
	if len(args) == 2 {
		switch args[1] {
		case "asc":
		case "desc":
			sign = -1
		default:
			return nil, errors.New(`the order must be "asc" or "desc"`)
		}
	}
	list := slices.Clone(args[0].([]any))
	if err := m.charge(400 * len(list)); err != nil {
		return nil, err
	}
	var failed error
	slices.SortStableFunc(list, func(a, b any) int {
		order, ok := compare(a, b)
		if text, is := a.(string); is && failed == nil {
			failed = m.charge(len(text) / 8)
		}
		if !ok && failed == nil {
			failed = mismatchf("sort needs numbers, texts or times, not %s and %s", kind(a), kind(b))
		}
		return order * sign
	})
	return list, failed
}

// members makes a list of an object, in the order of its keys.
func (m *meter) members(object any, of func(key string, v any) any) (any, error) {
	o := object.(map[string]any)
	if err := m.charge(400 * len(o)); err != nil {
		return nil, err
	}
	list := make([]any, 0, len(o))
	for _, key := range slices.Sorted(maps.Keys(o)) {
		list = append(list, of(key, o[key]))
	}
	return list, nil
}

func fromPairs(m *meter, args []any) (any, error) {
	pairs := args[0].([]any)
	if err := m.charge(200 * len(pairs)); err != nil {
		return nil, err
	}
	object := make(map[string]any)
	for _, v := range pairs {
		pair, ok := v.([]any)
		if !ok || len(pair) != 2 {
			return nil, errors.New(`fromPairs takes a list of pairs, such as [["a", 1]]`)
		}
		key, err := m.show(pair[0])
		if err != nil {
			return nil, err
		}
		object[key] = pair[1]
	}
	return object, nil
}
