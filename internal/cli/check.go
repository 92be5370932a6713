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
warnings of what may not be meant. FILE may also have a router alone, for
"sigalert serve --config". The exit code is 0 if there are no problems, 1
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
			fine := ""
			var problems, warnings config.Problems
			if p.config != "" { // otherwise the file is an agent's
				var r *config.Router
				if r, problems, warnings = config.CheckRouter(path, text); r != nil {
					fine = fmt.Sprintf(`OK for "serve --config": a router at %s (the agent requires subscriptions, too)`, r.Listen)
				}
			}
			if fine == "" && len(problems) == 0 {
				var c *config.Config
				if c, problems, warnings = config.Check(path, text); c != nil {
					fine = fmt.Sprintf("OK: %s at %s", words.Count(len(c.Subscriptions), "subscription"), c.Place())
				}
			}
			for _, problem := range slices.Concat(problems, warnings) {
				fmt.Fprintln(p.out, problem.Error())
			}
			if len(problems) > 0 {
				return &exitError{code: exitFailure}
			}
			fmt.Fprintf(p.out, "%s: %s\n", path, fine)
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
