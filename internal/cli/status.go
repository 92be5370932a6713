package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sigalert/internal/plain"
	"sigalert/internal/words"
	"sigalert/internal/zone"
)

func (p *program) status() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say how the running agent stands",
		Long: `Prints how the running agent stands: its server and its connection, whether alerts
are paused, each subscription with its state and its line in the configuration, what
is wrong with the file, and how many alerts there were since it started. The exit
code is 1 if no agent is running. docs/control.md describes what --json prints.`,
		Example: `  sigalert status
  sigalert status --json | jq .connected`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r statusReport
			if _, err := askAgent(cmd.Context(), "status", nil, &r); err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(r)
			}
			for _, line := range r.lines(time.Now()) {
				fmt.Fprintln(p.out, plain.Line(line, len(line))) // it may have text from a peer
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one line of JSON")
	return cmd
}

// maxUnseen is how many senders are listed that were never there.
const maxUnseen = 20

// lines are the report for people.
func (r statusReport) lines(now time.Time) []string {
	var lines []string
	for _, s := range r.Servers {
		lines = append(lines, s.line(now))
	}
	if len(lines) == 0 {
		lines = []string{r.linkLine(now)}
	}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	switch {
	case r.Paused:
		add("Paused %s, %s held back", untilText(r.PausedUntil, "you resume it", now), words.Count(r.Held, "alert"))
	case r.Quiet != "" && r.QuietUntil.IsZero():
		add("Quiet: %s, %s held back", r.Quiet, words.Count(r.Held, "alert"))
	case r.Quiet != "":
		add("Quiet %s (%s), %s held back", untilText(r.QuietUntil, "", now), r.Quiet, words.Count(r.Held, "alert"))
	}
	add("Configuration: %s", r.Config)
	if r.ConfigError != "" {
		add("Its problem: %s", r.ConfigError)
	}
	add("%s:", words.Count(len(r.Subscriptions), "subscription"))
	for _, s := range r.Subscriptions {
		add("  line %d: %s: %s", s.Line, s.Text, s.stateText(now))
	}
	for i, u := range r.Unseen {
		if i == maxUnseen {
			add("Not seen yet: %s more", words.Number(len(r.Unseen)-maxUnseen))
			break
		}
		add("Not seen yet: %s", u.Text)
	}
	c := r.Counters
	add("Since the start: %s to alert for, and %d that a condition filtered out", words.Count(int(c.Received), "event"), c.Filtered)
	add("Notifications: %d shown, %d written to the log instead; %d only counted", c.Shown, c.Logged, c.Limited)
	add("Lost: %s dropped, %s not run", words.Count(int(c.Dropped), "event"), words.Count(int(c.Unrun), "command"))
	if c.Early > 0 {
		add("Too many were waiting: %s shown before their time", words.Count(int(c.Early), "alert"))
	}
	if n := r.Pending; n != (pendingReport{}) {
		add("Pending: %d waiting, %d held back by other alerts, %d to be shown again, %d to be escalated", n.Waiting, n.Inhibited, n.Repeating, n.Escalating)
	}
	add("Unread: %s", words.Count(r.Unread, "alert"))
	if r.DeliveryError != "" {
		add("The last alert was not shown: %s", r.DeliveryError)
	}
	return lines
}

func (r statusReport) linkLine(now time.Time) string {
	if r.Server == "" {
		return "Not connected: there is no configuration yet that is good"
	}
	return serverReport{Server: r.Server, Connected: r.Connected, Since: r.Since, LinkError: r.LinkError}.line(now)
}

func (s serverReport) line(now time.Time) string {
	line, why := "No connection to ", ""
	switch {
	case s.Connected:
		line = "Connected to "
	case s.LinkError != "":
		why = ": " + s.LinkError
	}
	if s.Name != "" {
		line += s.Name + " at "
	}
	return fmt.Sprintf("%s%s for %s%s", line, s.Server, words.Span(max(0, now.Sub(s.Since))), why)
}

func (s subscriptionReport) stateText(now time.Time) string {
	text := s.serverText()
	if s.Muted {
		text += fmt.Sprintf(", muted %s, %s held back", untilText(s.MutedUntil, "you resume it", now), words.Count(s.Held, "alert"))
	}
	return text
}

func (s subscriptionReport) serverText() string {
	switch {
	case s.State == "active":
		return "in force"
	case s.State == "pending":
		return "waiting for the server"
	case s.Error != "":
		return "not in force: " + s.Error
	}
	return "not in force"
}

// untilText says until when something lasts; zero: until what.
func untilText(until time.Time, what string, now time.Time) string {
	if until.IsZero() {
		return "until " + what
	}
	here := zone.Local()
	until, now = until.In(here), now.In(here)
	if until.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return "until " + until.Format("15:04")
	}
	return "until " + until.Format("2006-01-02 15:04")
}
