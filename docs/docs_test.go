// Package docs tests what the documentation says.
package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/spf13/cobra"

	"sigalert/agent/config"
	"sigalert/internal/cli"
)

// pages are the texts of all pages, by their path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := make(map[string]string)
	for _, pattern := range []string{"*.md", "pictures/*.md", "../*.md"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all[path] = string(text)
		}
	}
	return all
}

var (
	code     = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
	links    = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"`)
	headings = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// anchor is how a heading is linked to.
func anchor(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(heading) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteRune('-')
		}
	}
	return b.String()
}

// Each link leads to a file, and to a heading that is there. Those to other sites are not
// looked at.
func TestLinks(t *testing.T) {
	anchors := make(map[string]bool)
	texts := pages(t)
	for path, text := range texts {
		for _, h := range headings.FindAllStringSubmatch(regexp.MustCompile("(?s)```.*?```").ReplaceAllString(text, ""), -1) {
			anchors[absolute(t, path)+"#"+anchor(h[1])] = true
		}
	}
	found := 0
	for path, text := range texts {
		for _, m := range links.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			link := m[1] + m[2]
			if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
				continue
			}
			found++
			file, heading, _ := strings.Cut(link, "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", path, link, err)
			} else if heading != "" && !anchors[absolute(t, target)+"#"+heading] {
				t.Errorf("%s links to %s, and there is no such heading", path, link)
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d links were found", found)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The index has every page.
func TestIndex(t *testing.T) {
	texts := pages(t)
	for path := range texts {
		if filepath.Dir(path) == "." && path != "README.md" && !strings.Contains(texts["README.md"], "]("+path+")") {
			t.Errorf("README.md does not have %s", path)
		}
	}
}

// The configurations in the documentation have no mistakes.
func TestConfigurations(t *testing.T) {
	ours := regexp.MustCompile(`(?m)^(router|servers?|subscriptions|defaults|history|quiet_hours|\s*- \{?(sender|event))\b`)
	found := 0
	for path, text := range pages(t) {
		for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(text, -1) {
			yaml := block[1]
			switch {
			case strings.Contains(yaml, "…") || !ours.MatchString(yaml):
				continue // an outline, or another program's
			case strings.HasPrefix(strings.TrimSpace(yaml), "-"):
				yaml = "subscriptions:\n" + yaml
			case !strings.Contains(yaml, "subscriptions:"):
				yaml += "subscriptions: [{sender: a}]\n"
			}
			found++
			if _, err := config.Parse(path, []byte(yaml)); err != nil {
				t.Errorf("%v\n%s", err, yaml)
			}
		}
	}
	if found < 12 {
		t.Errorf("only %d were found", found)
	}
}

// commands.md is what the commands say of themselves. SIGALERT_UPDATE=1 writes it anew.
func TestCommands(t *testing.T) {
	var b strings.Builder
	b.WriteString(strings.NewReplacer("'", "`", "@\n", overview(cli.Command())+"\n").Replace(commandsHead))
	describe(&b, cli.Command())
	if os.Getenv("SIGALERT_UPDATE") == "1" {
		if err := os.WriteFile("commands.md", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile("commands.md"); err != nil || string(text) != b.String() {
		t.Errorf("commands.md is not what the commands say: SIGALERT_UPDATE=1 go test ./docs (%v)", err)
	}
}

// commandsHead has ' in place of `, and @ in place of the overview.
const commandsHead = `# The commands

What each command and flag does, in the words of 'sigalert COMMAND --help'.
@
All commands have this in common:

- The router is the one that '--server' names, by its URL or by its name in the configuration; otherwise that of '$SIGALERT_SERVER', the first one of the configuration, or 127.0.0.1:3000.
- DATA and PARAMS are JSON if they can be read as such, otherwise text.
- If a name spells a number, listening to it means the number and the text alike; sending under it means whichever of them is connected, otherwise the text. '--number' makes it the number, and quotes within the word make it the text.
- An event reaches the router once, even if it had to be sent again over a lost connection.
- The exit code is 0, 1 for a failure, 2 for a mistake on the command line, or 3 if something was sent but not answered: it may have arrived.
- If your shell has loaded what 'sigalert completion SHELL' prints, as it has with the packages, it also completes the names of senders and events.
`

// overview is a table of the commands.
func overview(cmd *cobra.Command) string {
	var b strings.Builder
	b.WriteString("\n| command | |\n|---|---|\n")
	fmt.Fprintf(&b, "| [%[1]s](#%[1]s) | Run the agent |\n", cmd.Name())
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", sub.Name(), anchor(sub.CommandPath()), sub.Short)
		}
	}
	return b.String()
}

func describe(b *strings.Builder, cmd *cobra.Command) {
	if cmd.Name() == "completion" { // cobra's own, whose words are long
		fmt.Fprintf(b, "\n## %s\n\n%s.\nThe help of each says how to load it.\n\n```\n", cmd.CommandPath(), cmd.Short)
		for _, sub := range cmd.Commands() {
			fmt.Fprintf(b, "%s\n", sub.CommandPath())
		}
		b.WriteString("```\n")
		return
	}
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n", cmd.CommandPath(), text)
	if cmd.Runnable() {
		fmt.Fprintf(b, "\n```\n%s\n```\n", cmd.UseLine())
	}
	if cmd.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(cmd.Example, "  "), "\n  ", "\n"))
	}
	flags := cmd.NonInheritedFlags()
	flags.SortFlags = true
	if flags.HasAvailableFlags() {
		fmt.Fprintf(b, "\n```\n%s```\n", flags.FlagUsages())
	}
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" {
			describe(b, sub)
		}
	}
}

