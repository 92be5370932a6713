package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"sigalert/internal/cli"
)

// writeManual writes what is made from the commands: a page of the manual for each, and
// the completions for the shells.
func (r *release) writeManual(dir string) error {
	root := cli.Command()
	var bash, zsh, fish bytes.Buffer
	return errors.Join(
		root.GenBashCompletionV2(&bash, true), root.GenZshCompletion(&zsh), root.GenFishCompletion(&fish, true),
		write(filepath.Join(dir, "sigalert.bash"), bash.Bytes()),
		write(filepath.Join(dir, "_sigalert"), zsh.Bytes()),
		write(filepath.Join(dir, "sigalert.fish"), fish.Bytes()),
		r.pages(root, filepath.Join(dir, "man1")),
	)
}

// pages writes the page of a command, and those of its subcommands.
func (r *release) pages(cmd *cobra.Command, dir string) error {
	packed, err := compressed([]byte(r.page(cmd)))
	if err != nil {
		return err
	}
	if err := write(filepath.Join(dir, pageName(cmd)+".1.gz"), packed); err != nil {
		return err
	}
	for _, sub := range subcommands(cmd) {
		if err := r.pages(sub, dir); err != nil {
			return err
		}
	}
	return nil
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func subcommands(cmd *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool { return !c.IsAvailableCommand() })
}

// page is a command's page of the manual, in man's language.
func (r *release) page(cmd *cobra.Command) string {
	var b strings.Builder
	section := func(title string) { fmt.Fprintf(&b, ".SH %s\n", title) }
	name := pageName(cmd)
	fmt.Fprintf(&b, ".TH %s 1 %s \"sigalert %s\" \"User commands\"\n.nh\n.ad l\n", strings.ToUpper(name), r.time.Format("2006-01-02"), r.version)
	section("NAME")
	fmt.Fprintf(&b, "%s \\- %s\n", roff(name), roff(strings.ToLower(cmd.Short[:1])+cmd.Short[1:]))

	section("SYNOPSIS")
	path, commands := cmd.CommandPath(), subcommands(cmd)
	if len(commands) == 0 || !cmd.HasParent() {
		usage := strings.Replace(strings.TrimPrefix(cmd.UseLine(), path), "[flags]", "[OPTION ...]", 1)
		fmt.Fprintf(&b, "\\fB%s\\fR%s\n.br\n", roff(path), roff(usage))
	}
	if len(commands) > 0 {
		fmt.Fprintf(&b, "\\fB%s\\fR COMMAND ...\n", roff(path))
	}

	section("DESCRIPTION")
	for i, paragraph := range strings.Split(cmp.Or(cmd.Long, cmd.Short+"."), "\n\n") {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		b.WriteString(roff(paragraph) + "\n")
	}
	if len(commands) > 0 {
		section("COMMANDS")
	}
	for _, g := range append(cmd.Groups(), &cobra.Group{Title: "Other commands:"}) {
		if len(cmd.Groups()) > 0 {
			fmt.Fprintf(&b, ".SS %s\n", roff(strings.TrimSuffix(g.Title, ":")))
		}
		for _, c := range commands {
			if c.GroupID == g.ID {
				fmt.Fprintf(&b, ".TP\n\\fB%s\\fR(1)\n%s\n", roff(pageName(c)), roff(c.Short))
			}
		}
	}
	for _, set := range []struct {
		title string
		flags *pflag.FlagSet
	}{{"OPTIONS", cmd.NonInheritedFlags()}, {"OPTIONS OF EVERY COMMAND", cmd.InheritedFlags()}} {
		if set.flags.HasAvailableFlags() {
			section(set.title)
			set.flags.VisitAll(func(f *pflag.Flag) { b.WriteString(option(f)) })
		}
	}
	if cmd.Example != "" {
		section("EXAMPLES")
		fmt.Fprintf(&b, ".nf\n%s\n.fi\n", roff(cmd.Example))
	}
	if cmd.HasParent() {
		section("SEE ALSO")
		fmt.Fprintf(&b, "\\fB%s\\fR(1)\n", roff(pageName(cmd.Parent())))
	} else {
		b.WriteString(aboutAll)
	}
	return b.String()
}

// option is what a page says of a flag.
func option(f *pflag.Flag) string {
	if f.Hidden {
		return ""
	}
	name := "\\fB" + roff("--"+f.Name) + "\\fR"
	if f.Shorthand != "" {
		name = "\\fB" + roff("-"+f.Shorthand) + "\\fR, " + name
	}
	value, text := pflag.UnquoteUsage(f)
	if value != "" {
		name += " \\fI" + roff(strings.ToUpper(value)) + "\\fR"
	}
	if !slices.Contains([]string{"", "false", "0", "0s", "[]"}, f.DefValue) {
		text += " (default: " + f.DefValue + ")"
	}
	return ".TP\n" + name + "\n" + roff(text) + "\n"
}

// roff is a text without meaning for man.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// aboutAll is the end of the first page.
const aboutAll = `.SH FILES
.TP
\fI\(ti/.config/sigalert/config.yaml\fR
The configuration. If there is none, the first run writes one with comments.
.TP
\fI\(ti/.local/state/sigalert/\fR
What outlives a restart, and the history.
.TP
\fI/var/lib/sigalert/\fR
What the system's router keeps, with its tokens.
.SH ENVIRONMENT
.TP
\fBSIGALERT_CONFIG\fR
The configuration, in place of the user's.
.TP
\fBSIGALERT_SERVER\fR
The server that the commands use, in place of the configuration's.
.TP
\fBSIGALERT_TOKEN\fR
The token for that server.
.SH EXIT STATUS
0 if it worked, 1 if it failed, 2 if the command line is wrong, and 3 if something was
sent and nobody answered: it may have arrived. \fBsigalert run\fR has the exit status
of its command.
.SH SEE ALSO
The folder \fI/usr/share/doc/sigalert\fR, or \fI/usr/share/doc/sigalert\-gtk\fR, has
the documentation, with every key of the configuration.
`
