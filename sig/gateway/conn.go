package gateway

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
)

// guests is a listener for [http.Server] whose connections the router's carrier has
// accepted.
type guests struct {
	come   chan net.Conn
	closed chan struct{}
	close  func()
	log    *slog.Logger
	tls    *sync.Once // for the first client that tries it
}

func newGuests(log *slog.Logger) guests {
	closed := make(chan struct{})
	return guests{make(chan net.Conn), closed, sync.OnceFunc(func() { close(closed) }), log, new(sync.Once)}
}

func (l *guests) Accept() (net.Conn, error) {
	select {
	case conn := <-l.come:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *guests) Close() error {
	l.close()
	return nil
}

// take is a [tcp.Server.Other]: it returns when the connection has been closed.
func (l *guests) take(_ context.Context, conn net.Conn) {
	g := &guest{Conn: conn, guests: l, ended: make(chan struct{})}
	select {
	case l.come <- g:
		<-g.ended
	case <-l.closed:
	}
}

// Addr is not asked for: the connections know theirs.
func (l *guests) Addr() net.Addr { return &net.TCPAddr{} }

// guest is a connection that ends if it begins as TLS does.
type guest struct {
	net.Conn
	guests *guests
	begun  bool // the reading goroutine's
	once   sync.Once
	ended  chan struct{}
}

func (g *guest) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if n == 0 || g.begun {
		return n, err
	}
	g.begun = true
	if p[0] != startOfTLS {
		return n, err
	}
	g.guests.tls.Do(func() {
		g.guests.log.Warn("a client was turned away that tried TLS, which this port does not have: use http://, not https://", "client", g.RemoteAddr())
	})
	return 0, io.EOF
}

const startOfTLS = 0x16

func (g *guest) Close() error {
	defer g.once.Do(func() { close(g.ended) })
	return g.Conn.Close()
}

// CloseWrite is what [http.Server] does first where a client is still sending, which
// would otherwise lose the answer.
func (g *guest) CloseWrite() error {
	if w, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return http.ErrNotSupported
}
