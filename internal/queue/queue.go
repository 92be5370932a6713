// Package queue is a first-in, first-out queue that is bounded in items and in
// bytes. It has neither a lock nor a policy: its owner's lock guards it, and its
// owner decides what happens when an item does not fit.
package queue

// Queue holds items in the order in which they were pushed.
type Queue[T any] struct {
	items []T
	bytes int

	maxItems, maxBytes int
	size               func(*T) int
}

// New returns a queue for at most maxItems items, of maxBytes in all; size returns
// an item's share of those bytes, which must not change while the item is in
// the queue.
func New[T any](maxItems, maxBytes int, size func(*T) int) Queue[T] {
	return Queue[T]{maxItems: maxItems, maxBytes: maxBytes, size: size}
}

// Len returns how many items there are.
func (q *Queue[T]) Len() int { return len(q.items) }

// Fits reports whether there is room for an item. A single item always fits.
func (q *Queue[T]) Fits(x T) bool {
	n := len(q.items)
	return n == 0 || n < q.maxItems && q.bytes+q.size(&x) <= q.maxBytes
}

// Push adds an item, whether it fits or not.
func (q *Queue[T]) Push(x T) {
	q.items = append(q.items, x)
	q.bytes += q.size(&x)
}

// Pop removes the oldest item; ok is false if there is none.
func (q *Queue[T]) Pop() (x T, ok bool) {
	if len(q.items) == 0 {
		q.items = nil // and with it the array
		return x, false
	}
	var none T
	x = q.items[0]
	q.items[0] = none // the array must not keep it
	q.items = q.items[1:]
	q.bytes -= q.size(&x)
	return x, true
}

// All returns the items, the oldest first, which are valid until the queue changes.
func (q *Queue[T]) All() []T { return q.items }

// Take removes all items and returns them, the oldest first.
func (q *Queue[T]) Take() []T {
	items := q.items
	q.items, q.bytes = nil, 0
	return items
}
