package agent

import "maps"

// fading is a map that forgets: when it has taken in as many keys as it is to have, it
// drops those that were neither put nor got since it had last done so.
type fading[K comparable, V any] struct{ young, old map[K]V }

func (f *fading[K, V]) get(key K) (value V, ok bool) {
	if value, ok = f.young[key]; !ok {
		value, ok = f.old[key]
	}
	return value, ok
}

// put keeps at least room keys, and at most twice as many.
func (f *fading[K, V]) put(key K, value V, room int) {
	if _, known := f.young[key]; !known && len(f.young) >= room {
		f.young, f.old = nil, f.young
	}
	if f.young == nil {
		f.young = make(map[K]V)
	}
	f.young[key] = value
}

func (f *fading[K, V]) drop(key K) {
	delete(f.young, key)
	delete(f.old, key)
}

func (f *fading[K, V]) clone() fading[K, V] {
	return fading[K, V]{maps.Clone(f.young), maps.Clone(f.old)}
}
