package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (p *program) reconnect() *cobra.Command {
	return &cobra.Command{
		Use:   "reconnect",
		Short: "Have the running agent connect to its server now",
		Long: `Has the running agent try now to connect to its server, where it would wait before its
next attempt. "sigalert status" says how that went.`,
		Example: "  sigalert reconnect",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var answer reconnectAnswer
			if _, err := askAgent(cmd.Context(), "reconnect", nil, &answer); err != nil {
				return err
			}
			if answer.Connected {
				fmt.Fprintln(p.out, "It is connected already.")
			}
			return nil
		},
	}
}
