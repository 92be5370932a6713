// Package trim gives memory back to the system after a rush. By itself a Go
// program that has become idle collects its garbage only every two minutes, and
// keeps much of what that frees.
package trim

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"sigalert/internal/wait"
)

// Run looks every 10 s until ctx ends. A collection takes some milliseconds.
func Run(ctx context.Context) {
	var w watch
	for wait.Sleep(ctx, 10*time.Second, nil) {
		allocated := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
		metrics.Read(allocated)
		if w.isOver(allocated[0].Value.Uint64()) {
			runtime.GC() // what a sync.Pool holds outlives one collection
			debug.FreeOSMemory()
		}
	}
}

// watch knows whether there is a rush.
type watch struct {
	before uint64 // what had been allocated
	rush   bool
}

// isOver takes what has been allocated since the program began, and reports
// whether a rush is over since the last time.
func (w *watch) isOver(allocated uint64) bool {
	const much, little = 32 << 20, 8 << 20 // bytes
	const collected = 3 << 20              // for a start: the first collection comes then
	now, start := allocated-w.before, w.before == 0
	w.before = allocated
	switch {
	case now >= much, start && now >= collected:
		w.rush = true
	case now <= little && w.rush:
		w.rush = false
		return true
	}
	return false
}
