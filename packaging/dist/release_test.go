//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A release is refused until everything is ready. What takes long, the tests and the
// making of the files, is only counted here.
func TestRelease(t *testing.T) {
	need(t, "git")
	dir := t.TempDir()
	for _, name := range []string{"GIT_AUTHOR", "GIT_COMMITTER"} {
		t.Setenv(name+"_NAME", "somebody")
		t.Setenv(name+"_EMAIL", "somebody@example.com")
	}
	t.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
	run := func(argv ...string) (string, error) {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	git := func(args ...string) {
		t.Helper()
		if out, err := run(append([]string{"git"}, args...)...); err != nil {
			t.Fatalf("git %s: %s", args, out)
		}
	}
	refused := func(version, want string) {
		t.Helper()
		if out, err := run("packaging/release.sh", version); err == nil || !strings.Contains(out, want) {
			t.Errorf("%q: %v, %q is not in\n%s", version, err, want, out)
		}
	}
	commit := func(name, content string) {
		t.Helper()
		check(t, write(filepath.Join(dir, name), []byte(content)))
		git("add", "-A")
		git("commit", "-q", "-m", name)
	}
	const (
		makefile = "test:\n\techo tested\ndist:\n\tsh packaging/made $(VERSION)\n"
		made     = `#!/bin/sh
set -e
mkdir -p dist
d=sigalert-$1-linux-$(go env GOARCH) && mkdir -p $d/bin
printf '#!/bin/sh\necho "sigalert %s (commit %s of today)"\n' $1 $(git rev-parse --short=12 HEAD) >$d/bin/sigalert
chmod 755 $d/bin/sigalert
tar --sort=name --mtime=@0 --mode=755 -c $d | gzip -n >dist/$d.tar.gz
(cd dist && sha256sum *.tar.gz >SHA256SUMS)
rm -r $d
`
		changed = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-12-01\n\n### Added\n\n- Everything.\n"
	)
	script, err := os.ReadFile("../release.sh")
	check(t, err)
	check(t, write(filepath.Join(dir, "packaging/release.sh"), script))
	check(t, os.Chmod(filepath.Join(dir, "packaging/release.sh"), 0o755))
	check(t, write(filepath.Join(dir, "CHANGELOG.md"), []byte(changed)))
	refused("1.2.3", "not a git repository")
	git("init", "-q")
	commit("packaging/made", made)
	commit("Makefile", makefile)
	commit(".gitignore", "/dist/\n")
	commit("CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n- Everything.\n")

	refused("", `"" is not a version`)
	refused("1.2", `"1.2" is not a version`)
	refused("1.2.3", "CHANGELOG.md has no heading")
	commit("CHANGELOG.md", strings.Replace(changed, "- Everything", "Everything", 1))
	refused("1.2.3", "says nothing about 1.2.3")
	commit("CHANGELOG.md", strings.Replace(changed, "[Unreleased]\n", "[Unreleased]\n\n- More.\n", 1))
	refused("1.2.3", "has entries under [Unreleased]")
	git("tag", "v1.2.3")
	commit("CHANGELOG.md", changed)
	refused("1.2.3", "the tag v1.2.3 is at another commit")
	git("tag", "-f", "v1.2.3")
	check(t, write(filepath.Join(dir, "more"), nil))
	refused("1.2.3", "not committed")
	check(t, os.Remove(filepath.Join(dir, "more")))

	out, err := run("packaging/release.sh", "1.2.3")
	if err != nil || strings.Count(out, "sh packaging/made 1.2.3\n") != 2 || !strings.Contains(out, "\ntested\n") || !strings.Contains(out, "To publish it:  git push origin v1.2.3\n") {
		t.Errorf("%v\n%s", err, out)
	}
	commit("packaging/made", strings.Replace(made, "chmod 755", "date +%N >>$d/bin/sigalert; chmod 755", 1))
	git("tag", "-f", "v1.2.3")
	refused("1.2.3", "made twice, the files differ")
}

// make dist gets its version from wherever make may get it, and refuses to call a
// release what is not committed.
func TestMakeDist(t *testing.T) {
	need(t, "git")
	need(t, "make")
	dir, bin := t.TempDir(), t.TempDir()
	makefile, err := os.ReadFile("../../Makefile")
	check(t, err)
	check(t, write(filepath.Join(dir, "Makefile"), makefile))
	check(t, write(filepath.Join(dir, "packaging/dist/go.mod"), nil))
	check(t, os.WriteFile(filepath.Join(bin, "go"), []byte("#!/bin/sh\necho \"time $SOURCE_DATE_EPOCH: $*\"\n"), 0o700))
	for _, set := range []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_COMMITTER_DATE=1700000000 +0000", "MAKEFLAGS="} {
		name, value, _ := strings.Cut(set, "=")
		t.Setenv(name, value)
	}
	makes := func(want string, argv ...string) {
		t.Helper()
		cmd := exec.Command("env", append(append([]string{"-u", "VERSION", "-u", "SOURCE_DATE_EPOCH"}, argv...), "make", "-s", "DIST=-gtk=false", "dist")...)
		cmd.Dir = dir
		if out, _ := cmd.CombinedOutput(); !strings.Contains(string(out), want) {
			t.Errorf("%q: %q is not in\n%s", argv, want, out)
		}
	}
	makes("time : run . -version 0.0.0-dev -commit  -gtk=false\n")
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=somebody", "-c", "user.email=somebody@example.com", "commit", "-q", "-m", "all"}} {
		check(t, exec.Command("git", append([]string{"-C", dir}, args...)...).Run())
	}
	makes("time 1700000000: run . -version 0.0.0-dev -commit ")
	makes("time 1700000000: run . -version 1.2.3 -commit ", "VERSION=1.2.3")
	makes("time 5: run . -version 1.2.3 -commit ", "VERSION=1.2.3", "SOURCE_DATE_EPOCH=5")
	check(t, write(filepath.Join(dir, "more"), nil))
	makes("-version 0.0.0-dev ")
	makes("not committed", "VERSION=1.2.3")
}
