package sig

import "testing"

type sized int

func (s sized) size() int { return int(s) }

func TestQueueDropsTheOldest(t *testing.T) {
	q := newQueue[sized](3)
	for i := range 5 {
		q.push(sized(i))
	}
	if q.drops() != 2 {
		t.Errorf("%d dropped, want 2", q.drops())
	}
	for want := sized(2); want < 5; want++ {
		if got, ok := q.pop(t.Context()); !ok || got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
}

func TestQueueIsBoundInBytes(t *testing.T) {
	q := newQueue[sized](1000)
	for range 10 {
		q.push(queueBytes / 4)
	}
	if q.bytes > queueBytes || len(q.items) != 4 {
		t.Errorf("%d items of %d bytes", len(q.items), q.bytes)
	}
	if q.push(2 * queueBytes); len(q.items) != 1 || q.drops() != 10 {
		t.Errorf("one item over the bound: %d items, %d dropped", len(q.items), q.drops())
	}
}
