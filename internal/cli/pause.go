package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sigalert/internal/plain"
	"sigalert/internal/words"
	"sigalert/internal/zone"
)

func (p *program) pause() *cobra.Command {
	until, line := "", 0
	cmd := &cobra.Command{
		Use:   "pause [DURATION]",
		Short: "Hold alerts back for a while",
		Long: `Has the running agent hold its alerts back: for DURATION, until a time of the day, or
until "sigalert resume". Then one notification says what they were. Critical ones come all
the same, unless quiet_hours in the configuration has "except: none". With --line, only
the alerts of the subscriptions on that line of the configuration.`,
		Example: `  sigalert pause                    until you resume
  sigalert pause 1h30m
  sigalert pause --until 14:00      or tomorrow, if it is later than that
  sigalert pause --until tomorrow   at 8:00
  sigalert pause 1h --line 12       one subscription, as "sigalert status" lists them`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usage(fmt.Errorf("pause takes one DURATION, got %s", words.Count(len(args), "argument")))
			case len(args) == 1 && cmd.Flags().Changed("until"):
				return usage(errors.New("pause takes either DURATION or --until"))
			}
			return checkLine(cmd, line)
		},
		ValidArgsFunction: cobra.FixedCompletions([]cobra.Completion{"15m", "1h", "8h", "1d"}, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder),
		RunE: func(cmd *cobra.Command, args []string) error {
			asked := pauseParams{Line: line}
			now := time.Now()
			if len(args) == 1 {
				if _, err := pauseTime(args[0]); err != nil {
					return usage(err)
				}
				asked.Duration = args[0]
			}
			if cmd.Flags().Changed("until") {
				end, err := pauseEnd(until, now.In(zone.Local()))
				if err != nil {
					return usage(fmt.Errorf("--until: %w", err))
				}
				asked.Until = end
			}
			var answer pauseAnswer
			if _, err := askAgent(cmd.Context(), "pause", asked, &answer); err != nil {
				return err
			}
			fmt.Fprintf(p.out, "Alerts%s are held back %s.\n", ofLine(line), untilText(answer.Until, "you resume them", now))
			return nil
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "pause until a `TIME` such as 14:00, or until tomorrow, which is at 8:00")
	_ = cmd.RegisterFlagCompletionFunc("until", cobra.FixedCompletions([]cobra.Completion{"tomorrow"}, cobra.ShellCompDirectiveNoFileComp))
	lineFlag(cmd, &line)
	return cmd
}

// lineFlag adds the flag that names a subscription.
func lineFlag(cmd *cobra.Command, line *int) {
	cmd.Flags().IntVar(line, "line", 0, "only the alerts of subscriptions on line `N` of the configuration")
	_ = cmd.RegisterFlagCompletionFunc("line", completeLines)
}

func checkLine(cmd *cobra.Command, line int) error {
	if cmd.Flags().Changed("line") && line < 1 {
		return usage(fmt.Errorf("--line must be at least 1, got %d", line))
	}
	return nil
}

// completeLines completes the line of a subscription of the running agent.
func completeLines(cmd *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
	const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	ctx, cancel := context.WithTimeout(cmd.Context(), completeTimeout)
	defer cancel()
	var r statusReport
	if _, err := askAgent(ctx, "status", nil, &r); err != nil {
		return nil, directive
	}
	var lines []cobra.Completion
	for _, s := range r.Subscriptions {
		if number := strconv.Itoa(s.Line); strings.HasPrefix(number, toComplete) {
			lines = append(lines, cobra.CompletionWithDesc(number, plain.Line(s.Text, 100)))
		}
	}
	return lines, directive
}

// ofLine says whose alerts are meant.
func ofLine(line int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf(" of line %d", line)
}

// pauseEnd is the next time that text means.
func pauseEnd(text string, now time.Time) (time.Time, error) {
	days := 0
	clock, err := time.Parse("15:04", text)
	if text == "tomorrow" {
		days, clock, err = 1, time.Date(0, 1, 1, 8, 0, 0, 0, time.UTC), nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time: use one such as 14:00, or tomorrow", text)
	}
	at := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, clock.Hour(), clock.Minute(), 0, 0, now.Location())
	}
	if end := at(days); end.After(now) {
		return end, nil
	}
	return at(days + 1), nil
}

func (p *program) resume() *cobra.Command {
	line := 0
	cmd := &cobra.Command{
		Use:   "resume",
		Short: "Show alerts again after a pause",
		Long: `Ends a pause of the running agent. One notification says what was held back, if
anything was. A subscription that is paused by itself, by "sigalert pause --line", in the
menu or with a button, is resumed with --line.`,
		Example: `  sigalert resume
  sigalert resume --line 12`,
		Args: func(cmd *cobra.Command, args []string) error {
			return cmp.Or(noArgs(cmd, args), checkLine(cmd, line))
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			var answer resumeAnswer
			if _, err := askAgent(cmd.Context(), "resume", resumeParams{line}, &answer); err != nil {
				return err
			}
			if !answer.Paused {
				fmt.Fprintf(p.out, "Alerts%s were not paused.\n", ofLine(line))
				return nil
			}
			fmt.Fprintf(p.out, "Alerts%s are shown again; the pause held back %d.\n", ofLine(line), answer.Held)
			return nil
		},
	}
	lineFlag(cmd, &line)
	return cmd
}
