package queue_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"sigalert/internal/queue"
)

func newQueue() queue.Queue[string] {
	return queue.New(3, 10, func(s *string) int { return len(*s) })
}

func TestFits(t *testing.T) {
	for _, test := range []struct {
		name  string
		there []string
		next  string
		fits  bool
	}{
		{"an item in an empty queue, however large", nil, "longer than ten", true},
		{"an item within both bounds", []string{"abc", "def"}, "ghij", true},
		{"one item too many", []string{"a", "b", "c"}, "", false},
		{"one byte too many", []string{"abc", "def"}, "ghijk", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := newQueue()
			for _, s := range test.there {
				q.Push(s)
			}
			if got := q.Fits(test.next); got != test.fits {
				t.Errorf("Fits is %t", got)
			}
		})
	}
}

func TestOrder(t *testing.T) {
	q := newQueue()
	for _, s := range []string{"abcdef", "ghij", "k"} {
		q.Push(s)
	}
	if s, ok := q.Pop(); s != "abcdef" || !ok {
		t.Errorf("the oldest is %q, %t", s, ok)
	}
	if !q.Fits("lmnop") {
		t.Error("what was popped still takes room")
	}
	if diff := cmp.Diff([]string{"ghij", "k"}, q.Take()); diff != "" {
		t.Error(diff)
	}
	if s, ok := q.Pop(); ok || q.Len() > 0 {
		t.Errorf("after all were taken there is %q", s)
	}
	q.Push("longer than ten")
	q.Take()
	q.Push("a")
	if !q.Fits("123456789") {
		t.Error("what was taken still takes room")
	}
}
