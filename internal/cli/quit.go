package cli

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"
)

// quitTime is for an agent to end in: what it has still to say may wait for a desktop.
const quitTime = 15 * time.Second

func (p *program) quit() *cobra.Command {
	return &cobra.Command{
		Use:     "quit",
		Short:   "End the running agent",
		Long:    "Ends the running agent, as Quit in its menu does, and returns once it has ended.",
		Example: "  sigalert quit",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			folder, err := askAgent(cmd.Context(), "quit", nil, nil)
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), quitTime)
			defer cancel()
			lock := flock.New(filepath.Join(folder, lockFile))
			defer lock.Unlock()
			if _, err := lock.TryLockContext(ctx, tryAgain); ctx.Err() != nil && err != nil {
				return errors.New("the agent has not ended yet")
			}
			return nil
		},
	}
}
