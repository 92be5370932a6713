package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sigalert/agent/config"
	"sigalert/internal/words"
)

func (p *program) check() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Check the configuration file",
		Long: `Reads the configuration and prints every problem with its line. The exit code
is 0 if there are none, 1 if there are some, and 2 if the file cannot be read.`,
		Example: `  sigalert check
  sigalert check --config other.yaml`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			path, err := p.configPath()
			if err != nil {
				return err
			}
			c, err := config.Load(path)
			var problems config.Problems
			switch {
			case errors.As(err, &problems):
				for _, problem := range problems {
					fmt.Fprintln(p.out, problem.Error())
				}
				return &exitError{code: exitFailure}
			case err != nil:
				return &exitError{exitUnreadable, err}
			}
			fmt.Fprintf(p.out, "%s: OK: %s at %s\n", path, words.Count(len(c.Subscriptions), "subscription"), c.Server)
			return nil
		},
	}
}

func (p *program) configPath() (string, error) {
	if p.config != "" {
		return p.config, nil
	}
	return config.DefaultPath()
}
