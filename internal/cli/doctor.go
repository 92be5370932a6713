package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"sigalert/agent/config"
	"sigalert/internal/address"
	"sigalert/internal/doctor"
	"sigalert/tray"
)

func (p *program) doctor() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what keeps alerts from being seen",
		Long: `Looks at everything that an alert goes through: the configuration, the server, the
agent that runs, the desktop, and the history. Each line says that it is ok or WRONG, and
what to do; a note is worth knowing, and keeps no alert from being seen. It changes
nothing, shows no notification, and takes at most ten seconds. The exit code is 1 if
anything is wrong.

To see a notification, use "sigalert test". For why one event was or was not shown, use
"sigalert explain".`,
		Example: `  sigalert doctor
  sigalert doctor --server nas        # with another server than the configuration's
  sigalert doctor --json | jq -r '.[] | select(.status == "wrong") | .advice'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := p.doctorOptions()
			if err != nil {
				return err
			}
			results := doctor.Examine(cmd.Context(), o)
			if err := context.Cause(cmd.Context()); err != nil {
				return err
			}
			if asJSON {
				err = p.printJSON(results)
			} else {
				_, err = fmt.Fprint(p.out, report(results))
			}
			if err == nil && len(wrong(results)) > 0 {
				err = &exitError{code: exitFailure}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, `print one line of JSON: [{"name":…,"status":"ok", "note" or "wrong","text":…,"details":[…],"advice":…}…]`)
	p.serverFlag(cmd)
	return cmd
}

func (p *program) doctorOptions() (o doctor.Options, err error) {
	o = doctor.Options{
		Named:   p.config != "" || os.Getenv("SIGALERT_CONFIG") != "",
		Local:   net.JoinHostPort(address.Loopback, address.DefaultPort),
		Folder:  localFolder(),
		History: historyPath(),
		Stores:  routerStores(),
		Call:    invocation(),
		XEmbed:  tray.XEmbed,
		Agent:   agentsState,
	}
	if o.Config, err = p.configPath(); err != nil {
		return o, err
	}
	if text, where := givenServer(p.server); text != "" {
		known, _ := config.LoadServers(o.Config)
		to, err := p.given(text, where, known, "")
		if err != nil {
			return o, err
		}
		o.Server, o.Proof = to.addresses[0], to.proof
	}
	o.Program, err = os.Executable()
	return o, err
}

// agentsState asks the running agent how it stands, for the doctor.
func agentsState(ctx context.Context) (doctor.Agent, error) {
	var r statusReport
	_, err := askAgent(ctx, "status", nil, &r)
	if errors.Is(err, errNoAgent) {
		err = doctor.ErrNoAgent
	}
	muted := 0
	for _, s := range r.Subscriptions {
		if s.Muted {
			muted++
		}
	}
	return doctor.Agent{
		Line: r.Summary, Config: r.Config, Server: r.Server, Router: r.Router, Connected: r.Connected, Unlinked: r.LinkError,
		Paused: r.Paused, PausedUntil: r.PausedUntil, Quiet: r.Quiet, Muted: muted, Undelivered: r.DeliveryError,
	}, err
}

// report is the results as people read them.
func report(results []doctor.Result) string {
	marks := map[doctor.Status]string{doctor.OK: "ok", doctor.Note: "note", doctor.Wrong: "WRONG"}
	var b strings.Builder
	for _, r := range results {
		fmt.Fprintf(&b, "%-5s  %-14s  %s\n", marks[r.Status], r.Name, r.Text)
		for _, line := range r.Details {
			fmt.Fprintf(&b, "%23s  %s\n", "", line)
		}
		if r.Advice != "" {
			fmt.Fprintf(&b, "%23s→ %s\n", "", r.Advice)
		}
	}
	switch names := wrong(results); len(names) {
	case 0:
		b.WriteString("\nNothing is wrong.\n")
	case 1:
		fmt.Fprintf(&b, "\nOne thing is wrong: %s.\n", names[0])
	default:
		fmt.Fprintf(&b, "\n%d things are wrong: %s.\n", len(names), strings.Join(names, ", "))
	}
	return b.String()
}

// wrong are the names of what is.
func wrong(results []doctor.Result) (names []string) {
	for _, r := range results {
		if r.Status == doctor.Wrong {
			names = append(names, r.Name)
		}
	}
	return names
}
