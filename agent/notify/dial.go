//go:build linux || freebsd || netbsd || openbsd

package notify

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"

	"sigalert/internal/sessionbus"
)

// busAddress is where the session bus may be, as the environment has it now.
func busAddress() (string, error) {
	address, err := sessionbus.Address()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrNoDesktop, err)
	}
	return address, nil
}

// beeepFindsBus reports whether beeep would find a bus. If not, it must not be
// called: the library below it would start a bus of its own and leave that running.
func beeepFindsBus() bool {
	if a := os.Getenv(sessionbus.Variable); a != "" && a != "autolaunch:" {
		return true
	}
	_, err := os.Stat(fmt.Sprintf("/run/user/%d/bus", os.Getuid()))
	return err == nil
}

// dialBus connects to the first of the addresses that accepts a connection, and
// says hello. From then on signals go to h.
func dialBus(ctx context.Context, addresses string, h dbus.SignalHandler) (*dbus.Conn, *socket, error) {
	raw, err := dialAddresses(ctx, addresses)
	if err != nil {
		return nil, nil, err
	}
	// The handshake takes no context: closing the socket ends it.
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	sock := newSocket(raw)
	conn, err := dbus.NewConn(sock, dbus.WithSignalHandler(h))
	if err != nil {
		stop()
		raw.Close()
		return nil, nil, err
	}
	if err = conn.Auth(nil); err == nil {
		err = conn.Hello()
	}
	if !stop() {
		err = ended(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, nil, fmt.Errorf("greet the session bus: %w", err)
	}
	return conn, sock, nil
}

func dialAddresses(ctx context.Context, addresses string) (net.Conn, error) {
	var dialer net.Dialer
	var errs []error
	for address := range strings.SplitSeq(addresses, ";") {
		network, target, err := parseAddress(address)
		if err == nil {
			var conn net.Conn
			if conn, err = dialer.DialContext(ctx, network, target); err == nil {
				return conn, nil
			}
		}
		errs = append(errs, err)
	}
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	return nil, errors.Join(errs...)
}

// parseAddress turns one D-Bus address into what net dials.
func parseAddress(address string) (network, target string, err error) {
	transport, params, ok := strings.Cut(address, ":")
	if !ok {
		return "", "", fmt.Errorf("bus address %q: must be transport:key=value", address)
	}
	value := make(map[string]string)
	for param := range strings.SplitSeq(params, ",") {
		key, escaped, _ := strings.Cut(param, "=")
		if value[key], err = dbus.UnescapeBusAddressValue(escaped); err != nil {
			return "", "", fmt.Errorf("bus address %q: %w", address, err)
		}
	}
	switch {
	case transport == "unix" && value["path"] != "":
		return "unix", value["path"], nil
	case transport == "unix" && value["abstract"] != "":
		return "unix", "@" + value["abstract"], nil
	case transport == "unix" && value["runtime"] == "yes":
		return "unix", filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "bus"), nil
	case transport == "tcp" && value["port"] != "":
		network = map[string]string{"ipv4": "tcp4", "ipv6": "tcp6"}[value["family"]]
		if network == "" {
			network = "tcp"
		}
		return network, net.JoinHostPort(value["host"], value["port"]), nil
	}
	return "", "", fmt.Errorf("bus address %q: unsupported", address)
}

// socket is the connection below godbus, which sets no bound to its writes. It
// closes when a write fails: after half a message, the rest would be garbage.
type socket struct {
	net.Conn
	buffered *bufio.Reader
}

func newSocket(raw net.Conn) *socket {
	return &socket{Conn: raw, buffered: bufio.NewReader(raw)}
}

func (s *socket) Read(p []byte) (int, error) { return s.buffered.Read(p) }

func (s *socket) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	if err != nil {
		s.Conn.Close()
	}
	return n, err
}

// boundWrites makes writes fail when ctx ends, until release is called: closing
// the connection would wait for a write that blocks.
func (s *socket) boundWrites(ctx context.Context) (release func()) {
	expired := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		s.SetWriteDeadline(time.Unix(1, 0))
		close(expired)
	})
	return func() {
		if !stop() {
			<-expired
			s.SetWriteDeadline(time.Time{})
		}
	}
}