// What troubleshooting.md says that one sees is what the program says.
func TestSymptoms(t *testing.T) {
	said := literals(t)
	text := pages(t)["troubleshooting.md"]
	found := 0
	for _, row := range regexp.MustCompile(`(?m)^\| ([^|]*) \|`).FindAllStringSubmatch(text, -1) {
		for _, symptom := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(row[1], -1) {
			found++
			if !slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, symptom[1]) }) {
				t.Errorf("the program does not say %q", symptom[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d symptoms were found", found)
	}
}

// literals are all texts in the program's source, and those of the system that it passes on.
func literals(t *testing.T) []string {
	t.Helper()
	all := []string{syscall.ECONNREFUSED.Error(), syscall.EADDRINUSE.Error()}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if text, ok := n.(*ast.BasicLit); ok && text.Kind == token.STRING {
				if s, err := strconv.Unquote(text.Value); err == nil {
					all = append(all, s)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Every command in the documentation exists, with the flags that it is given.
func TestCommandLines(t *testing.T) {
	found := 0
	for path, text := range pages(t) {
		if path == "commands.md" || path == "store.md" { // which are generated, and about files that begin so
			continue
		}
		for _, code := range code.FindAllString(text+indented(text), -1) {
			for _, line := range regexp.MustCompile("(?m)(?:^ *|[`|&;(] ?|sudo |\\s-- )(?:\\./)?sigalert ([a-z][^`\n|;&#>)]*)").FindAllStringSubmatch(code, -1) {
				words := strings.Fields(line[1])
				cmd, rest, err := cli.Command().Find(words)
				if err != nil || !cmd.HasParent() {
					t.Errorf("%s: sigalert %s: there is no such command (%v)", path, line[1], err)
					continue
				}
				found++
				for _, word := range rest {
					name, long := strings.CutPrefix(word, "--")
					if name, _, _ = strings.Cut(name, "="); word == "--" {
						break
					} else if long && name != "help" && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
						t.Errorf("%s: sigalert %s: there is no --%s", path, line[1], name)
					}
				}
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d were found", found)
	}
}

// indented are the lines of a page that are code because they are indented, as blocks.
func indented(text string) string {
	return "\n```\n" + strings.Join(regexp.MustCompile(`(?m)^    (.*)$`).FindAllString(text, -1), "\n") + "\n```\n"
}
