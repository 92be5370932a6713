//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A candidate is a part of a desktop about which README.md says something.
type candidate interface {
	title() string
	try(*testing.T) row // returns what it can do
}

// row is a row of a table.
type row []string

func (r row) String() string { return "| " + strings.Join(r, " | ") + " |\n" }

// TestDesktops tries the notification servers and panels of many desktops: those that are
// quickest, or all of them with SIGALERT_TEST_LONG=1. The tables in README.md have to say
// what came out; with SIGALERT_PICTURES, too, they are written anew.
func TestDesktops(t *testing.T) {
	const begin, end = "<!-- desktops: written by make desktops -->\n", "<!-- end of desktops -->\n"
	long, write := os.Getenv("SIGALERT_TEST_LONG") == "1", os.Getenv("SIGALERT_PICTURES") != ""
	readme, err := os.ReadFile("../README.md")
	check(t, err)
	head, rest, _ := strings.Cut(string(readme), begin)
	before, tail, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("README.md has no %q and %q", begin, end)
	}

	var tables []string
	for _, table := range []struct {
		head  row
		quick int // the first so many are
		all   []candidate
	}{
		{notifierColumns, 2, candidates(notifiers)},
		{panelColumns, 1, candidates(panels)},
	} {
		rows := make([]row, len(table.all))
		t.Run(table.head[0], func(t *testing.T) {
			for i, c := range table.all {
				t.Run(c.title(), func(t *testing.T) {
					if i >= table.quick && !long {
						t.Skip("needs SIGALERT_TEST_LONG=1: see make desktops")
					}
					t.Parallel()
					rows[i] = append(row{c.title()}, c.try(t)...)
				})
			}
		})
		text := table.head.String() + strings.Repeat("|---", len(table.head)) + "|\n"
		for _, r := range rows {
			text += r.String()
			if r != nil && !write && !strings.Contains(before, r.String()) {
				t.Errorf("README.md has another row than\n%s", r)
			}
		}
		tables = append(tables, text)
	}
	now := "`make desktops` has tried these on Debian 12, with real clicks, and [taken pictures](docs/pictures/desktops.md):\n\n" + strings.Join(tables, "\n")
	switch {
	case !long || t.Failed():
	case write:
		check(t, os.WriteFile("../README.md", []byte(head+begin+now+end+tail), 0o644))
	case now != before:
		t.Errorf("README.md has\n%s\nand not\n%s", before, now)
	}
}

func candidates[T candidate](of []T) (all []candidate) {
	for _, c := range of {
		all = append(all, c)
	}
	return all
}

// newPlainDesktop starts a desktop with nothing on its background, under X or Wayland.
func newPlainDesktop(t testing.TB, wayland bool) *desktop {
	t.Helper()
	need(t, "tesseract")
	if wayland {
		return newSway(t)
	}
	d := newBareDesktop(t)
	d.paint()
	return d
}

// installed returns the program at a path, which may be a pattern.
func installed(t testing.TB, pattern string) string {
	t.Helper()
	found, _ := filepath.Glob(pattern)
	if len(found) == 0 {
		leaveOut(t, "needs "+pattern+": see e2e/deps.sh")
	}
	return slices.Max(found)
}
