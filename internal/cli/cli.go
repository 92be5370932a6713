// Package cli is sigalert's command line.
//
// Each command is in the file of its name, except the agent, which runs without
// a command: that is agent.go. cli.go has what starts a command and the flags that
// several share; what else they share is in files named after it.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"sigalert/internal/address"
	"sigalert/internal/plain"
)

// The exit codes.
const (
	exitOK         = 0
	exitFailure    = 1
	exitUsage      = 2
	exitUnreadable = 2 // of check
)

// exitError is an error with an exit code of its own. With a nil err nothing is
// printed.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// errUsage is added to every mistake on the command line.
var errUsage = errors.New(`try "sigalert --help"`)

func usage(err error) error {
	return &exitError{exitUsage, fmt.Errorf("%w\n%w", err, errUsage)}
}

// program is what all commands share.
type program struct {
	in  *prompter
	out *output
	err io.Writer
	log *slog.Logger

	server   string // for the commands that are clients
	instead  string // for the agent: the server that replaces the configuration's
	config   string
	logLevel string
	ask      bool
}

// Main runs a command line and returns the exit code. It must be called on the
// main goroutine: a tray may need that.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &output{w: stdout}
	p := &program{in: newPrompter(stdin, out), out: out, err: stderr}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process, whatever it waits for
	root := p.root()
	root.SetArgs(args)
	root.SetIn(stdin)
	err := root.ExecuteContext(ctx)
	p.complain(err)
	code := exitCode(err)
	if failure := out.failure(); failure != nil && !errors.Is(err, failure) {
		p.complain(failure)
		code = max(code, exitFailure)
	}
	return code
}

// complain prints an error line by line.
func (p *program) complain(err error) {
	if err == nil || err.Error() == "" {
		return
	}
	for i, line := range strings.Split(err.Error(), "\n") {
		if i == 0 {
			line = "sigalert: " + line
		}
		fmt.Fprintln(p.err, plain.Line(line, len(line))) // it may have text from a peer
	}
}

func exitCode(err error) int {
	var e *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &e):
		return e.code
	}
	return exitFailure
}

func (p *program) root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sigalert",
		Short: "Desktop notifications for events of a pysig network",
		Long: `sigalert stays subscribed to events on a pysig event network and turns each of
them into a desktop notification. Without a command it runs this agent, with an
icon if the desktop has a tray.`,
		Example: `  sigalert demo                                  see it work
  sigalert                                       run the agent
  sigalert send timer tick '{"n": 1}'            send an event
  sigalert listen --sender timer                 watch events`,
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			level, err := parseLevel(p.logLevel)
			if err != nil {
				return usage(fmt.Errorf("--log-level: %w", err))
			}
			p.log = newLogger(p.err, level)
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return p.runAgent(cmd.Context()) },
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	flags := cmd.PersistentFlags()
	flags.StringVar(&p.config, "config", "", "configuration `FILE` (default: $SIGALERT_CONFIG, or config.yaml in the user's configuration folder)")
	flags.StringVar(&p.logLevel, "log-level", "info", "trace, debug, info, warning, error, critical or none")
	cmd.Flags().StringVar(&p.instead, "server", "", "the server's `URL`, in place of the configuration's")
	cmd.AddCommand(p.demo(), p.serve(), p.send(), p.listen(), p.senders(), p.request(), p.eventLog(), p.check(), p.test(), p.autostart(), p.version())
	cmd.SetOut(p.out)
	cmd.SetErr(p.err)
	strictHelp(cmd) // after SetOut: cobra's completion command keeps the output it finds
	return cmd
}

// serverFlags adds the flags of the commands that talk to a server.
func (p *program) serverFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.server, "server", "tcp://127.0.0.1:3000", "the server's `URL`; tcp:// and :3000 can be left out")
	p.askFlag(cmd)
}

func (p *program) askFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.ask, "ask", false, "ask for what is not given, on standard input")
}

// serverAddr is the address to dial; with --ask the user is asked for it.
func (p *program) serverAddr(cmd *cobra.Command) (string, error) {
	q := p.questions(cmd)
	q.address(!p.ask || cmd.Flags().Changed("server"), &p.server, "Server IP", address.Loopback)
	if q.err != nil {
		return "", q.err
	}
	addr, err := address.ParseServer(p.server)
	if err != nil {
		return "", usage(fmt.Errorf("--server: %w", err))
	}
	return addr, nil
}
