package linux

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

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

func TestEntriesAreValid(t *testing.T) {
	const validator = "desktop-file-validate"
	need(t, validator)
	for _, name := range []string{"sigalert.desktop", "sigalert-autostart.desktop"} {
		// It also prints hints, and exits with 0 after them.
		if out, err := exec.Command(validator, name).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// units are copies of the units in which the program is one that is there.
func units(t *testing.T, names ...string) (paths []string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "/usr/bin/sigalert", "/bin/true")), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}

func TestUnitsAreValid(t *testing.T) {
	const analyze = "systemd-analyze"
	need(t, analyze)
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	for _, args := range [][]string{
		append([]string{"--system"}, units(t, "sigalert-router.service", "sigalert-router.socket")...),
		append([]string{"--user"}, units(t, "sigalert.service")...),
	} {
		if out, err := exec.Command(analyze, append([]string{"verify", "--man=no"}, args...)...).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// The router's unit gives it hardly more than it needs: 10 is everything, 0 nothing.
func TestRouterIsConfined(t *testing.T) {
	const analyze, most = "systemd-analyze", 2.0
	need(t, analyze)
	out, err := exec.Command(analyze, "security", "--offline=true", "--no-pager", units(t, "sigalert-router.service")[0]).CombinedOutput()
	m := regexp.MustCompile(`Overall exposure level for sigalert-router.service: (\S+) `).FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if level, err := strconv.ParseFloat(string(m[1]), 64); err != nil || level >= most {
		t.Errorf("%s, %v\n%s", m[1], err, out)
	}
	t.Logf("exposure level %s", m[1])
}
