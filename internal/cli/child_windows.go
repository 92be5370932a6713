package cli

import (
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// passedOn are the signals that we outlive: Windows gives them to a command, too.
var passedOn = []os.Signal{syscall.SIGINT, syscall.SIGTERM}

func hasItAlready(os.Signal) bool { return true }

func isTerminal(f *os.File) bool {
	var mode uint32
	return windows.GetConsoleMode(windows.Handle(f.Fd()), &mode) == nil
}

func signalName(s syscall.Signal) string { return s.String() }
