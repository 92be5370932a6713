package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sigalert/internal/address"
)

// prompter asks for values as pysig's examples do.
type prompter struct {
	in  *bufio.Reader
	out io.Writer
}

func newPrompter(in io.Reader, out io.Writer) *prompter {
	return &prompter{bufio.NewReader(in), out}
}

// none is how pysig shows that there is no default; typed, it means the same.
const none = "None"

// ask reads one line; an empty line, or the end of the input, means the default.
// The error is the input's, or says why ctx ended.
func (p *prompter) ask(ctx context.Context, what, def string) (string, error) {
	shown := def
	if def == "" {
		shown = none
	}
	line, err := p.prompt(ctx, fmt.Sprintf("%s (default: %s):", what, shown))
	if line == "" || line == shown {
		line = def
	}
	return line, err
}

// prompt reads one line, without the blanks around it; the end of the input counts
// as an empty line. The error is as in ask.
func (p *prompter) prompt(ctx context.Context, text string) (string, error) {
	fmt.Fprint(p.out, text)
	line, err := interruptible(ctx, func() (string, error) { return p.in.ReadString('\n') })
	if err != nil {
		fmt.Fprintln(p.out)
		if !errors.Is(err, io.EOF) {
			return "", err
		}
	}
	return strings.TrimSpace(line), nil
}

// questions ask for what a command was not given. Once an answer is missing or
// wrong, nothing more is asked.
type questions struct {
	ctx context.Context
	in  *prompter
	err error // about that answer
}

func (p *program) questions(cmd *cobra.Command) *questions {
	return &questions{ctx: cmd.Context(), in: p.in}
}

func (q *questions) text(given bool, into *string, what, def string) {
	if !given && q.err == nil {
		*into, q.err = q.in.ask(q.ctx, what, def)
	}
}

// address asks for a host and a port.
func (q *questions) address(given bool, into *string, what, host, port string) {
	q.text(given, &host, what, host)
	q.text(given, &port, "Server port", port)
	if given || q.err != nil {
		return
	}
	*into = joinHostPort(host, port)
	if _, err := address.ParseServer(joinHostPort(address.Loopback, port)); err != nil {
		q.err = usage(err)
	}
}

// seconds asks for a number of seconds, as pysig does; the answer may also be a
// duration such as 2m.
func (q *questions) seconds(given bool, into *time.Duration, what, def string) {
	text := ""
	q.text(given, &text, what, def)
	if given || q.err != nil {
		return
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil && s > 0 && s < 1e9 {
		*into = time.Duration(s * float64(time.Second))
	} else if d, err := time.ParseDuration(text); err == nil && d > 0 {
		*into = d
	} else {
		q.err = usage(fmt.Errorf("%q is not a duration: use seconds, or a duration such as 500ms or 2m", text))
	}
}

func joinHostPort(host, port string) string {
	return net.JoinHostPort(strings.Trim(host, "[]"), port)
}
