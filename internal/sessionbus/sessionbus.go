// Package sessionbus finds the D-Bus session bus of this process, and the desktop
// on it.
package sessionbus

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"
)

// Variable is the environment variable with the bus's address.
const Variable = "DBUS_SESSION_BUS_ADDRESS"

// Address is where the session bus may be, as the environment has it now: what
// [Variable] says, then the socket in XDG_RUNTIME_DIR if there is one. They are
// separated by semicolons, as D-Bus libraries expect it, which take the first that
// answers: a session that has ended may leave a dead address in the environment.
// The error says what is missing. "autolaunch:" does not count: it asks for a bus
// that nobody else is on.
func Address() (string, error) {
	var all []string
	for address := range strings.SplitSeq(os.Getenv(Variable), ";") {
		if address != "" && !strings.HasPrefix(address, "autolaunch:") {
			all = append(all, address)
		}
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	path := filepath.Join(dir, "bus")
	if _, err := os.Stat(path); dir != "" && err == nil {
		if address := "unix:path=" + dbus.EscapeBusAddressValue(path); !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	switch {
	case len(all) > 0:
		return strings.Join(all, ";"), nil
	case dir == "":
		return "", fmt.Errorf("neither %s nor XDG_RUNTIME_DIR is set: start it from a desktop session", Variable)
	}
	return "", fmt.Errorf("%s is not set and %s does not exist: start it from a desktop session", Variable, path)
}

// Desktop is what was found on a session bus.
type Desktop struct {
	Bus   string // the bus's ID; no two buses have the same
	Shows bool   // something there shows notifications or tray icons
}

// Find looks for the desktop at [Address]. The error says that no bus answers.
func Find(ctx context.Context) (Desktop, error) {
	conn, err := connect(ctx)
	if err != nil {
		return Desktop{}, err
	}
	defer conn.Close()
	var d Desktop
	if err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.GetId", 0).Store(&d.Bus); err != nil {
		return Desktop{}, fmt.Errorf("ask the session bus for its ID: %w", err)
	}
	for _, name := range []string{notifications, trayWatcher} {
		owned := false
		err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, name).Store(&owned)
		d.Shows = d.Shows || err == nil && owned
	}
	return d, nil
}

func connect(ctx context.Context) (*dbus.Conn, error) {
	address, err := Address()
	if err != nil {
		return nil, err
	}
	conn, err := dbus.Connect(address, dbus.WithContext(ctx))
	if err != nil {
		return nil, fmt.Errorf("connect to the session bus: %w", err)
	}
	return conn, nil
}

const (
	notifications     = "org.freedesktop.Notifications"
	notificationsPath = "/org/freedesktop/Notifications"
	trayWatcher       = "org.kde.StatusNotifierWatcher"
	properties        = "org.freedesktop.DBus.Properties"
)
