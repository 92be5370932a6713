// Package pipe connects two routers of one process.
package pipe

import (
	"bytes"
	"io"
	"net"
	"sync"
)

// Conn is one end of a connection in memory, a [sigalert/sig.Conn].
type Conn struct {
	in, out chan []byte
	closed  chan struct{} // shared by both ends
	close   func()
	peer    string
}

// New returns the two ends of a connection. Each way, so many messages may wait to be
// read. Peer is what both return for the other side's address.
func New(peer string, waiting int) (near, far *Conn) {
	a, b := make(chan []byte, waiting), make(chan []byte, waiting)
	closed := make(chan struct{})
	end := sync.OnceFunc(func() { close(closed) })
	return &Conn{a, b, closed, end, peer}, &Conn{b, a, closed, end, peer}
}

// ReadMessage returns what was written before the end before it returns the end.
func (c *Conn) ReadMessage() ([]byte, error) {
	select {
	case text := <-c.in:
		return text, nil
	default:
	}
	select {
	case text := <-c.in:
		return text, nil
	case <-c.closed:
		return nil, io.EOF
	}
}

// WriteMessage waits until the other end has room or either is closed.
func (c *Conn) WriteMessage(text []byte) error {
	select {
	case c.out <- bytes.Clone(text):
		return nil
	case <-c.closed:
		return net.ErrClosed
	}
}

// Close closes both ends.
func (c *Conn) Close() error {
	c.close()
	return nil
}

// Private is true: nothing leaves the process.
func (c *Conn) Private() bool { return true }

// Peer is what was given to New.
func (c *Conn) Peer() string { return c.peer }
