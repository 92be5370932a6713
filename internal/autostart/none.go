//go:build !unix && !windows

package autostart

import "errors"

func enable(string) (string, error) { return "", errors.ErrUnsupported }
func disable() (bool, error)        { return false, errors.ErrUnsupported }
func status() (Entry, error)        { return Entry{}, errors.ErrUnsupported }
