//go:build linux

package e2e

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A router that has no file descriptor left tells clients so, and takes them again
// as soon as it has some.
func TestRouterWithoutDescriptors(t *testing.T) {
	s := newHome(t).serve(t, program(t))
	few := unix.Rlimit{Cur: 40, Max: 40}
	if err := unix.Prlimit(s.pid(), unix.RLIMIT_NOFILE, &few, nil); err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	refused := make(chan string, 100)
	for range 60 {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		go func() {
			text, _ := bufio.NewReader(conn).ReadString('}')
			refused <- text
		}()
	}
	if text := <-refused; !strings.Contains(text, "no file descriptor left") {
		t.Errorf("a client that there is no descriptor for reads %q", text)
	}
	for _, conn := range conns {
		conn.Close()
	}
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, `{"id": 1, "method": "get_version"}`)
	if text, err := bufio.NewReader(conn).ReadString('}'); !strings.Contains(text, "1.01") {
		t.Errorf("with descriptors again: %q, %v", text, err)
	}
}
