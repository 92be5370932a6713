//go:build (linux && !gtk && !android) || freebsd || openbsd || netbsd

package tray

import (
	"bytes"
	"io"
	"log"
)

// hush keeps what the library writes with package log about a missing tray host
// and a lost bus out of the program's output: show says it better. Everything else
// goes where it went before. The caller undoes it with restore.
func hush() (restore func()) {
	out := log.Writer()
	log.SetOutput(filter{out})
	return func() { log.SetOutput(out) }
}

type filter struct{ out io.Writer }

func (f filter) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("systray error: ")) {
		return len(line), nil
	}
	return f.out.Write(line)
}
