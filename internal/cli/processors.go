package cli

import (
	"os"
	"runtime"
	"sync"
)

// shareProcessors lets twice as many threads run Go code as there are processors. When
// these are busy, the kernel gives a thread that wakes up its turn at once, whereas Go's
// scheduler lets a goroutine, or a collection of garbage, go on for up to 10 ms, for which
// everybody's messages would wait. $GOMAXPROCS stays if it is set.
var shareProcessors = sync.OnceFunc(func() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
})
