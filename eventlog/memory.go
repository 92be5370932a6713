package eventlog

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
)

// memory is a store that ends with the process.
type memory struct {
	mu      sync.RWMutex // guards the fields below
	first   uint64       // the number of records[0]
	records []record
	bytes   int64
	named   map[string][]byte
}

func newMemory() *memory { return &memory{named: make(map[string][]byte)} }

func (m *memory) update(f func(writer) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return f(m)
}

func (m *memory) view(f func(reader) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return f(m)
}

func (m *memory) size() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.bytes
}

func (m *memory) close() error { return nil }

func (m *memory) ends() (first, last uint64) {
	if len(m.records) == 0 {
		return 0, 0
	}
	return m.first, m.first + uint64(len(m.records)) - 1
}

func (m *memory) get(id uint64) record {
	if first, last := m.ends(); id < first || id > last || last == 0 {
		return nil
	}
	return m.records[id-m.first]
}

func (m *memory) ascend(id uint64) iter.Seq2[uint64, record] {
	return func(yield func(uint64, record) bool) {
		first, last := m.ends()
		for id := max(id, first); id <= last && last > 0; id++ {
			if !yield(id, m.records[id-m.first]) {
				return
			}
		}
	}
}

func (m *memory) descend(id uint64) iter.Seq2[uint64, record] {
	return func(yield func(uint64, record) bool) {
		first, last := m.ends()
		for id := min(id, last); id >= first && id > 0; id-- {
			if !yield(id, m.records[id-m.first]) {
				return
			}
		}
	}
}

func (m *memory) setting(name string) []byte { return m.named[name] }

func (m *memory) settings(prefix string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		for _, name := range slices.Sorted(maps.Keys(m.named)) {
			if strings.HasPrefix(name, prefix) && !yield(name, m.named[name]) {
				return
			}
		}
	}
}

func (m *memory) put(id uint64, r record) error {
	if len(m.records) == 0 {
		m.first = id
	}
	m.records = append(m.records, r)
	m.bytes += int64(len(r))
	return nil
}

func (m *memory) removeBefore(id uint64) error {
	if id <= m.first {
		return nil
	}
	n := min(int(id-m.first), len(m.records))
	for _, r := range m.records[:n] {
		m.bytes -= int64(len(r))
	}
	clear(m.records[:n]) // the array outlives them
	m.records = m.records[n:]
	m.first += uint64(n)
	return nil
}

func (m *memory) removeAll() error {
	m.records, m.bytes = nil, 0
	return nil
}

func (m *memory) set(name string, value []byte) error {
	if value == nil {
		delete(m.named, name)
		return nil
	}
	m.named[name] = value
	return nil
}
