package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
		err := fmt.Errorf("%s takes %s, got %s", cmd.Name(), what, words.Count(len(args), "argument"))
		names := strings.Fields(cmd.Use)[1:] // SENDER and what follows
		switch n := len(args); {
		case n > len(into):
			return usage(fmt.Errorf("%w: text with blanks needs quotes", err))
		case n == 0 && !p.ask:
			return usage(fmt.Errorf("%w: %s and %s are missing", err, names[0], names[1]))
		case n == 1 && !p.ask:
			return usage(fmt.Errorf("%w: %s is missing", err, names[1]))
		}
		for i, arg := range args {
			*into[i] = arg
		}
		return nil
	}
}

func unknownCommand(parent *cobra.Command, name string) error {
	err := fmt.Errorf("unknown command %q", name)
	var known []string
	for _, cmd := range parent.Commands() {
		if cmd.IsAvailableCommand() {
			known = append(known, cmd.Name())
		}
	}
	if near := words.Nearest(name, known); near != "" {
		err = fmt.Errorf("%w (did you mean %q?)", err, near)
	}
	return usage(err)
}

// flagError says in our words what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	var unknown *pflag.NotExistError
	switch {
	case errors.As(err, &invalid):
		return usage(fmt.Errorf("--%s: %w", invalid.GetFlag().Name, badValue(invalid.GetFlag().Value.Type(), invalid.GetValue(), invalid)))
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "" && strings.Contains(cmd.Use, " "):
		return usage(fmt.Errorf("%w: put -- before an argument that begins with a hyphen", err))
	}
	return usage(err)
}

// badValue says what a flag of this type requires.
func badValue(kind, text string, err error) error {
	number, notNumber := strconv.ParseFloat(text, 64)
	switch {
	case kind == "duration" && notNumber == nil && number >= 0:
		return fmt.Errorf("%q has no unit: use %[1]ss for seconds, %[1]sm for minutes or %[1]sh for hours", text)
	case kind == "duration":
		return fmt.Errorf("%q is not a duration: use one such as 500ms, 5s or 2m", text)
	case kind == "int":
		return fmt.Errorf("%q is not a whole number", text)
	case kind == "bool":
		return fmt.Errorf("%q is neither true nor false", text)
	}
	return err
}

// negatives moves the arguments from the first negative number on to the end, after
// "--", where they are not taken for flags. The flags among them stay before it.
func negatives(root *cobra.Command, args []string) []string {
	cmd, _, err := root.Find(args)
	if err != nil || !strings.Contains(cmd.Use, " ") || cmd.Name() == "run" { // run's are another command's
		return args
	}
	var before, after []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		_, notNumber := strconv.ParseFloat(arg, 64)
		switch {
		case arg == "--":
			return args // they have done so themselves
		case strings.HasPrefix(arg, "--") && !strings.Contains(arg, "=") && takesValue(cmd, arg[2:]) && i+1 < len(args):
			before = append(before, arg, args[i+1])
			i++
		case strings.HasPrefix(arg, "-") && notNumber == nil, len(after) > 0 && !strings.HasPrefix(arg, "-"):
			after = append(after, arg)
		default:
			before = append(before, arg)
		}
	}
	if len(after) == 0 {
		return args
	}
	return slices.Concat(before, []string{"--"}, after)
}

func takesValue(cmd *cobra.Command, flag string) bool {
	f := cmd.Flag(flag)
	return f != nil && f.NoOptDefVal == ""
}
