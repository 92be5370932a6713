package autostart

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"sigalert/packaging/linux"
)

// desktopEntry returns the desktop entry that starts exe.
func desktopEntry(exe string) (string, error) {
	switch {
	case !utf8.ValidString(exe) || strings.ContainsFunc(exe, unicode.IsControl):
		return "", fmt.Errorf("a desktop entry cannot hold the path %q", exe)
	case strings.Contains(exe, "="):
		return "", fmt.Errorf("a desktop entry cannot start %q: its path has an equals sign", exe)
	}
	var b strings.Builder
	for line := range strings.Lines(linux.Autostart) {
		switch key, _, _ := strings.Cut(line, "="); key {
		case "Exec":
			line = "Exec=" + execLine(exe) + "\n"
		case "TryExec":
			line = "TryExec=" + escapeValue(exe) + "\n"
		}
		b.WriteString(line)
	}
	return b.String(), nil
}

// parseDesktop returns the program that a desktop entry starts, and whether the
// entry is turned off.
func parseDesktop(text string) (exe string, off bool) {
	group := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			group = line
		}
		key, value, _ := strings.Cut(line, "=")
		if group != "[Desktop Entry]" {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "Exec":
			exe = program(splitArgs(unescapeValue(value)))
		case "Hidden":
			off = off || value == "true"
		case "X-GNOME-Autostart-enabled":
			off = off || value == "false"
		}
	}
	return exe, off
}

// execLine returns the value of Exec. It is escaped twice: each argument by the
// rules of Exec, then the line by those for every string of a desktop entry. A
// percent sign is doubled, but GLib looks for the program before it undoes that, so
// env goes first.
func execLine(exe string) string {
	line := quoteArg(exe)
	if strings.Contains(exe, "%") {
		line = "env " + line
	}
	return escapeValue(line)
}

// program is the inverse of execLine, for a line that has been split.
func program(args []string) string {
	if len(args) > 1 && args[0] == "env" {
		return args[1]
	}
	return args[0]
}

// quoteArg returns arg as one argument of an Exec line.
func quoteArg(arg string) string {
	const (
		reserved = " \"'\\><~|&;$*?#()`" // makes quotes necessary
		escaped  = "\"`$\\"              // within quotes
	)
	quotes := strings.ContainsAny(arg, reserved)
	var b strings.Builder
	for _, r := range arg {
		switch {
		case r == '%': // begins a field code
			b.WriteByte('%')
		case quotes && strings.ContainsRune(escaped, r):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	if quotes {
		return `"` + b.String() + `"`
	}
	return b.String()
}

// splitArgs is the inverse of quoteArg for a whole line, which has at least one
// argument even when it is empty.
func splitArgs(line string) []string {
	args := []string{""}
	quoted := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		next := i+1 < len(line)
		switch {
		case c == '"':
			quoted = !quoted
			continue
		case c == ' ' && !quoted:
			args = append(args, "")
			continue
		case c == '\\' && quoted && next, c == '%' && next && line[i+1] == '%':
			i++
		}
		args[len(args)-1] += line[i : i+1]
	}
	return args
}

func escapeValue(s string) string { return strings.ReplaceAll(s, `\`, `\\`) }

func unescapeValue(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\s`, " ", `\t`, "\t", `\n`, "\n", `\r`, "\r").Replace(s)
}
