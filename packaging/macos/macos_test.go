//go:build unix

// Package macos tests the files for macOS as far as another system can.
package macos

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// need skips the test without a program, or fails it where nothing may be left out.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("SIGALERT_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// The Mac's own programs, as far as the script needs them.
var stubs = map[string]string{
	"go":       `while [ "$1" != -o ]; do shift; done; echo program >"$2"; chmod +x "$2"`,
	"iconutil": `[ "$1 $2 $3" = "-c icns -o" ] && ls "$5" >"$4"`,
	"codesign": `[ "$1 $2 $3" = "--force --sign -" ] && [ -x "$4/Contents/MacOS/sigalert" ]`,
	"plutil": `exec python3 - "$@" <<'END'
import plistlib, sys
path = sys.argv[-1]
values = plistlib.load(open(path, "rb"))
if sys.argv[1] == "-replace":
    assert sys.argv[3] == "-string" and sys.argv[2] in values
    values[sys.argv[2]] = sys.argv[4]
    plistlib.dump(values, open(path, "wb"))
END
`,
}

// The application has what a bundle needs where a Mac looks for it, and no icon in the
// Dock.
func TestBundle(t *testing.T) {
	need(t, "python3")
	need(t, "bash")
	bin, out := t.TempDir(), filepath.Join(t.TempDir(), "an output")
	for name, script := range stubs {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	if text, err := exec.Command("bash", "bundle.sh", "1.2.3", out).CombinedOutput(); err != nil {
		t.Fatalf("%s %v", text, err)
	}

	app := filepath.Join(out, "sigalert.app", "Contents")
	text, err := exec.Command("python3", "-c", "import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))", filepath.Join(app, "Info.plist")).Output()
	if err != nil {
		t.Fatal(err)
	}
	var info map[string]any
	if err := json.Unmarshal(text, &info); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"CFBundleIdentifier": "sigalert", "CFBundlePackageType": "APPL", "LSUIElement": true,
		"CFBundleVersion": "1.2.3", "CFBundleShortVersionString": "1.2.3",
	} {
		if info[key] != want {
			t.Errorf("%s is %v, want %v", key, info[key], want)
		}
	}
	for key, file := range map[string]string{"CFBundleExecutable": "MacOS/%s", "CFBundleIconFile": "Resources/%s.icns"} {
		if _, err := os.Stat(filepath.Join(app, fmt.Sprintf(file, info[key]))); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}
