//go:build unix && !darwin

package autostart

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sigalert/packaging/icons"
)

// iconFiles are the icons that sessions show beside the entry, and notification
// servers beside an alert, by their path in a theme folder.
var iconFiles = []string{
	"hicolor/48x48/apps/sigalert.png",
	"hicolor/256x256/apps/sigalert.png",
	"hicolor/scalable/apps/sigalert.svg",
}

func enable(exe string) (string, error) {
	entry, err := desktopEntry(exe)
	if err != nil {
		return "", err
	}
	config, data, err := folders()
	if err != nil {
		return "", err
	}
	if err := checkUnit(config); err != nil {
		return "", err
	}
	for _, name := range iconFiles {
		icon, err := icons.Theme.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := writeFile(filepath.Join(data, "icons", name), icon); err != nil {
			return "", err
		}
	}
	if err := writeApplication(data, entry); err != nil {
		return "", err
	}
	path := entryPath(config)
	return path, writeFile(path, []byte(entry))
}

func disable() (bool, error) {
	config, data, err := folders()
	if err != nil {
		return false, err
	}
	for _, name := range iconFiles {
		if err := removeIcon(data, name); err != nil {
			return false, err
		}
	}
	if err := removeApplication(data); err != nil {
		return false, err
	}
	removed, err := remove(entryPath(config))
	if err != nil {
		return false, err
	}
	return removed, checkUnit(config)
}

// application is where the desktop looks for the entry that notifications name:
// KDE keeps no history of alerts without one.
const application = "applications/sigalert.desktop"

// hidden makes an autostart entry one for the applications, which no menu shows.
// The mark says that the entry is ours to remove.
const (
	mark   = "X-Sigalert-Autostart=true\n"
	hidden = "NoDisplay=true\n" + mark
)

// writeApplication puts a hidden copy of entry among the user's applications,
// unless there is an entry of the user's or the system's: ours would take its
// place in the menu.
func writeApplication(data, entry string) error {
	path := filepath.Join(data, application)
	for _, dir := range systemData() {
		system := filepath.Join(dir, application)
		if _, err := os.Stat(system); err == nil && system != path {
			return removeApplication(data)
		}
	}
	if there, err := os.ReadFile(path); err == nil && !strings.Contains(string(there), mark) {
		return nil
	}
	return writeFile(path, []byte(entry+hidden))
}

func removeApplication(data string) error {
	path := filepath.Join(data, application)
	if there, err := os.ReadFile(path); err != nil || !strings.Contains(string(there), mark) {
		return nil
	}
	_, err := remove(path)
	return err
}

// removeIcon removes an icon, unless somebody has put another in its place.
func removeIcon(data, name string) error {
	ours, err := icons.Theme.ReadFile(name)
	if err != nil {
		return err
	}
	path := filepath.Join(data, "icons", name)
	if there, err := os.ReadFile(path); err != nil || !bytes.Equal(there, ours) {
		return nil
	}
	_, err = remove(path)
	return err
}

func status() (Entry, error) {
	config, _, err := folders()
	if err != nil {
		return Entry{}, err
	}
	if checkUnit(config) != nil {
		return unitEntry(unitPath(config)), nil
	}
	path := entryPath(config)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, nil
	}
	if err != nil {
		return Entry{}, err
	}
	exe, off := parseDesktop(string(text))
	return newEntry(path, exe, off), nil
}

// checkUnit returns an error if systemd starts the program. The link may point to
// a unit that is gone; it still says what the user wants.
func checkUnit(config string) error {
	path := unitPath(config)
	if _, err := os.Lstat(path); err != nil {
		return nil
	}
	return fmt.Errorf("%w (%s); to turn it off: systemctl --user disable sigalert.service", ErrUnit, path)
}

// unitEntry judges a unit by the program that it starts, if it names one by its
// whole path.
func unitEntry(path string) Entry {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		command, found := strings.CutPrefix(line, "ExecStart=")
		if !found {
			continue
		}
		exe := splitArgs(strings.TrimSpace(command))[0]
		if filepath.IsAbs(exe) && !strings.Contains(exe, "%") {
			return newEntry(path, exe, false)
		}
	}
	return Entry{Enabled: true, Where: path}
}

func entryPath(config string) string {
	return filepath.Join(config, "autostart", "sigalert.desktop")
}

func unitPath(config string) string {
	return filepath.Join(config, "systemd/user/graphical-session.target.wants/sigalert.service")
}

// folders returns the user's configuration and data directories.
func folders() (config, data string, err error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", "", err
	}
	return folder("XDG_CONFIG_HOME", home, ".config"), folder("XDG_DATA_HOME", home, ".local/share"), nil
}

// systemData returns the data directories that all users share.
func systemData() []string {
	dirs := os.Getenv("XDG_DATA_DIRS")
	if dirs == "" {
		dirs = "/usr/local/share:/usr/share"
	}
	return filepath.SplitList(dirs)
}

// folder reads a variable, which counts only if its path is absolute.
func folder(name, home, fallback string) string {
	if dir := os.Getenv(name); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(home, fallback)
}
