// Package cli is sigalert's command line: one file a subcommand.
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

// exitError is an error with an exit code of its own. A nil err says nothing.
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

// errUsage marks a mistake on the command line.
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

	server   string // of the commands that are clients
	instead  string // of the configuration's server, for the agent
	config   string
	logLevel string
	ask      bool
}

// Main runs a command line and returns the exit code. It must be called on
// the main goroutine: a tray may need it.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &output{w: stdout}
	p := &program{in: newPrompter(stdin, out), out: out, err: stderr}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // the second signal ends the process, whatever it waits for
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

// complain prints an error, each of its lines as one.
func (p *program) complain(err error) {
	if err == nil || err.Error() == "" {
		return
	}
	for i, line := range strings.Split(err.Error(), "\n") {
		if i == 0 {
			line = "sigalert: " + line
		}
		fmt.Fprintln(p.err, plain.Line(line, len(line))) // a peer may have a part in it
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
		Long: `sigalert stays subscribed to events on a pysig event network and turns each
into a desktop notification. Without a command it runs that agent, with an
icon in the tray where there is one.`,
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
	cmd.Flags().StringVar(&p.instead, "server", "", "the server's `URL`, instead of the configuration's")
	cmd.AddCommand(p.demo(), p.serve(), p.send(), p.listen(), p.senders(), p.request(), p.eventLog(), p.check(), p.test(), p.autostart(), p.version())
	cmd.SetOut(p.out)
	cmd.SetErr(p.err)
	strictHelp(cmd) // after SetOut: cobra's completion command keeps the output it finds
	return cmd
}

// serverFlags are those of the commands that speak to a server.
func (p *program) serverFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.server, "server", "tcp://127.0.0.1:3000", "the server's `URL`; tcp:// and :3000 may be left out")
	p.askFlag(cmd)
}

func (p *program) askFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.ask, "ask", false, "ask on standard input for what is not given")
}

// serverAddr is the address to dial, asked for if need be.
func (p *program) serverAddr(cmd *cobra.Command) (string, error) {
	if p.ask && !cmd.Flags().Changed("server") {
		host, err := p.in.ask(cmd.Context(), "Server IP", "127.0.0.1")
		if err != nil {
			return "", err
		}
		port, err := p.in.askPort(cmd.Context(), "Server port", "3000")
		if err != nil {
			return "", err
		}
		p.server = joinHostPort(host, port)
	}
	addr, err := address.ParseServer(p.server)
	if err != nil {
		return "", usage(fmt.Errorf("--server: %w", err))
	}
	return addr, nil
}
