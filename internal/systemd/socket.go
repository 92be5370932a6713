package systemd

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

const firstFile = 3 // the number of the first descriptor that systemd passes

// Socket returns the TCP socket that systemd listens at for this process; nil if there
// is none. It may be called once. Several sockets are an error: a router has one
// address, and ListenStream= without a host is for IPv4 and IPv6.
func Socket() (*net.TCPListener, error) {
	return socket(func() *os.File { return os.NewFile(firstFile, "systemd's socket") })
}

// socket opens the first descriptor only if it is one of ours.
func socket(open func() *os.File) (*net.TCPListener, error) {
	pid, count := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name) // they are not for programs that we start
	}
	if pid != strconv.Itoa(os.Getpid()) || count == "0" || count == "" {
		return nil, nil
	}
	if count != "1" {
		return nil, fmt.Errorf("systemd passes %s sockets, and the router takes one: leave one ListenStream= in the socket unit", count)
	}
	first := open()
	defer first.Close()
	l, err := net.FileListener(first) // which duplicates it
	if err != nil {
		return nil, fmt.Errorf("systemd's socket cannot be used: %w", err)
	}
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		l.Close()
		return nil, fmt.Errorf("systemd's socket is at %s: the router takes one of TCP, such as ListenStream=3000", l.Addr())
	}
	return tcp, nil
}
