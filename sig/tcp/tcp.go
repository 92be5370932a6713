package tcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"sigalert/sig"
)

// Client dials a server; it is a [sig.ClientCarrier].
type Client struct {
	addr   string
	dialer net.Dialer
}

// NewClient returns a carrier for the server at host:port.
func NewClient(addr string) *Client {
	return &Client{addr: addr, dialer: net.Dialer{KeepAliveConfig: keepAlive}}
}

// Dial connects once. The error names the address.
func (c *Client) Dial(ctx context.Context) (sig.Conn, error) {
	nc, err := c.dialer.DialContext(ctx, "tcp", c.addr)
	if err != nil {
		return nil, fmt.Errorf("cannot reach %s: %w", c.addr, reason(err))
	}
	return newConn(nc), nil
}

func (c *Client) String() string { return c.addr }

// Server accepts clients; it is a [sig.ServerCarrier].
type Server struct{ listener net.Listener }

// Listen binds to host:port at once; port 0 is any free one. An empty host
// means every address of this machine.
func Listen(addr string) (*Server, error) {
	lc := net.ListenConfig{KeepAliveConfig: keepAlive}
	l, err := lc.Listen(context.Background(), "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, reason(err))
	}
	return &Server{l}, nil
}

// Addr returns the address at which the server listens, as host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

func (s *Server) Accept() (sig.Conn, error) {
	nc, err := s.listener.Accept()
	if err != nil {
		return nil, err
	}
	return newConn(nc), nil
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
