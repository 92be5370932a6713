//go:build linux

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// need leaves a test out where its command is missing, unless nothing may be left out.
func need(t *testing.T, command string) {
	t.Helper()
	if _, err := exec.LookPath(command); err != nil {
		if os.Getenv("SIGALERT_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// output is what a command prints, with the installed program before others.
func output(t *testing.T, prefix string, argv ...string) string {
	t.Helper()
	cmd := exec.Command("env", argv...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(prefix, "bin")+":"+os.Getenv("PATH"),
		"HOME="+t.TempDir(), "XDG_DATA_DIRS="+filepath.Join(prefix, "share")+":/usr/share", "LC_ALL=C.UTF-8", "MANWIDTH=80", "MAN_KEEP_FORMATTING=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", argv, err, out)
	}
	return string(out)
}

// copied is a copy of the source tree in another folder.
func copied(t *testing.T, from string) (to string) {
	t.Helper()
	to = filepath.Join(t.TempDir(), "another folder")
	check(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == ".git" || name == "dist" && filepath.Dir(path) == from {
				return fs.SkipDir
			}
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rest, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return write(filepath.Join(to, rest), content)
	}))
	return to
}

// What is made twice is the same, though in another folder, later, and by a user with
// another umask. The archive is a whole installation.
func TestDist(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	made := func(top string) (out string) {
		t.Helper()
		out = t.TempDir()
		r := release{top: top, out: out, version: "1.2.3", commit: "0123456789abcdef", arches: []string{runtime.GOARCH}, system: "linux"}
		check(t, r.make())
		return out
	}
	top, err := filepath.Abs("../..")
	check(t, err)
	out := made(top)
	top = copied(t, top)
	umask := syscall.Umask(0o077)
	again := made(top)
	syscall.Umask(umask)
	sums, err := os.ReadFile(filepath.Join(out, "SHA256SUMS"))
	check(t, err)
	other, err := os.ReadFile(filepath.Join(again, "SHA256SUMS"))
	check(t, err)
	if string(sums) != string(other) || strings.Count(string(sums), "\n") != 4 {
		t.Errorf("made first:\n%smade again:\n%s", sums, other)
	}
	t.Chdir(out)
	output(t, "", "sha256sum", "--check", "SHA256SUMS")

	dir := "sigalert-1.2.3-linux-" + runtime.GOARCH
	output(t, "", "tar", "-xzf", dir+".tar.gz")
	prefix := filepath.Join(out, dir)
	if got := output(t, prefix, "sigalert", "version"); !strings.HasPrefix(got, "sigalert 1.2.3 (pysig protocol 1.01, commit 0123456789ab of 2023-11-14, ") {
		t.Error(got)
	}
	t.Run("manual", func(t *testing.T) { testManual(t, prefix) })
	t.Run("completions", func(t *testing.T) { testCompletions(t, prefix) })
}

// What is made has a time, and takes the place of nothing but what was made before.
func TestDistRefuses(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "")
	r := release{top: "../..", out: t.TempDir(), version: "1.2.3"}
	if err := r.make(); err == nil || !strings.Contains(err.Error(), "SOURCE_DATE_EPOCH") {
		t.Error(err)
	}
	for _, name := range []string{"letter.txt", "SHA256SUMS", "sigalert_1.2.2-1_amd64.deb", "sigalert-1.2.2-linux-amd64.tar.gz"} {
		check(t, write(filepath.Join(r.out, name), nil))
	}
	check(t, r.clear())
	if left, err := os.ReadDir(r.out); err != nil || len(left) != 1 || left[0].Name() != "letter.txt" {
		t.Error(left, err)
	}
}

func testManual(t *testing.T, prefix string) {
	need(t, "man")
	pages, err := filepath.Glob(filepath.Join(prefix, "share/man/man1/*"))
	check(t, err)
	if len(pages) < 30 {
		t.Errorf("only %d pages", len(pages))
	}
	if got := output(t, prefix, append([]string{"sh", "-c", `man --warnings -E UTF-8 -l -Tutf8 -Z "$@" 2>&1 >/dev/null`, "sh"}, pages...)...); got != "" {
		t.Error(got)
	}
	got := output(t, prefix, "sh", "-c", `man -l "$1" | cat`, "sh", filepath.Join(prefix, "share/man/man1/sigalert-send.1.gz"))
	for _, want := range []string{
		"sigalert-send - send an event, once or repeatedly\n",
		"sigalert send SENDER EVENT [DATA] [OPTION ...]\n",
		"--title TEXT\n              the TEXT above the message\n",
		`sigalert send timer tick '{"n": 1}' --every 5s --count 10`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
}

// Each shell finds the completion where it is installed, and knows commands from it.
func testCompletions(t *testing.T, prefix string) {
	share := filepath.Join(prefix, "share")
	for shell, script := range map[string]string{
		"bash": `. /usr/share/bash-completion/bash_completion
_completion_loader sigalert
COMP_WORDS=(sigalert pau) COMP_CWORD=1 COMP_LINE="sigalert pau" COMP_POINT=12 COMP_TYPE=9
__start_sigalert 2>/dev/null; printf '%s\n' "${COMPREPLY[@]}"`,
		"zsh": `fpath=(` + share + `/zsh/site-functions $fpath)
autoload -U compinit && compinit -u -d $HOME/dump && print $_comps[sigalert]
_describe() { print -l ${(P)${@[-2]}} }; _arguments() { }; compdef() { }
words=(sigalert pau) CURRENT=2; autoload +X _sigalert; _sigalert`,
		"fish": `complete -C "sigalert pau"`,
	} {
		t.Run(shell, func(t *testing.T) {
			need(t, shell)
			if got := output(t, prefix, shell, "-c", script); !strings.Contains(got, "pause") || shell == "zsh" && !strings.Contains(got, "_sigalert") {
				t.Errorf("%s", got)
			}
		})
	}
}
