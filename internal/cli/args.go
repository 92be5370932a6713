package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sigalert/internal/words"
)

// strictHelp makes cobra's own commands, help and completion, report mistakes:
// otherwise they print their help and succeed.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				found, rest, err := root.Find(args)
				if err == nil && len(rest) > 0 {
					err = unknownCommand(found, rest[0])
				}
				return err
			}
		case "completion":
			cmd.Args = noArgs
			cmd.RunE = func(*cobra.Command, []string) error {
				return usage(errors.New("completion requires one of bash, zsh, fish and powershell"))
			}
			for _, shell := range cmd.Commands() {
				shell.Args = noArgs
			}
		}
	}
}

func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasSubCommands():
		return unknownCommand(cmd, args[0])
	}
	return usage(fmt.Errorf("%s takes no arguments, got %q", cmd.Name(), args[0]))
}

// takeArgs puts two arguments, and perhaps a third, into these variables; with
// --ask any of them may be left out.
func (p *program) takeArgs(what string, into ...*string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > len(into) || len(args) < 2 && !p.ask {
			return usage(fmt.Errorf("%s takes %s, got %s", cmd.Name(), what, words.Count(len(args), "argument")))
		}
		for i, arg := range args {
			*into[i] = arg
		}
		return nil
	}
}

func unknownCommand(parent *cobra.Command, name string) error {
	err := fmt.Errorf("unknown command %q", name)
	parent.SuggestionsMinimumDistance = 2
	if near := parent.SuggestionsFor(name); len(near) > 0 {
		err = fmt.Errorf("%w (did you mean %q?)", err, near[0])
	}
	return usage(err)
}
