package several

import (
	"sync"

	"sigalert/sig"
)

// full is a connection with all that the one over TCP has.
type full interface {
	sig.StreamConn
	sig.RootedConn
}

// watch counts a connection until it is closed, and notes whether anything came over it.
func (c *Carrier) watch(at int, conn sig.Conn) sig.Conn {
	c.mu.Lock()
	c.open[at]++
	c.mu.Unlock()
	w := new(watch)
	w.speak = sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.mutes[at], w.spoke = false, true
	})
	w.close = sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.open[at]--
		if !w.spoke {
			c.mutes[at] = true
		}
	})
	if all, ok := conn.(full); ok {
		return &fullConn{all, w}
	}
	return &plainConn{conn, w}
}

// watch is what is known of a connection.
type watch struct {
	speak, close func() // for the first message, and for the end
	spoke        bool   // guarded by Carrier.mu
}

func (w *watch) read(text []byte, err error) ([]byte, error) {
	if err == nil {
		w.speak()
	}
	return text, err
}

type plainConn struct {
	sig.Conn
	watch *watch
}

func (c *plainConn) ReadMessage() ([]byte, error) {
	return c.watch.read(c.Conn.ReadMessage())
}

func (c *plainConn) Close() error {
	defer c.watch.close()
	return c.Conn.Close()
}

type fullConn struct {
	full
	watch *watch
}

func (c *fullConn) ReadMessage() ([]byte, error) {
	return c.watch.read(c.full.ReadMessage())
}

func (c *fullConn) Close() error {
	defer c.watch.close()
	return c.full.Close()
}
