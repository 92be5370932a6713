package sig_test

import (
	"net"
	"testing"

	"sigalert/sig"
)

// What is said to a client after a write to it has failed cannot get to another.
func TestQueueIsNotShared(t *testing.T) {
	if sig.SharesQueue(broken{}) {
		t.Error("two clients may have one queue")
	}
}

// broken is a connection to which nothing can be written.
type broken struct{ sig.Conn }

func (broken) WriteMessage([]byte) error { return net.ErrClosed }
