package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sigalert/agent"
)

func (p *program) test() *cobra.Command {
	return &cobra.Command{
		Use:     "test",
		Short:   "Show one notification",
		Long:    "Sends one notification the way alerts are sent, and says which program showed it.",
		Example: "  sigalert test",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			desktop := p.newDesktop(nil)
			defer desktop.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), 10*time.Second)
			defer cancel()
			receipt, err := desktop.Notify(ctx, agent.TestAlert())
			if err != nil {
				return fmt.Errorf("the notification was not shown: %w", err)
			}
			fmt.Fprintf(p.out, "shown by %s", receipt.Via)
			if receipt.ID != 0 {
				fmt.Fprintf(p.out, ", as number %d", receipt.ID)
			}
			fmt.Fprintln(p.out)
			return nil
		},
	}
}
