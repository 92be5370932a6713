package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sigalert/internal/plain"
	"sigalert/internal/words"
	"sigalert/sig"
)

type runOptions struct {
	sender      string
	onlyFailure bool
	over        time.Duration
}

func (p *program) run() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [flags] -- CMD [ARGS...]",
		Short: "Run a command, and send how it went",
		Long: `Runs CMD, and sends the event "started", and then "finished" or, where its exit code
is not 0, "failed". The data have the message, the command, its exit_code or the
signal that ended it, how many seconds it took, the host and, as far as its output does
not go to a terminal, the last lines of it as output.

CMD has our standard input and output, and the signals that we get; the exit code is
CMD's: 128 and the signal's number if one ended it, 127 if there is no such command,
126 if it cannot be run. If CMD worked and its output could not be written, as on a
full disk, that is a failure, with the exit code 1. Whether the events could be sent
changes none of this: at the end it tries for at most 5 s, and then says so.`,
		Example: `  sigalert run -- make all
  sigalert run --as backup --only-failure -- rsync -a /home /mnt/backup
  sigalert run --over 1m -- ./tests.sh`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] == "" {
				return usage(errors.New("run requires a command: sigalert run -- CMD ARGS"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p.quietly(cmd)
			if _, err := namedServer(p.server); err != nil && p.server != "" {
				return err
			}
			if o.over < 0 {
				return usage(errors.New("--over must not be negative"))
			}
			if o.sender == "" {
				o.sender = strings.TrimSuffix(filepath.Base(args[0]), ".exe")
			}
			p.noticeChannel(o.sender, "sigalert run --as SENDER")
			return &exitError{code: p.runCommand(cmd.Context(), o, args)}
		},
	}
	flags := cmd.Flags()
	flags.SetInterspersed(false) // the flags after CMD are its own
	flags.StringVar(&o.sender, "as", "", "send as `SENDER` (default: CMD without its folder)")
	flags.BoolVar(&o.onlyFailure, "only-failure", false, "send nothing but failed")
	flags.DurationVar(&o.over, "over", 0, "send only the end, and only if it took longer than this")
	p.serverFlag(cmd)
	// It fails only for flags that do not exist.
	_ = cmd.RegisterFlagCompletionFunc("as", p.completeNames(func(all []listed, _ []string) []cobra.Completion { return senderNames(all) }))
	return cmd
}

// The events of run.
const (
	eventStarted  sig.Name = "started"
	eventFinished sig.Name = "finished"
	eventFailed   sig.Name = "failed"
)

// runReport is the data of run's events.
type runReport struct {
	Message  string   `json:"message"`
	Command  string   `json:"command"`
	ExitCode *int     `json:"exit_code,omitempty"`
	Signal   string   `json:"signal,omitempty"`
	Seconds  *float64 `json:"seconds,omitempty"`
	Host     string   `json:"host"`
	Output   string   `json:"output,omitempty"`
}

// runCommand runs a command, publishes how it goes, and returns the exit code.
func (p *program) runCommand(ctx context.Context, o runOptions, args []string) (code int) {
	host, _ := os.Hostname()
	command := commandLine(args)
	report := runReport{Command: plain.Line(command, 4000), Host: host}
	r := p.newReporter(ctx, o.sender)
	c := newChild(args, p.detached)
	defer c.release()
	err := c.start()
	if err == nil && !o.onlyFailure && o.over == 0 {
		report.Message = plain.Line(command, 200) + ": started"
		r.publish(eventStarted, report)
	}
	end := c.wait(err)
	if err != nil {
		p.complain(fmt.Errorf("%s: %w", args[0], end.err))
	}
	if end.took >= o.over && (end.code != 0 || !o.onlyFailure) {
		seconds := math.Round(end.took.Seconds()*1000) / 1000
		report.Signal, report.Seconds, report.Output = end.signal, &seconds, c.last.text()
		if end.signal == "" {
			report.ExitCode = &end.code
		}
		event := eventFinished
		if end.code != 0 {
			event = eventFailed
		}
		report.Message = fmt.Sprintf("%s: %s", plain.Line(command, 200), end.words())
		r.publish(event, report)
	}
	r.end(c.signalled)
	c.drain()
	if err := c.unwritten(); err != nil {
		p.complain(fmt.Errorf("%s: %w", args[0], err))
		return cmp.Or(end.code, 1)
	}
	return end.code
}

// ending is how a command ended.
type ending struct {
	code   int
	signal string // that ended it
	took   time.Duration
	err    error // why it could not be started

	unwritten error // why some of its output is lost
}

// words says it after the command: "failed with exit code 2 after 3 m 5 s".
func (e ending) words() string {
	after := " after " + words.Took(e.took)
	switch {
	case e.err != nil:
		return "failed: " + e.err.Error()
	case e.unwritten != nil:
		return "failed" + after + ": " + e.unwritten.Error()
	case e.signal != "":
		return "ended by " + e.signal + after
	case e.code != 0:
		return fmt.Sprintf("failed with exit code %d%s", e.code, after)
	}
	return "finished" + after
}

// commandLine is a command as it would be typed in a shell.
func commandLine(args []string) string {
	var typed []string
	for _, arg := range args {
		plainly := arg != "" && !strings.ContainsFunc(arg, func(r rune) bool {
			return !strings.ContainsRune("%+,-./:=@_", r) && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r < 0x80
		})
		if !plainly {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		typed = append(typed, arg)
	}
	return strings.Join(typed, " ")
}
