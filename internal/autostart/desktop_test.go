package autostart

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var nasty = []string{
	"/usr/bin/sigalert",
	"/home/a b/sig alert",
	`/opt/it's/"quoted"/sigalert`,
	"/opt/100%/%U/sigalert",
	"/opt/$HOME/`id`/$(id)/sigalert",
	`/opt/back\slash\\/\n/\s/sigalert`,
	"/opt/~/*?#()<>|&;/sigalert",
	"/opt/größe/日本/sigalert",
	"/opt/trailing ",
}

func TestExecLine(t *testing.T) {
	for _, test := range []struct{ path, want string }{
		{"/usr/bin/sigalert", "/usr/bin/sigalert"},
		{"/a b/x", `"/a b/x"`},
		{"/50%/x", "env /50%%/x"},
		{"/50 %/x", `env "/50 %%/x"`},
		{"/$a/x", `"/\\$a/x"`},
		{"/a`b/x", "\"/a\\\\`b/x\""},
		{`/a"b/x`, `"/a\\"b/x"`},
		{`/a\b/x`, `"/a\\\\b/x"`},
	} {
		if got := execLine(test.path); got != test.want {
			t.Errorf("%s: Exec=%s, want %s", test.path, got, test.want)
		}
	}
}

func TestDesktopEntryReadsBack(t *testing.T) {
	for _, path := range nasty {
		text, err := desktopEntry(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if exe, off := parseDesktop(text); exe != path || off {
			t.Errorf("%q is read back as %q, off %v", path, exe, off)
		}
	}
}

func TestDesktopEntryIsValid(t *testing.T) {
	validator, err := exec.LookPath("desktop-file-validate")
	if err != nil {
		if os.Getenv("SIGALERT_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, path := range nasty {
		text, err := desktopEntry(path)
		if err != nil {
			t.Error(err)
			continue
		}
		file := filepath.Join(t.TempDir(), "sigalert.desktop")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(validator, file).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s\n%s", path, err, out, text)
		}
	}
}

func TestDesktopEntryRefuses(t *testing.T) {
	for _, path := range []string{"/a=b/sigalert", "/a\nb/sigalert", "/a\x00b", "/bad\xff/sigalert"} {
		if text, err := desktopEntry(path); err == nil {
			t.Errorf("%q is taken:\n%s", path, text)
		}
	}
}

func TestParseDesktop(t *testing.T) {
	for _, test := range []struct {
		name, text, exe string
		off             bool
	}{
		{"plain", "[Desktop Entry]\nExec=/bin/x\n", "/bin/x", false},
		{"arguments", "[Desktop Entry]\nExec=\"/a b/x\" --flag %U\n", "/a b/x", false},
		{"through env", "[Desktop Entry]\nExec=env \"/a b/x\" --flag\n", "/a b/x", false},
		{"spaces around", "[Desktop Entry]\n Exec = /bin/x \r\n", "/bin/x", false},
		{"hidden", "[Desktop Entry]\nExec=/bin/x\nHidden=true\n", "/bin/x", true},
		{"off in GNOME", "[Desktop Entry]\nX-GNOME-Autostart-enabled=false\nExec=/bin/x\n", "/bin/x", true},
		{"on in GNOME", "[Desktop Entry]\nX-GNOME-Autostart-enabled=true\nExec=/bin/x\n", "/bin/x", false},
		{"another group", "[Desktop Entry]\nExec=/bin/x\n[Desktop Action y]\nExec=/bin/y\nHidden=true\n", "/bin/x", false},
		{"no Exec", "[Desktop Entry]\nName=x\n", "", false},
		{"empty", "", "", false},
		{"cut off", "[Desktop Entry]\nExec=\"/a\\", "/a\\", false},
	} {
		if exe, off := parseDesktop(test.text); exe != test.exe || off != test.off {
			t.Errorf("%s: %q, off %v, want %q, %v", test.name, exe, off, test.exe, test.off)
		}
	}
}

func TestPlistReadsBack(t *testing.T) {
	for _, path := range append(nasty, "/a<b>&c/sigalert") {
		text, err := plist(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if exe, off, err := parsePlist(text); exe != path || off || err != nil {
			t.Errorf("%q is read back as %q, off %v, %v", path, exe, off, err)
		}
	}
	text, _ := plist("/bin/x")
	text = strings.Replace(text, "<dict>", "<dict><key>Disabled</key><true/>", 1)
	if _, off, err := parsePlist(text); !off || err != nil {
		t.Errorf("disabled agent: off %v, %v", off, err)
	}
	if _, _, err := parsePlist("<plist><dict>"); err == nil {
		t.Error("a cut-off file is taken")
	}
}

func TestPlistIsAPropertyList(t *testing.T) {
	for _, path := range append(nasty, "/a<b>&c/sigalert") {
		text, err := plist(path)
		if err != nil {
			t.Fatal(err)
		}
		if agent := propertyList(t, text); !reflect.DeepEqual(agent, map[string]any{
			"Label": "sigalert", "ProgramArguments": []any{path}, "RunAtLoad": true, "ProcessType": "Interactive",
		}) {
			t.Errorf("%q is %v as a property list", path, agent)
		}
	}
}

// propertyList reads one with a program that is not ours.
func propertyList(t *testing.T, text string) (values map[string]any) {
	t.Helper()
	const python = "python3"
	if _, err := exec.LookPath(python); err != nil {
		if os.Getenv("SIGALERT_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	cmd := exec.Command(python, "-c", "import json, plistlib, sys; print(json.dumps(plistlib.loads(sys.stdin.buffer.read())))")
	var problem strings.Builder
	cmd.Stdin, cmd.Stderr = strings.NewReader(text), &problem
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &values)
	}
	if err != nil {
		t.Fatalf("%v: %s%s", err, text, problem.String())
	}
	return values
}
