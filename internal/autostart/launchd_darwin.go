package autostart

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

func agentPath() (string, error) {
	home, err := os.UserHomeDir()
	return filepath.Join(home, "Library/LaunchAgents/sigalert.plist"), err
}

func enable(exe string) (string, error) {
	path, err := agentPath()
	if err != nil {
		return "", err
	}
	text, err := plist(exe)
	if err != nil {
		return "", err
	}
	return path, writeFile(path, []byte(text))
}

func disable() (bool, error) {
	path, err := agentPath()
	if err != nil {
		return false, err
	}
	return remove(path)
}

func status() (Entry, error) {
	path, err := agentPath()
	if err != nil {
		return Entry{}, err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Entry{}, nil
	}
	if err != nil {
		return Entry{}, err
	}
	exe, off, err := parsePlist(string(text))
	if err != nil {
		return Entry{}, err
	}
	return newEntry(path, exe, off), nil
}
