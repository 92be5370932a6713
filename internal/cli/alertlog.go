package cli

import (
	"sync"

	"sigalert/eventlog"
)

// What an alertLog holds for a log that is not open yet. A log's queue has room
// for it.
const (
	mostWaiting      = 1000
	mostWaitingBytes = 1 << 20 // of data
)

// alertLog passes entries to a log. While one is wanted and not open, they wait;
// when there are too many, the newest are counted and lost. Its methods do not
// wait, and may be called by any goroutine.
type alertLog struct {
	mu      sync.Mutex // guards the fields below
	log     *eventlog.Log
	wanted  bool
	waiting []eventlog.Entry
	bytes   int // of their data
	lost    int
}

// want says whether entries are to wait for a log.
func (a *alertLog) want(wanted bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.wanted = wanted; !wanted {
		a.waiting, a.bytes, a.lost = nil, 0, 0
	}
}

func (a *alertLog) add(e eventlog.Entry) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch n := len(a.waiting); {
	case a.log != nil:
		a.log.Offer(e)
	case !a.wanted:
	case n >= mostWaiting, n > 0 && a.bytes+len(e.Data) > mostWaitingBytes:
		a.lost++
	default:
		a.waiting = append(a.waiting, e)
		a.bytes += len(e.Data)
	}
}

// use passes to log what has waited, and what comes until the next use; nil: it
// waits. lost is how many found no room since the last.
func (a *alertLog) use(log *eventlog.Log) (lost int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log = log
	if log == nil {
		return 0
	}
	for _, e := range a.waiting {
		log.Offer(e)
	}
	lost = a.lost
	a.waiting, a.bytes, a.lost = nil, 0, 0
	return lost
}

// end is how many entries no log has taken, or will.
func (a *alertLog) end() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.waiting) + a.lost
}

// touch has whoever looks at the log look again.
func (a *alertLog) touch() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.log != nil {
		a.log.Touch()
	}
}
