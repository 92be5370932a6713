package sig

import "context"

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
	// Accept waits for the next connection. It fails once the carrier is
	// closed, with an error that is [net.ErrClosed].
	Accept() (Conn, error)
	// Close ends a waiting Accept. It leaves accepted connections alone.
	Close() error
}

// A Conn is one connection between two routers. It carries whole messages,
// each a JSON object, in order and without loss until it ends.
//
// One goroutine reads. Any number may write or close at the same time.
type Conn interface {
	// ReadMessage waits for the next message, which is the caller's until the
	// next call. An error is final; it is io.EOF where the peer ended the
	// connection between messages.
	ReadMessage() ([]byte, error)
	// WriteMessage hands a message over. It must not wait for the peer for
	// ever: a carrier sets itself a deadline. An error that is ErrTooLarge
	// leaves the connection usable, any other is final.
	WriteMessage([]byte) error
	// Close ends the connection, and with it a waiting ReadMessage.
	Close() error
	// Peer is the other side's address, for people.
	Peer() string
}

// A StreamConn is a Conn that takes many messages in one write. Where a Conn is
// none, a stream's messages go through WriteMessage, one by one.
type StreamConn interface {
	Conn
	// Stream tells the goroutine that reads that both sides have agreed on a
	// stream: each message that comes is a line.
	Stream()
	// WriteStream hands over messages that follow each other, each of which
	// ends in a newline and has none within. It waits and fails as
	// WriteMessage does; any error is final.
	WriteStream(batch []byte) error
}
