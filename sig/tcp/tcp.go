package tcp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"

	"sigalert/sig"
	"sigalert/sig/internal/wire"
)

// Client dials a server; it is a [sig.ClientCarrier].
type Client struct {
	addr   string
	tls    *TLS // nil: without
	dialer net.Dialer
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// NewClient returns a carrier for the server at host:port or, with TLS, at
// tls://host:port; its certificate must be one that the system trusts.
func NewClient(addr string) *Client {
	if host, ok := strings.CutPrefix(addr, schemeTLS); ok {
		return NewTLSClient(host, nil)
	}
	return &Client{addr: addr, dialer: net.Dialer{KeepAliveConfig: keepAlive}, lookup: net.DefaultResolver.LookupNetIP}
}

// NewTLSClient is NewClient for a server with TLS, at least version 1.2.
func NewTLSClient(addr string, opts *TLS) *Client {
	c := NewClient(addr)
	c.tls = new(TLS)
	if opts != nil {
		*c.tls = *opts
	}
	return c
}

// Dial connects once. Where a name has several addresses, one that does not answer
// costs 0.3 s: then the next is tried beside it. The error names the address.
func (c *Client) Dial(ctx context.Context) (sig.Conn, error) {
	nc, err := c.connect(ctx)
	if err == nil && c.tls != nil {
		nc, err = c.handshake(ctx, nc)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot reach %s: %w", c, reason(err))
	}
	conn := newConn(nc)
	conn.shows = c.tls != nil && len(c.tls.Certificates) > 0
	return conn, nil
}

const schemeTLS = "tls://"

// String is host:port, after tls:// if there is TLS.
func (c *Client) String() string {
	if c.tls != nil {
		return schemeTLS + c.addr
	}
	return c.addr
}

// Server accepts clients; it is a [sig.ServerCarrier]. When the process has no
// file descriptor left, it says so to clients instead of letting them wait.
type Server struct {
	// Other serves the connections that begin as HTTP does, with an upper-case
	// letter, until they end or ctx does, and, if the server has no TLS, those that
	// begin as TLS does, with a byte 0x16. It is set before the server is used.
	// Default: the protocol's errors answer them.
	Other func(ctx context.Context, conn net.Conn)
	// TLS is for connections that begin as TLS does, whatever they speak within it; a
	// handshake may take 10 s. A certificate that a client has to show, or may, must
	// be verified in it. It is set before the server is used. Default: none.
	TLS *tls.Config

	listener *net.TCPListener
	reserve  *os.File // a descriptor for that; used by the goroutine that accepts
	room     *wire.Room
	turns    *turns
}

// Listen binds to host:port at once; port 0 is any free one. An empty host
// means every address of this machine, 0.0.0.0 every one of IPv4.
func Listen(addr string) (*Server, error) {
	lc := net.ListenConfig{KeepAlive: -1} // Accept sets it
	network := "tcp"
	if host, _, _ := net.SplitHostPort(addr); net.ParseIP(host).To4() != nil {
		network = "tcp4" // 0.0.0.0 would otherwise mean the addresses of IPv6, too
	}
	l, err := lc.Listen(context.Background(), network, addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, reason(err))
	}
	return NewServer(l.(*net.TCPListener)), nil
}

// NewServer is Listen for a socket that is already bound.
func NewServer(l *net.TCPListener) *Server {
	s := &Server{listener: l, room: wire.NewRoom(32 << 20), turns: newTurns()}
	s.reserve, _ = os.Open(os.DevNull)
	return s
}

// Addr returns the address at which the server listens, as host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Room is what unfinished messages share, for whoever serves Other.
func (s *Server) Room() *wire.Room { return s.room }

// LimitReading and Reading make the server a [sig.BoundedCarrier].
func (s *Server) LimitReading(bytes int) { s.room.Limit(bytes) }

// Reading is for [sig.ServerRouter.Stats].
func (s *Server) Reading() (bytes int, gaveWay uint64) { return s.room.Held() }

func (s *Server) Accept() (sig.Conn, error) {
	nc, err := s.listener.AcceptTCP()
	switch {
	case err == nil:
		_ = nc.SetKeepAliveConfig(keepAlive) // it fails only if the connection has gone
		c := newConn(nc)
		c.dec.Share(s.room, c.giveWay)
		c.other, c.tls = s.Other, s.TLS
		if c.tls != nil {
			c.turns = s.turns
			c.open, c.closed = context.WithCancel(context.Background())
		}
		return c, nil
	case errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE):
		s.turnAway()
	case errors.Is(err, net.ErrClosed):
		s.reserve.Close()
	}
	return nil, err
}

// turnAway uses the reserve to tell the next client that there is no descriptor
// for it.
func (s *Server) turnAway() {
	s.reserve.Close()
	defer func() { s.reserve, _ = os.Open(os.DevNull) }()
	_ = s.listener.SetDeadline(time.Now().Add(50 * time.Millisecond)) // it may have gone
	defer s.listener.SetDeadline(time.Time{})
	nc, err := s.listener.Accept()
	if err != nil {
		return
	}
	defer nc.Close()
	_ = nc.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	_, _ = nc.Write([]byte(`{"status": -2, "exception": "the server has no file descriptor left: try again", "id": null}`))
}

func (s *Server) Close() error { return s.listener.Close() }

// reason returns an error of package net without the address, which our own
// texts already have, and without the system call's name.
func reason(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	var call *os.SyscallError
	if errors.As(err, &call) {
		err = call.Err
	}
	return err
}
