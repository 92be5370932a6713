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
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"sigalert/internal/plain"
	"sigalert/internal/redact"
)

// The exit codes.
const (
	exitOK         = 0
	exitFailure    = 1
	exitUsage      = 2
	exitUnreadable = 2 // of check
	exitUnanswered = 3 // sent, but not answered: it may have arrived
)

// exitError is an error with an exit code of its own. With a nil err nothing is
// printed.
type exitError struct {
	code int
	err  error
	help bool // point to the command's help
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage is a mistake on the command line.
func usage(err error) error { return &exitError{exitUsage, err, true} }

// errUnanswered says what is known of what was sent when the connection ended,
// nobody answered, or ctx ended the wait.
func errUnanswered(ctx context.Context, err error) error {
	const what = "no answer: it may have arrived"
	if ctx.Err() != nil {
		return &exitError{code: exitUnanswered, err: fmt.Errorf("%w\n%s", context.Cause(ctx), what)}
	}
	return &exitError{code: exitUnanswered, err: fmt.Errorf("%s (%w)", what, err)}
}

// program is what all commands share.
type program struct {
	in  *prompter
	out *output
	err io.Writer
	log *slog.Logger

	server   string // for the commands that are clients
	instead  string // for the agent: the server that replaces the configuration's, as namedServer returns it
	config   string
	logLevel string
	ask      bool
	detached bool             // started with SIGINT ignored, as a shell's script starts what it does not wait for
	number   bool             // names that spell numbers are numbers
	socket   *net.TCPListener // of the router, which systemd has bound; nil: there is none

	relativeHome string // that is ignored; "": none
}

// Main runs a command line and returns the exit code. It must be called on the
// main goroutine: a tray may need that.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	detached := signal.Ignored(syscall.SIGINT)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process, whatever it waits for
	relative := ignoreRelativeHome()
	out := &output{w: newPatientWriter(ctx, stdout)}
	p := &program{in: newPrompter(stdin, out), out: out, err: redact.Writer(newPatientWriter(ctx, stderr)), relativeHome: relative, detached: detached}
	root := p.root()
	root.SetArgs(negatives(root, args))
	root.SetIn(stdin)
	cmd, err := root.ExecuteContextC(ctx)
	if e := new(exitError); errors.As(err, &e) && e.help {
		err = fmt.Errorf("%w\ntry %q", err, cmd.CommandPath()+" --help")
	}
	p.complain(err)
	code := exitCode(err)
	if failure := out.failure(); failure != nil && !errors.Is(err, failure) {
		p.complain(failure)
		code = max(code, exitFailure)
	}
	return code
}

// ignoreRelativeHome makes a HOME that is not an absolute path count as none, as the
// specification of the XDG folders demands of theirs: what is written there would be
// in the working folder. It returns it.
func ignoreRelativeHome() (home string) {
	home = os.Getenv("HOME")
	if home == "" || filepath.IsAbs(home) || runtime.GOOS == "windows" { // where only other systems' shells set it
		return ""
	}
	os.Unsetenv("HOME")
	xdg.Reload()
	return home
}

// complain prints an error line by line.
func (p *program) complain(err error) {
	if err == nil || err.Error() == "" {
		return
	}
	defer showUnseen(redact.Text(err.Error()))
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
		Short: "Desktop notifications from scripts, servers and programs",
		Long: `sigalert stays subscribed to events on a network and turns each of them into a
desktop notification. Without a command it runs this agent, with an icon if the
desktop has a tray, and the router if the configuration has one.`,
		Example: `  sigalert demo                                  see it work
  sigalert                                       run the agent
  sigalert status                                how it stands
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
			if p.relativeHome != "" {
				p.log.Warn("HOME is not an absolute path, and counts as none", "HOME", p.relativeHome)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if p.instead, err = namedServer(p.instead); err != nil {
				return err
			}
			return p.runAgent(cmd.Context())
		},
	}
	cmd.SetFlagErrorFunc(flagError)
	flags := cmd.PersistentFlags()
	flags.StringVar(&p.config, "config", "", "configuration `FILE` (default: $SIGALERT_CONFIG, or config.yaml in the user's configuration folder)")
	flags.StringVar(&p.logLevel, "log-level", "info", "trace, debug, info, warning, error, critical or none; send and run begin at warning")
	cmd.Flags().StringVar(&p.instead, "server", "", "the server's `URL`, in place of the configuration's (default: $SIGALERT_SERVER)")
	add := func(group, title string, commands ...*cobra.Command) {
		cmd.AddGroup(&cobra.Group{ID: group, Title: title})
		for _, c := range commands {
			c.GroupID = group
			cmd.AddCommand(c)
		}
	}
	add("agent", "The running agent:", p.status(), p.pause(), p.resume(), p.explain(), p.show(), p.historyCommand(), p.markRead(), p.reload(), p.reconnect(), p.quit())
	add("events", "Events:", p.send(), p.run(), p.listen(), p.request(), p.senders(), p.serve(), p.token(), p.pair(), p.admin(), p.eventLog())
	add("care", "Set up and find faults:", p.check(), p.test(), p.doctor(), p.autostart(), p.demo())
	cmd.AddCommand(p.version())
	cmd.SetOut(p.out)
	cmd.SetErr(p.err)
	strictHelp(cmd) // after SetOut: cobra's completion command keeps the output it finds
	return cmd
}

// Command returns the command line, for what is made from it, such as the manual.
func Command() *cobra.Command { return (&program{out: &output{w: io.Discard}}).root() }
