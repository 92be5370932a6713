package sig

import (
	"context"
	"crypto/x509"
)

// A ClientCarrier is how a ClientRouter reaches its server. Package
// sigalert/sig/tcp has the built-in one.
type ClientCarrier interface {
	// Dial makes one connection. It does not try again.
	Dial(ctx context.Context) (Conn, error)
	// String is the server's address, for people.
	String() string
}

// A ServerCarrier is how a ServerRouter meets its clients.
type ServerCarrier interface {
	// Accept waits for the next connection. Once the carrier is closed, it
	// fails with an error that is [net.ErrClosed].
	Accept() (Conn, error)
	// Close ends a waiting Accept. It leaves accepted connections alone.
	Close() error
}

// A BoundedCarrier is a ServerCarrier that bounds the bytes of unfinished messages, of
// all of its connections together.
type BoundedCarrier interface {
	ServerCarrier
	// LimitReading changes the limit, see [Limits]. Who began a message first gives way
	// when there are more.
	LimitReading(bytes int)
	// Reading returns how many there are, and how many connections have given way.
	Reading() (bytes int, gaveWay uint64)
}

// A Conn is one connection between two routers. It carries whole messages,
// each a JSON object, in order and without loss until it ends.
//
// One goroutine reads. Any number may write or close at the same time.
//
// A Conn that wraps another may change the messages on their way, to pack or to
// encrypt them, if both sides do so.
type Conn interface {
	// ReadMessage waits for the next message, which is valid until the next
	// call. An error is final; it is io.EOF if the peer ended the connection
	// between messages.
	ReadMessage() ([]byte, error)
	// WriteMessage sends a message. It must not wait for the peer for ever: a
	// carrier sets its own deadline. An error that is ErrTooLarge leaves the
	// connection usable; any other is final.
	WriteMessage([]byte) error
	// Close ends the connection, and with it a waiting ReadMessage.
	Close() error
	// Peer is the other side's address, for people.
	Peer() string
}

// A StreamConn is a Conn that takes many messages in one write. If a Conn is
// not a StreamConn, a stream's messages go through WriteMessage, one by one.
type StreamConn interface {
	Conn
	// Stream is called by the reading goroutine once both sides have agreed on
	// a stream: from then on, each incoming message is a line.
	Stream()
	// WriteStream sends several messages in a row, each of which ends in a
	// newline and has none inside. It waits and fails as WriteMessage does; any
	// error is final.
	WriteStream(batch []byte) error
}

// A PrivateConn is a Conn that may keep others from reading and changing what goes over
// it.
type PrivateConn interface {
	Conn
	// Private reports whether it does: it is encrypted, to a peer whose identity has
	// been checked, or does not leave this machine.
	Private() bool
}

// A CertifiedConn is a Conn of a server whose other side may have shown a certificate.
type CertifiedConn interface {
	Conn
	// Certificate returns the certificate, which an authority of the server's has
	// signed, and of which the other side has the key; nil if there is none. It is
	// called by the reading goroutine, once it has read something.
	Certificate() *x509.Certificate
}

// isPrivate reports whether nobody else can read what goes over a connection.
func isPrivate(conn Conn) bool {
	c, ok := conn.(PrivateConn)
	return ok && c.Private()
}

// A RootedConn is a Conn of a client that depends on an address of this machine.
type RootedConn interface {
	Conn
	// Rooted returns an error if this machine no longer has the address: nothing
	// can come over the connection any more.
	Rooted() error
}

// A HalfConn is a Conn that can end one way first: what was written arrives even if the
// other side is still writing.
type HalfConn interface {
	Conn
	// CloseWrite ends what this side sends.
	CloseWrite() error
}

// A GuestConn is a Conn of a server whose other side may speak another protocol,
// such as HTTP, at the same address.
type GuestConn interface {
	Conn
	// Guest waits for the first byte. It returns nil if that may begin a message, and
	// otherwise what serves the other protocol, until the connection ends or ctx
	// does. Until then the server counts the connection as a client.
	Guest() (serve func(ctx context.Context))
}
