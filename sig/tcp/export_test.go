package tcp

import (
	"context"
	"crypto/tls"
	"net"
)

// Greet has a server with TLS take a connection, up to its first message.
func Greet(c net.Conn, secured *tls.Config) (other bool, err error) {
	conn := newConn(c)
	conn.tls, conn.turns, conn.open = secured, newTurns(), context.Background()
	if conn.Guest() != nil {
		return true, nil
	}
	_, err = conn.ReadMessage()
	return false, err
}
