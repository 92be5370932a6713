package notify

import "slices"

const maxRecent = 256

// recent remembers the values that were last put. At most maxRecent are kept; the
// one put the longest time ago is forgotten first.
type recent[K comparable, V any] struct {
	entries []entry[K, V] // oldest first
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

// get returns what was put for key, or the zero value.
func (r *recent[K, V]) get(key K) (value V) {
	i := slices.IndexFunc(r.entries, func(e entry[K, V]) bool { return e.key == key })
	if i < 0 {
		return value
	}
	return r.entries[i].value
}

func (r *recent[K, V]) put(key K, value V) {
	r.drop(key)
	if len(r.entries) == maxRecent {
		r.entries = slices.Delete(r.entries, 0, 1)
	}
	r.entries = append(r.entries, entry[K, V]{key, value})
}

func (r *recent[K, V]) drop(key K) {
	r.forget(func(k K, _ V) bool { return k == key })
}

func (r *recent[K, V]) forget(which func(K, V) bool) {
	r.entries = slices.DeleteFunc(r.entries, func(e entry[K, V]) bool { return which(e.key, e.value) })
}
