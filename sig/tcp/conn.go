package tcp

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sigalert/sig"
	"sigalert/sig/internal/wire"
)

const (
	// MaxOut is the longest message, in bytes, that a pysig peer can read.
	MaxOut = 4096
	// MaxIn is the longest message, in bytes, that is read.
	MaxIn = sig.MaxMessage

	// gap keeps two messages from ending up in one recv of the peer: with 5 ms
	// between them, one in a hundred was still lost.
	gap = 10 * time.Millisecond
	// writeTimeout is the least time that a peer may go without reading before
	// the connection to it ends; the most is twice that.
	writeTimeout = 10 * time.Second
	// messageTimeout ends the connection to a peer that begins a message and
	// does not finish it.
	messageTimeout = 30 * time.Second
)

// keepAlive detects peers that have vanished without a word, where the protocol
// has no message to probe them with.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 3}

type conn struct {
	net     net.Conn // with TLS, once it is there
	dec     *wire.Decoder
	current atomic.Pointer[net.Conn] // the same, for whoever is not the reading goroutine

	other func(context.Context, net.Conn) // serves other protocols; nil: nobody does
	tls   *tls.Config                     // for clients that begin with TLS; nil: it is another protocol
	first []byte                          // the first byte, until it is read
	shows bool                            // a client's certificate, of which it is not known yet what the server says; the reading goroutine's

	turns  *turns          // of the server's handshakes, where there is TLS
	open   context.Context // there, too: until Close
	closed func()          // ends it

	// The reading goroutine's.
	timed    bool  // the present message has been given its deadline
	armed    bool  // the connection has a read deadline
	insecure error // why the handshake failed

	gaveWay atomic.Bool

	mu       sync.Mutex // guards the fields below, and holds the order of writes
	last     time.Time  // end of the last paced write
	deadline time.Time  // that is set for writes
}

func newConn(c net.Conn) *conn {
	conn := &conn{}
	conn.use(c)
	conn.dec = wire.NewDecoder((*reader)(conn), MaxIn)
	return conn
}

// use makes c the connection.
func (c *conn) use(nc net.Conn) {
	c.net = nc
	c.current.Store(&nc)
}

// reader is the connection as its decoder reads it: from the first bytes of a
// message on, there is a deadline. Silence between messages may last for days.
type reader conn

func (r *reader) Read(p []byte) (int, error) {
	switch partial := r.dec.Partial(); {
	case partial && !r.timed:
		r.net.SetReadDeadline(time.Now().Add(messageTimeout))
		r.timed, r.armed = true, true
	case !partial && r.armed:
		r.net.SetReadDeadline(time.Time{})
		r.armed = false
	}
	if len(r.first) > 0 {
		n := copy(p, r.first)
		r.first = r.first[n:]
		return n, nil
	}
	if r.insecure != nil {
		return 0, r.insecure
	}
	n, err := r.net.Read(p)
	if err == nil {
		r.shows = false // the server has not refused it
		return n, nil
	}
	if r.gaveWay.Load() {
		return n, errors.New("a long message was not finished while many others were begun")
	}
	if r.shows {
		err = refused(err)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("a message was begun but not finished within %s", messageTimeout)
	}
	return n, reason(err)
}

// giveWay ends the connection in the middle of a long message.
func (c *conn) giveWay() {
	c.gaveWay.Store(true)
	c.Close()
}

// Guest makes the conn a [sig.GuestConn]. TLS is not another protocol, if the server has
// it: what counts is the first byte within.
func (c *conn) Guest() func(context.Context) {
	if c.other == nil && c.tls == nil {
		return nil
	}
	first := make([]byte, 1)
	if n, _ := c.net.Read(first); n == 0 {
		return nil // the next read has the error
	}
	if first[0] == startOfTLS && c.tls != nil {
		if n := c.secure(first); n == 0 {
			return nil
		}
	}
	if b := first[0]; c.other != nil && (b == startOfTLS && c.tls == nil || 'A' <= b && b <= 'Z') {
		return func(ctx context.Context) {
			defer c.Close()
			c.other(ctx, &begunConn{c.net, first})
		}
	}
	c.first = first
	return nil
}

