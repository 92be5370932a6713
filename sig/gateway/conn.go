package gateway

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"

	"sigalert/internal/pipe"
	"sigalert/sig"
)

// handover is a listener for connections that come from elsewhere in this process.
type handover[C any] struct {
	come   chan C
	closed chan struct{}
	close  func()
}

func newHandover[C any]() handover[C] {
	closed := make(chan struct{})
	return handover[C]{make(chan C), closed, sync.OnceFunc(func() { close(closed) })}
}

func (h handover[C]) Accept() (conn C, err error) {
	select {
	case conn = <-h.come:
		return conn, nil
	case <-h.closed:
		return conn, net.ErrClosed
	}
}

func (h handover[C]) Close() error {
	h.close()
	return nil
}

// guests is a listener for [http.Server] whose connections the router's carrier has
// accepted.
type guests struct {
	handover[net.Conn]
	log *slog.Logger
	tls *sync.Once // for the first client that tries it
}

func newGuests(log *slog.Logger) guests {
	return guests{newHandover[net.Conn](), log, new(sync.Once)}
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

// inside is a carrier within this process: streams are clients of the router.
type inside = handover[sig.Conn]

// streamOf begins the address of a stream's client.
const streamOf = "stream of "

// dialer is a carrier for one stream's client.
type dialer struct {
	inside inside
	reader sig.Caller // of the stream
}

func (d dialer) Dial(ctx context.Context) (sig.Conn, error) {
	near, far := pipe.New(streamOf+d.reader.Peer, waiting) // not from that address, where it would count a second time
	select {
	case d.inside.come <- foreign{far, d.reader}:
		return near, nil
	case <-d.inside.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// foreign is the router's end of a stream.
type foreign struct {
	*pipe.Conn
	reader sig.Caller
}

func (c foreign) Caller() sig.Caller { return c.reader }

func (d dialer) String() string { return "this router" }
