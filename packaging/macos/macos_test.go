// Package macos tests the files for macOS as far as another system can.
package macos

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
)

// The application has no icon in the Dock, and every value that a bundle needs.
func TestInfo(t *testing.T) {
	const python = "python3"
	if _, err := exec.LookPath(python); err != nil {
		if os.Getenv("SIGALERT_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	text, err := exec.Command(python, "-c", `import json, plistlib; print(json.dumps(plistlib.load(open("Info.plist", "rb"))))`).Output()
	if err != nil {
		t.Fatal(err)
	}
	var info map[string]any
	if err := json.Unmarshal(text, &info); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"CFBundleExecutable", "CFBundleIdentifier", "CFBundleIconFile", "CFBundleShortVersionString"} {
		if s, _ := info[key].(string); s == "" {
			t.Errorf("%s is missing", key)
		}
	}
	if info["LSUIElement"] != true || info["CFBundlePackageType"] != "APPL" {
		t.Errorf("%s", text)
	}
}
