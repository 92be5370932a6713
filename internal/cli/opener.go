package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// opened is how long a program must have run to have opened what it was to open,
// however it then ends.
const opened = 10 * time.Second

// startAside starts a program that outlives the click that started it, and may
// outlive us. The first of cmds that works is the one; failed is called if none does.
func startAside(failed func(error), cmds ...*exec.Cmd) {
	go func() {
		if err := tryEach(cmds); err != nil {
			failed(err)
		}
	}()
}

// tryEach runs cmds one after the other, until one does not soon end with an error.
func tryEach(cmds []*exec.Cmd) error {
	var errs []error
	for _, cmd := range cmds {
		started := time.Now()
		err := cmd.Run()
		if err == nil || time.Since(started) > opened {
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", cmd.Args[0], err))
	}
	return errors.Join(errs...)
}

// editors returns what can open a text file, the best first.
func editors(path string) []*exec.Cmd {
	switch runtime.GOOS {
	case "windows":
		return []*exec.Cmd{exec.Command("notepad.exe", path)}
	case "darwin":
		return []*exec.Cmd{exec.Command("open", "-t", path)}
	}
	byType := exec.Command("xdg-open", path)
	plain := xdgMime("default", "text/plain")
	if plain == "" {
		return []*exec.Cmd{byType}
	}
	asText := exec.Command("gtk-launch", plain, path)
	if xdgMime("default", xdgMime("filetype", path)) == "" {
		// On some desktops xdg-open would open a browser, which downloads the file.
		return []*exec.Cmd{asText, byType}
	}
	return []*exec.Cmd{byType, asText}
}

// xdgMime asks the desktop for the type of a file, or for the entry of the program
// that opens a type; "" if it does not know.
func xdgMime(query, of string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "xdg-mime", "query", query, of)
	cmd.WaitDelay = time.Second
	answer, err := cmd.Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(answer))
}

// browser opens an address with the program that the desktop has for it, mostly a
// browser.
func browser(address string) *exec.Cmd {
	switch runtime.GOOS {
	case "windows":
		return exec.Command("rundll32", "url.dll,FileProtocolHandler", address)
	case "darwin":
		return exec.Command("open", address)
	}
	return exec.Command("xdg-open", address)
}

// hasScreen reports whether a browser that we start has a screen: without one,
// xdg-open may start one for terminals.
func hasScreen() bool {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		return true
	}
	return os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}
