//go:build (linux && !android && (!gtk || cgo)) || freebsd || openbsd || netbsd

package tray

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/godbus/dbus/v5"

	"sigalert/internal/sessionbus"
	"sigalert/internal/wait"
)

const (
	retry       = 3 * time.Second // between two attempts
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
		wait.Sleep(ctx, retry, nil)
	}
	return false
}

// findBus reports whether the environment names a session bus. A socket in the
// runtime directory counts too, and its address is put into the environment for
// the libraries: without one they start a bus of their own.
func findBus() bool {
	address, err := sessionbus.Address()
	return err == nil && os.Setenv(sessionbus.Variable, address) == nil
}

// answers reports whether the bus takes a connection.
func answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, busDeadline)
	defer cancel()
	conn, err := dbus.Connect(os.Getenv(sessionbus.Variable), dbus.WithContext(ctx))
	if err != nil {
		return false
	}
	conn.Close()
	return true
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
