package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"sigalert/agent/config"
	"sigalert/internal/words"
)

func (p *program) check() *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check the configuration file",
		Long: `Reads the configuration, or FILE, and prints every problem with its line, and
warnings of what may not be meant. The exit code is 0 if there are no problems, 1
if there are some, and 2 if the file cannot be read.`,
		Example: `  sigalert check
  sigalert check other.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) > 1:
				return usage(fmt.Errorf("check takes one file, got %d", len(args)))
			case len(args) == 1 && p.config != "":
				return usage(errors.New("check takes either FILE or --config"))
			case len(args) == 1:
				p.config = args[0]
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := p.configPath()
			if err != nil {
				return err
			}
			text, err := interruptible(cmd.Context(), func() ([]byte, error) { return config.Read(path) })
			if err != nil {
				return &exitError{code: exitUnreadable, err: err}
			}
			c, problems, warnings := config.Check(path, text)
			for _, problem := range slices.Concat(problems, warnings) {
				fmt.Fprintln(p.out, problem.Error())
			}
			if len(problems) > 0 {
				return &exitError{code: exitFailure}
			}
			fmt.Fprintf(p.out, "%s: OK: %s at %s\n", path, words.Count(len(c.Subscriptions), "subscription"), c.Place())
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
