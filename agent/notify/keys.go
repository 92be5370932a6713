//go:build linux || freebsd || netbsd || openbsd

package notify

import "slices"

const maxKeys = 256

// keys remembers the id that the server last gave for each key. At most maxKeys
// are kept; the one unused for the longest time is forgotten first.
type keys struct {
	entries []keyID // longest unused first
}

type keyID struct {
	key string
	id  uint32
}

// id returns what put stored for key, or 0.
func (k *keys) id(key string) uint32 {
	i := slices.IndexFunc(k.entries, func(e keyID) bool { return e.key == key })
	if i < 0 {
		return 0
	}
	return k.entries[i].id
}

func (k *keys) put(key string, id uint32) {
	k.entries = slices.DeleteFunc(k.entries, func(e keyID) bool { return e.key == key })
	if len(k.entries) == maxKeys {
		k.entries = slices.Delete(k.entries, 0, 1)
	}
	k.entries = append(k.entries, keyID{key, id})
}

func (k *keys) forget(id uint32) {
	k.entries = slices.DeleteFunc(k.entries, func(e keyID) bool { return e.id == id })
}

func (k *keys) clear() { k.entries = nil }
