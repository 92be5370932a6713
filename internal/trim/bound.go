package trim

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"sigalert/internal/wait"
)

const (
	// modest is what a program takes at most for what it needs and its garbage together,
	// as long as it needs no more than most.
	modest = 168 << 20
	most   = modest * 7 / 8
	// percent is how much garbage there may be, of what is needed, up to that limit: the
	// fewer collections there are, the fewer messages wait for one.
	percent = 200
)

// Bound keeps the garbage of a program that needs little from growing as large as what it
// needs, until ctx ends. What somebody has set ($GOMEMLIMIT, $GOGC) stays.
func Bound(ctx context.Context) {
	if debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return
	}
	defer debug.SetMemoryLimit(math.MaxInt64)
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(percent))
	}
	needed := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	for limit := int64(math.MaxInt64); ; {
		metrics.Read(needed)
		next := int64(modest)
		if needed[0].Value.Uint64()+needed[1].Value.Uint64() > most {
			next = math.MaxInt64 // to collect all the time would slow it down
		}
		if next != limit {
			limit = next
			debug.SetMemoryLimit(limit)
		}
		if !wait.Sleep(ctx, time.Second, nil) {
			return
		}
	}
}
