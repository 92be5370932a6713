package cli

import (
	"os"
	"runtime"
	"sync"
)

// shareProcessors has twice as many threads as there are processors run Go code. Where
// there is more to do than they can, the kernel gives one that wakes up its turn at once;
// Go's scheduler lets a goroutine, or a collection of garbage, go on for up to 10 ms, and
// everybody's messages would wait for that. $GOMAXPROCS stays if it is set.
var shareProcessors = sync.OnceFunc(func() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
})
