package queue

import "testing"

func TestPopReleasesTheItem(t *testing.T) {
	q := New(2, 0, func(**int) int { return 0 })
	q.Push(new(int))
	q.Push(new(int))
	items := q.items
	if q.Pop(); items[0] != nil {
		t.Error("the array still holds what was popped")
	}
}
