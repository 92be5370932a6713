package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sigalert/internal/words"
	"sigalert/internal/zone"
)

func (p *program) pause() *cobra.Command {
	until := ""
	cmd := &cobra.Command{
		Use:   "pause [DURATION]",
		Short: "Hold alerts back for a while",
		Long: `Has the running agent hold its alerts back: for DURATION, until a time of the day, or
until "sigalert resume". Then one notification says what they were.`,
		Example: `  sigalert pause                    until you resume
  sigalert pause 1h30m
  sigalert pause --until 14:00      or tomorrow, if it is later than that
  sigalert pause --until tomorrow   at 8:00`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usage(fmt.Errorf("pause takes one DURATION, got %s", words.Count(len(args), "argument")))
			case len(args) == 1 && cmd.Flags().Changed("until"):
				return usage(errors.New("pause takes either DURATION or --until"))
			}
			return nil
		},
		ValidArgsFunction: cobra.FixedCompletions([]cobra.Completion{"15m", "1h", "8h", "1d"}, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder),
		RunE: func(cmd *cobra.Command, args []string) error {
			var asked pauseParams
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
			fmt.Fprintf(p.out, "Alerts are held back %s.\n", untilText(answer.Until, "you resume them", now))
			return nil
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "pause until a `TIME` such as 14:00, or until tomorrow, which is at 8:00")
	_ = cmd.RegisterFlagCompletionFunc("until", cobra.FixedCompletions([]cobra.Completion{"tomorrow"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
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
	return &cobra.Command{
		Use:     "resume",
		Short:   "Show alerts again after a pause",
		Long:    "Ends a pause of the running agent. One notification says what was held back, if anything was.",
		Example: "  sigalert resume",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var answer resumeAnswer
			if _, err := askAgent(cmd.Context(), "resume", nil, &answer); err != nil {
				return err
			}
			if !answer.Paused {
				fmt.Fprintln(p.out, "Alerts were not paused.")
				return nil
			}
			fmt.Fprintf(p.out, "Alerts are shown again; the pause held back %d.\n", answer.Held)
			return nil
		},
	}
}
