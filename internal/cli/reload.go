package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"sigalert/internal/plain"
	"sigalert/internal/words"
)

func (p *program) reload() *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Have the running agent read its configuration now",
		Long: `Has the running agent read its configuration again, as it does by itself within a
second of a change, and says how many subscriptions are in force then. If the file
has problems, it prints each with its line, nothing changes, and the exit code is 1.`,
		Example: "  sigalert reload",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var answer reloadAnswer
			if _, err := askAgent(cmd.Context(), "reload", nil, &answer); err != nil {
				return err
			}
			for _, problem := range answer.Problems {
				fmt.Fprintln(p.out, plain.Line(problem, len(problem)))
			}
			in := words.Count(answer.Subscriptions, "subscription") + " in force"
			if len(answer.Problems) > 0 {
				return fmt.Errorf("%s: nothing has changed, %s", words.Count(len(answer.Problems), "problem"), in)
			}
			fmt.Fprintln(p.out, in)
			return nil
		},
	}
}
