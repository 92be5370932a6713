package tcp_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
	"sigalert/sig/tcp"
)

// The first byte tells the protocol from others, which get the whole connection.
func TestGuests(t *testing.T) {
	carrier, err := tcp.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	carrier.Other = func(_ context.Context, conn net.Conn) {
		text, _ := io.ReadAll(conn)
		conn.Write(append([]byte("other: "), text...))
	}
	server := sig.NewServerRouter(nil)
	t.Cleanup(wait.Start(t.Context(), func(ctx context.Context) { server.Serve(ctx, carrier) }))
	const version = `{"status": 0, "id": 1, "response": "1.01"}`
	for _, tc := range []struct{ send, want string }{
		{"GET / HTTP/1.1\r\n\r\n", "other: GET / HTTP/1.1\r\n\r\n"},
		{"\x16\x03\x01", "other: \x16\x03\x01"},
		{"Z", "other: Z"},
		{`{"id": 1, "method": "get_version"}`, version},
		{" \r\n\t" + `{"id": 1, "method": "get_version"}`, version},
		{"get / HTTP/1.1\r\n\r\n", ""},
		{"[", ""},
		{"\x00", ""},
		{"", ""},
	} {
		conn, err := net.Dial("tcp", carrier.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(10 * time.Second))
		io.WriteString(conn, tc.send)
		conn.(*net.TCPConn).CloseWrite()
		if got, _ := io.ReadAll(conn); string(got) != tc.want {
			t.Errorf("%q is answered with %q, want %q", tc.send, got, tc.want)
		}
	}
}
