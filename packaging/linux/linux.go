// Package linux carries the desktop entry that starts the program at login. Its
// other files are installed by the system package: see packaging/nfpm.yaml.
package linux

import _ "embed" // the entry

// Autostart is the entry for a program found in PATH; its lines Exec and TryExec
// are replaced for one that is elsewhere.
//
//go:embed sigalert-autostart.desktop
var Autostart string
