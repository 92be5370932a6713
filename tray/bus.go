//go:build (linux && !android && (!gtk || cgo)) || freebsd || openbsd || netbsd

package tray

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	retry       = 3 * time.Second
	busDeadline = 5 * time.Second
)

// waitBus returns true when the session bus answers, and false when ctx ends.
func waitBus(ctx context.Context, say *once) bool {
	for ctx.Err() == nil {
		switch {
		case !findBus():
			say.info("no session bus; the tray icon appears when there is one")
		case !answers(ctx):
			say.info("the session bus does not answer; the tray icon appears when it does")
		default:
			return true
		}
		pause(ctx)
	}
	return false
}

// findBus reports whether the environment names a session bus. A socket in the
// runtime directory is one too, and is put into the environment for the
// libraries: without an address they start a bus of their own.
func findBus() bool {
	const name = "DBUS_SESSION_BUS_ADDRESS"
	if address := os.Getenv(name); address != "" && !strings.HasPrefix(address, "autolaunch:") {
		return true
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return false
	}
	socket := filepath.Join(dir, "bus")
	if _, err := os.Stat(socket); err != nil {
		return false
	}
	return os.Setenv(name, "unix:path="+dbus.EscapeBusAddressValue(socket)) == nil
}

// answers reports whether the bus takes a connection.
func answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, busDeadline)
	defer cancel()
	conn, err := dbus.Connect(os.Getenv("DBUS_SESSION_BUS_ADDRESS"), dbus.WithContext(ctx))
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// pause waits for the time between two attempts, or until ctx ends.
func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(retry):
	}
}

// once logs each message a single time.
type once struct {
	log  *slog.Logger
	said map[string]bool
}

func newOnce(log *slog.Logger) *once {
	return &once{log: log, said: make(map[string]bool)}
}

func (o *once) info(message string) {
	if !o.said[message] {
		o.said[message] = true
		o.log.Info(message)
	}
}
