// Package docs tests what the documentation says.
package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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
	b.WriteString("# The commands\n\nWhat each command and flag does, as `sigalert COMMAND --help` says it, too.\n")
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

func describe(b *strings.Builder, cmd *cobra.Command) {
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
