package trim

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"sigalert/internal/wait"
)

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

// A program that needs little has a limit for its memory, and one that needs much has none.
func TestBound(t *testing.T) {
	limit := func() int64 { return debug.SetMemoryLimit(-1) }
	was := limit()
	stop := wait.Start(t.Context(), Bound)
	for give := time.Now().Add(10 * time.Second); limit() != modest && time.Now().Before(give); {
		time.Sleep(time.Millisecond)
	}
	if limit() != modest {
		t.Errorf("the limit is %d", limit())
	}
	needed := make([]byte, most)
	for i := 0; i < len(needed); i += 4096 {
		needed[i] = 1
	}
	runtime.GC()
	for give := time.Now().Add(10 * time.Second); limit() == modest && time.Now().Before(give); {
		time.Sleep(10 * time.Millisecond)
	}
	if limit() != math.MaxInt64 {
		t.Errorf("the limit stays %d", limit())
	}
	runtime.KeepAlive(needed)
	if stop(); limit() != was {
		t.Errorf("the limit is %d afterwards, and was %d", limit(), was)
	}
}
