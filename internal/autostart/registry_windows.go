package autostart

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/windows/registry"
)

const (
	runKey = `Software\Microsoft\Windows\CurrentVersion\Run`
	// The Settings app and the Task Manager turn an entry off here.
	approvedKey = `Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run`
	maxCommand  = 260 // longer ones are not run
)

// A value is one entry, by its name in the Run key.
type value string

const own value = "sigalert"

func enable(exe string) (string, error) { return own.enable(withoutConsole(exe)) }
func disable() (bool, error)            { return own.disable() }
func status() (Entry, error)            { return own.status() }

// withoutConsole is the program beside one, if there is one, that opens no window for the
// console: releases have both, sigalert.exe and sigalertw.exe.
func withoutConsole(exe string) string {
	ext := filepath.Ext(exe)
	w := strings.TrimSuffix(exe, ext) + "w" + ext
	if _, err := os.Stat(w); err != nil {
		return exe
	}
	return w
}

func (v value) where() string { return `HKCU\` + runKey + `\` + string(v) }

func (v value) enable(exe string) (string, error) {
	command := `"` + exe + `"`
	if len(command) > maxCommand {
		return "", fmt.Errorf("the path is too long for Windows to run at login: %s", exe)
	}
	key, _, err := registry.CreateKey(registry.CURRENT_USER, runKey, registry.SET_VALUE)
	if err != nil {
		return "", err
	}
	defer key.Close()
	if err := key.SetStringValue(string(v), command); err != nil {
		return "", err
	}
	_, err = v.remove(approvedKey)
	return v.where(), err
}

func (v value) disable() (bool, error) {
	removed, err := v.remove(runKey)
	if err != nil {
		return false, err
	}
	_, err = v.remove(approvedKey)
	return removed, err
}

// remove deletes the value from a key, and reports whether it was there.
func (v value) remove(path string) (bool, error) {
	key, err := registry.OpenKey(registry.CURRENT_USER, path, registry.SET_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer key.Close()
	err = key.DeleteValue(string(v))
	if errors.Is(err, registry.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (v value) status() (Entry, error) {
	key, err := registry.OpenKey(registry.CURRENT_USER, runKey, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return Entry{}, nil
	}
	if err != nil {
		return Entry{}, err
	}
	defer key.Close()
	command, _, err := key.GetStringValue(string(v))
	if errors.Is(err, registry.ErrNotExist) {
		return Entry{}, nil
	}
	if err != nil {
		return Entry{}, err
	}
	exe := command
	if rest, ok := strings.CutPrefix(command, `"`); ok {
		exe, _, _ = strings.Cut(rest, `"`)
	}
	return newEntry(v.where(), exe, v.off()), nil
}

// off reports whether the user turned the entry off: then the first byte is odd.
func (v value) off() bool {
	key, err := registry.OpenKey(registry.CURRENT_USER, approvedKey, registry.QUERY_VALUE)
	if err != nil {
		return false
	}
	defer key.Close()
	data, _, err := key.GetBinaryValue(string(v))
	return err == nil && len(data) > 0 && data[0]&1 == 1
}
