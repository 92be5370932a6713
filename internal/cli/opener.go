package cli

import (
	"os"
	"os/exec"
	"runtime"
)

// startAside starts a program that outlives the click that started it, and may
// outlive us. failed is called if it does not start, or ends with an error.
func startAside(cmd *exec.Cmd, failed func(error)) {
	if err := cmd.Start(); err != nil {
		failed(err)
		return
	}
	go func() {
		if err := cmd.Wait(); err != nil {
			failed(err)
		}
	}()
}

// editor opens a file with the desktop's program for text.
func editor(path string) *exec.Cmd {
	switch runtime.GOOS {
	case "windows":
		return exec.Command("notepad.exe", path)
	case "darwin":
		return exec.Command("open", "-t", path)
	}
	return exec.Command("xdg-open", path)
}

// browser opens an address with the desktop's browser.
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
