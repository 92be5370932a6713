// Package autostart starts the program at login.
//
// Where the entry is:
//
//   - freedesktop.org desktops: autostart/sigalert.desktop in the user's
//     configuration directory, with the program's icon and a hidden application
//     in the user's data directory
//   - macOS: ~/Library/LaunchAgents/sigalert.plist
//   - Windows: the value sigalert of the user's Run key in the registry
//
// The functions take no lock: the last write wins, and no reader sees half an entry.
package autostart

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
)

// An Entry is what starts the program at login.
type Entry struct {
	Enabled bool   // the next login starts Exe
	Where   string // the file or registry value; empty if there is no entry
	Exe     string // the program it starts; empty if not known
	Fault   string // why an entry that exists is not enabled
	Broken  bool   // it cannot start anything, and nobody turned it off
}

// ErrUnit says that a systemd user unit already starts the program.
var ErrUnit = errors.New("the systemd user unit sigalert.service is enabled")

// Enable makes the next login start exe, an absolute path, and returns where it
// wrote that. An entry for another path, or one that was turned off, is replaced;
// the same entry is left alone. If a systemd user unit starts the program,
// Enable changes nothing and returns an error wrapping ErrUnit.
func Enable(exe string) (where string, err error) {
	if !filepath.IsAbs(exe) {
		return "", fmt.Errorf("enable autostart: %q is not an absolute path", exe)
	}
	where, err = enable(exe)
	if err != nil {
		return "", fmt.Errorf("enable autostart: %w", err)
	}
	return where, nil
}

// Disable removes what Enable wrote, and reports whether there was an entry. It
// leaves alone a systemd user unit that starts the program, and then returns an
// error wrapping ErrUnit.
func Disable() (removed bool, err error) {
	removed, err = disable()
	if err != nil {
		return removed, fmt.Errorf("disable autostart: %w", err)
	}
	return removed, nil
}

// Status is what the next login does. Having no entry is not an error.
func Status() (Entry, error) {
	e, err := status()
	if err != nil {
		return Entry{}, fmt.Errorf("autostart status: %w", err)
	}
	return e, nil
}

// newEntry judges an entry that exists at where.
func newEntry(where, exe string, off bool) Entry {
	e := Entry{Where: where, Exe: exe}
	switch {
	case exe == "":
		e.Fault, e.Broken = "it names no program", true
	case off:
		e.Fault = "it is turned off"
	default:
		if _, err := exec.LookPath(exe); err != nil {
			e.Fault, e.Broken = fmt.Sprintf("%s does not exist or cannot be run", exe), true
		}
	}
	e.Enabled = e.Fault == ""
	return e
}
