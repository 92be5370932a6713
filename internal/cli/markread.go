package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"sigalert/internal/words"
)

func (p *program) markRead() *cobra.Command {
	return &cobra.Command{
		Use:   "mark-read",
		Short: "Mark all alerts as read",
		Long: `Marks all alerts of the running agent as read, so that its menu and "sigalert status"
no longer count them as new. On the history's page a button does the same, and others
mark one alert at a time.`,
		Example: "  sigalert mark-read",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var answer readAnswer
			if _, err := askAgent(cmd.Context(), "mark-read", nil, &answer); err != nil {
				return err
			}
			fmt.Fprintf(p.out, "Marked %s as read.\n", words.Count(answer.Unread, "alert"))
			return nil
		},
	}
}