// begunConn is a connection of which the first byte has been read.
type begunConn struct {
	net.Conn
	first []byte
}

// Certificate is that of the other side, for those who serve other protocols.
func (c *begunConn) Certificate() *x509.Certificate { return certificateOf(c.Conn) }

// Private is as for a [sig.PrivateConn].
func (c *begunConn) Private() bool { return isPrivate(c.Conn) }

// Secure reports whether the connection has TLS.
func (c *begunConn) Secure() bool {
	_, ok := c.Conn.(*tls.Conn)
	return ok
}

func (c *begunConn) Read(p []byte) (int, error) {
	if len(c.first) > 0 && len(p) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// CloseWrite lets an HTTP server's last answer arrive although the client is still
// sending.
func (c *begunConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return nil
}

func (c *conn) ReadMessage() ([]byte, error) {
	c.timed = false
	return c.dec.Next()
}

// WriteMessage waits until 10 ms after the previous write, and then at most 20
// s for the peer to take the message. A message over [MaxOut] bytes is refused
// with sig.ErrTooLarge.
func (c *conn) WriteMessage(text []byte) error {
	if len(text) > MaxOut {
		return fmt.Errorf("%w: it has %d bytes, and a pysig peer reads at most %d", sig.ErrTooLarge, len(text), MaxOut)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	sleepUntil(c.last.Add(gap))
	err := c.write(text)
	c.last = time.Now()
	return err
}

// sleepUntil is exact; time.Sleep may be half a millisecond late, which costs
// five messages in a hundred. It sleeps whole milliseconds, and yields for the
// rest.
func sleepUntil(t time.Time) {
	if d := time.Until(t).Truncate(time.Millisecond); d > 0 {
		time.Sleep(d)
	}
	for time.Now().Before(t) {
		runtime.Gosched()
	}
}

func (c *conn) Stream() { c.dec.Lines() }

// WriteStream waits at most 20 s for the peer to take the messages.
func (c *conn) WriteStream(batch []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write(batch)
}

// write must be called with the lock held. Setting a deadline costs as much as
// a small write: so one serves several writes, each of which has between one
// and two timeouts.
func (c *conn) write(text []byte) error {
	if now := time.Now(); c.deadline.Sub(now) < writeTimeout {
		c.deadline = now.Add(2 * writeTimeout)
		if err := c.net.SetWriteDeadline(c.deadline); err != nil {
			return reason(err)
		}
	}
	if _, err := c.net.Write(text); err != nil {
		c.Close() // half a message may be out: nothing can follow it
		return reason(err)
	}
	return nil
}

// CloseWrite makes the conn a [sig.HalfConn].
func (c *conn) CloseWrite() error {
	half, ok := (*c.current.Load()).(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	c.mu.Lock() // a message that is being written comes first
	defer c.mu.Unlock()
	return half.CloseWrite()
}

func (c *conn) Close() error {
	if c.closed != nil {
		c.closed()
	}
	return (*c.current.Load()).Close()
}

// Rooted makes the conn a [sig.RootedConn]: an address that nobody can bind to any
// more is no longer one of this machine.
func (c *conn) Rooted() error {
	local, ok := c.net.LocalAddr().(*net.TCPAddr)
	if !ok {
		return nil
	}
	probe, err := net.ListenUDP("udp", &net.UDPAddr{IP: local.IP, Zone: local.Zone})
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return fmt.Errorf("this machine no longer has the address %s", local.IP)
	}
	if err == nil {
		probe.Close()
	}
	return nil
}

// Private makes the conn a [sig.PrivateConn].
func (c *conn) Private() bool { return isPrivate(c.net) }

func isPrivate(conn net.Conn) bool {
	if _, secured := conn.(*tls.Conn); secured {
		return true
	}
	peer, ok := conn.RemoteAddr().(*net.TCPAddr)
	return ok && peer.IP.IsLoopback()
}

// Certificate makes the conn a [sig.CertifiedConn].
func (c *conn) Certificate() *x509.Certificate { return certificateOf(c.net) }

// Peer may be asked at any time.
func (c *conn) Peer() string { return (*c.current.Load()).RemoteAddr().String() }
