package cli

import (
	"io"
	"sync"
)

// output is standard output. It remembers that a write failed, so that commands
// need not check each: Main does at the end.
type output struct {
	w io.Writer

	mu  sync.Mutex // guards err
	err error      // the first failure
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil && err != errUnread { // whoever asked for the end does not mind
		o.mu.Lock()
		defer o.mu.Unlock()
		if o.err == nil {
			o.err = err
		}
	}
	return n, err
}

func (o *output) failure() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}
