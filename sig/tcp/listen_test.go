package tcp_test

import (
	"net"
	"testing"

	"sigalert/sig/tcp"
)

// Every address of IPv4 is none of IPv6.
func TestListenOnIPv4(t *testing.T) {
	s, err := tcp.Listen("0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	if conn, err := net.Dial("tcp6", net.JoinHostPort("::1", port)); err == nil {
		conn.Close()
		t.Error("it can be reached over IPv6, too")
	}
}
