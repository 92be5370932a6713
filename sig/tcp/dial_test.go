//go:build linux

package tcp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigalert/sig"
)

// deaf is an address of this machine, at this port, that answers no attempt to connect:
// so many wait there for somebody to accept them that there is no room for more.
func deaf(t *testing.T, ip string, port int) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	at := &syscall.SockaddrInet4{Port: port, Addr: netip.MustParseAddr(ip).As4()}
	if err := syscall.Bind(fd, at); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("%s:%d", ip, port), 100*time.Millisecond)
		if err != nil {
			return
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Skip("this system takes more connections than there is room for")
}

func TestDialsAddressesSideBySide(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	deaf(t, "127.0.0.2", port)
	deaf(t, "127.0.0.3", port)
	const refuses, none = "127.0.0.4", ""
	for _, tc := range []struct {
		addrs        string
		least, limit time.Duration
		err          string
	}{
		{"127.0.0.1", 0, 250 * time.Millisecond, none},
		{"127.0.0.1 127.0.0.2", 0, 250 * time.Millisecond, none},
		{"127.0.0.2 127.0.0.1", headStart, 2 * time.Second, none},
		{"127.0.0.2 127.0.0.3 127.0.0.1", 2 * headStart, 2 * time.Second, none},
		{refuses + " 127.0.0.1", 0, 250 * time.Millisecond, none},
		{"127.0.0.2 " + refuses + " 127.0.0.1", headStart, 2 * time.Second, none},
		{refuses, 0, 2 * time.Second, "cannot reach there.example:PORT: connection refused"},
		{refuses + " 127.0.0.2", 3 * time.Second, 4 * time.Second, "cannot reach there.example:PORT: connection refused"},
	} {
		c := NewClient(fmt.Sprintf("there.example:%d", port))
		c.lookup = func(context.Context, string, string) (ips []netip.Addr, err error) {
			for text := range strings.FieldsSeq(tc.addrs) {
				ips = append(ips, netip.MustParseAddr(text))
			}
			return ips, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		began := time.Now()
		conn, err := c.Dial(ctx)
		took := time.Since(began)
		cancel()
		if got := strings.ReplaceAll(fmt.Sprint(err), fmt.Sprint(port), "PORT"); (err != nil || tc.err != none) && got != tc.err {
			t.Errorf("%s: %v", tc.addrs, err)
		}
		if took < tc.least || took > tc.limit+2*time.Second {
			t.Errorf("%s: %s, want %s to %s", tc.addrs, took, tc.least, tc.limit)
		}
		if conn != nil {
			if want := l.Addr().String(); conn.Peer() != want {
				t.Errorf("%s: connected to %s", tc.addrs, conn.Peer())
			}
			conn.Close()
		}
	}
}

func TestKindsOfAddressesTakeTurns(t *testing.T) {
	for in, want := range map[string]string{
		"1.1.1.1":                            "1.1.1.1",
		"::1 1.1.1.1":                        "::1 1.1.1.1",
		"::1 ::2 ::3 1.1.1.1":                "::1 1.1.1.1 ::2 ::3",
		"1.1.1.1 1.1.1.2 ::1 ::2":            "1.1.1.1 ::1 1.1.1.2 ::2",
		"::ffff:1.1.1.1 1.1.1.2 ::1":         "::ffff:1.1.1.1 ::1 1.1.1.2",
		"fe80::1%eth0 fe80::2%eth0 10.0.0.1": "fe80::1%eth0 10.0.0.1 fe80::2%eth0",
	} {
		var ips []netip.Addr
		for text := range strings.FieldsSeq(in) {
			ips = append(ips, netip.MustParseAddr(text))
		}
		var got []string
		for _, ip := range alternate(ips) {
			got = append(got, ip.String())
		}
		if !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %v", in, got)
		}
	}
}

// Where this machine keeps the address, a connection stays.
func TestRooted(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := NewClient(l.Addr().String()).Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(sig.RootedConn).Rooted(); err != nil {
		t.Error(err)
	}
}
