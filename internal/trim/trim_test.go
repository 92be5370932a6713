package trim

import "testing"

func TestRushIsOver(t *testing.T) {
	var w watch
	total := uint64(0)
	for i, step := range []struct {
		allocated uint64 // MiB, since the step before
		over      bool
	}{
		{1, false},
		{100, false},
		{100, false},
		{20, false}, // neither much nor little
		{1, true},
		{1, false},
		{31, false},
		{1, false},
		{32, false},
		{8, true},
	} {
		total += step.allocated << 20
		if got := w.isOver(total); got != step.over {
			t.Errorf("step %d, %d MiB: %t", i, step.allocated, got)
		}
	}
}

// A start that has made enough for a collection is a rush; a smaller one is not worth
// the pages that a collection itself touches.
func TestStart(t *testing.T) {
	for allocated, want := range map[uint64]bool{1: false, 3: true, 20: true} {
		var w watch
		w.isOver(allocated << 20)
		if got := w.isOver((allocated + 1) << 20); got != want {
			t.Errorf("%d MiB at the start: %t", allocated, got)
		}
	}
}
