package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// prompter asks for values in the way of pysig's examples.
type prompter struct {
	in  *bufio.Reader
	out io.Writer
}

func newPrompter(in io.Reader, out io.Writer) *prompter {
	return &prompter{bufio.NewReader(in), out}
}

// ask reads one line; an empty one, or the end of the input, is the default.
func (p *prompter) ask(what, def string) (string, error) {
	shown := def
	if def == "" {
		shown = "None"
	}
	fmt.Fprintf(p.out, "%s (default: %s):", what, shown)
	line, err := p.in.ReadString('\n')
	if err != nil {
		fmt.Fprintln(p.out)
		if !errors.Is(err, io.EOF) {
			return "", err
		}
	}
	if line = strings.TrimSpace(line); line == "" {
		return def, nil
	}
	return line, nil
}

func (p *prompter) askPort(what, def string) (string, error) {
	text, err := p.ask(what, def)
	if err != nil {
		return "", err
	}
	if n, err := strconv.Atoi(text); err != nil || n < 0 || n > 65535 {
		return "", usage(fmt.Errorf("%q is no port: a port is a number up to 65535", text))
	}
	return text, nil
}

// askSeconds takes a number of seconds, as pysig does, or a duration like 2m.
func (p *prompter) askSeconds(what, def string) (time.Duration, error) {
	text, err := p.ask(what, def)
	if err != nil {
		return 0, err
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil && s > 0 && s < 1e9 {
		return time.Duration(s * float64(time.Second)), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return d, nil
	}
	return 0, usage(fmt.Errorf("%q is no time: give seconds, or a duration like 500ms or 2m", text))
}

func joinHostPort(host, port string) string {
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
