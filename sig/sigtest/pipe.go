package sigtest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"sigalert/sig"
)

// Network is an in-memory carrier: a server carrier and any number of clients
// that dial it. The zero Network is down; bring it up with Up.
type Network struct {
	mu     sync.Mutex // guards the fields below
	accept chan sig.Conn
	down   chan struct{}
	conns  []sig.Conn
	dials  int
	frozen bool
	delay  time.Duration
}

// Up returns the carrier for a server, and lets clients dial.
func (n *Network) Up() sig.ServerCarrier {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.accept, n.down = make(chan sig.Conn), make(chan struct{})
	return &memoryServer{n, n.accept, n.down}
}

// Cut ends all connections, as a lost link does. Clients may dial again.
func (n *Network) Cut() {
	n.mu.Lock()
	conns := n.conns
	n.conns = nil
	n.mu.Unlock()
	for _, c := range conns {
		c.Close()
	}
}

// Freeze makes all connections, new ones included, swallow what is written, as
// a host does that has vanished without a word, until it is called with false.
func (n *Network) Freeze(frozen bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.frozen = frozen
}

// Delay makes each write take this long.
func (n *Network) Delay(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.delay = d
}

func (n *Network) state() (frozen bool, delay time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.frozen, n.delay
}

// Dials returns how often a client has dialled, with or without success.
func (n *Network) Dials() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials
}

// Client returns a carrier that dials this network's server.
func (n *Network) Client() sig.ClientCarrier { return memoryClient{n} }

type memoryServer struct {
	network *Network
	accept  chan sig.Conn
	down    chan struct{}
}

func (s *memoryServer) Accept() (sig.Conn, error) {
	select {
	case c := <-s.accept:
		return c, nil
	case <-s.down:
		return nil, net.ErrClosed
	}
}

func (s *memoryServer) Close() error {
	s.network.mu.Lock()
	defer s.network.mu.Unlock()
	select {
	case <-s.down:
	default:
		close(s.down)
	}
	return nil
}

type memoryClient struct{ network *Network }

func (c memoryClient) String() string { return "memory" }

func (c memoryClient) Dial(ctx context.Context) (sig.Conn, error) {
	n := c.network
	n.mu.Lock()
	n.dials++
	accept, down := n.accept, n.down
	n.mu.Unlock()
	if accept == nil {
		return nil, errors.New("cannot reach memory: the server is down")
	}
	near, far := n.pipe()
	select {
	case accept <- far:
	case <-down:
		return nil, errors.New("cannot reach memory: the server is down")
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	n.mu.Lock()
	n.conns = append(n.conns, near)
	n.mu.Unlock()
	return near, nil
}

// conn is one end of a connection of a Network.
type conn struct {
	network *Network
	in, out chan []byte
	closed  chan struct{} // shared by both ends
	close   func()
}

// pipe returns the two ends of a connection.
func (n *Network) pipe() (near, far *conn) {
	const waiting = 16 // messages, each way
	a, b := make(chan []byte, waiting), make(chan []byte, waiting)
	closed := make(chan struct{})
	end := sync.OnceFunc(func() { close(closed) })
	return &conn{n, a, b, closed, end}, &conn{n, b, a, closed, end}
}

// ReadMessage returns what was written before the end before it returns the end.
func (c *conn) ReadMessage() ([]byte, error) {
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
func (c *conn) WriteMessage(text []byte) error {
	frozen, delay := c.network.state()
	time.Sleep(delay)
	if frozen {
		return nil
	}
	select {
	case c.out <- bytes.Clone(text):
		return nil
	case <-c.closed:
		return net.ErrClosed
	}
}

// Close closes both ends.
func (c *conn) Close() error {
	c.close()
	return nil
}

// Private is true: nothing leaves the process.
func (c *conn) Private() bool { return true }

func (c *conn) Peer() string { return "memory" }
