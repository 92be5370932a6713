// Package sessionbus finds the D-Bus session bus of this process.
package sessionbus

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/godbus/dbus/v5"
)

// Variable is the environment variable with the bus's address.
const Variable = "DBUS_SESSION_BUS_ADDRESS"

// Address is the session bus's address as the environment has it now. The error
// says what is missing. "autolaunch:" does not count: it asks for a bus that nobody
// else is on.
func Address() (string, error) {
	if a := os.Getenv(Variable); a != "" && !strings.HasPrefix(a, "autolaunch:") {
		return a, nil
	}
	dir := os.Getenv("XDG_RUNTIME_DIR")
	if dir == "" {
		return "", fmt.Errorf("neither %s nor XDG_RUNTIME_DIR is set: start it from a desktop session", Variable)
	}
	path := filepath.Join(dir, "bus")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is not set and %s does not exist: start it from a desktop session", Variable, path)
	}
	return "unix:path=" + dbus.EscapeBusAddressValue(path), nil
}
