//go:build unix && !darwin

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each row is a desktop: what xdg-mime knows, and which programs work.
func TestEditor(t *testing.T) {
	const plain = "gtk-launch some-editor.desktop "
	for _, test := range []struct {
		name            string
		yaml, text      string // what opens these types
		xdgOpen, launch string // how they end
		tries           []string
		failed          bool
	}{
		{"opens YAML", "yaml.desktop", "some-editor.desktop", "0", "0", []string{"xdg-open "}, false},
		{"opens text only", "", "some-editor.desktop", "0", "0", []string{plain}, false},
		{"opens text only, without gtk-launch", "", "some-editor.desktop", "0", "127", []string{plain, "xdg-open "}, false},
		{"opens YAML no longer", "yaml.desktop", "some-editor.desktop", "3", "0", []string{"xdg-open ", plain}, false},
		{"says nothing about types", "", "", "0", "0", []string{"xdg-open "}, false},
		{"opens nothing", "", "", "3", "127", []string{"xdg-open "}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			tried := filepath.Join(dir, "tried")
			for name, script := range map[string]string{
				"xdg-open":   `echo "xdg-open $*" >>` + tried + "; exit " + test.xdgOpen,
				"gtk-launch": `echo "gtk-launch $*" >>` + tried + "; exit " + test.launch,
				"xdg-mime": `case "$2 $3" in
"filetype "*) echo application/yaml ;;
"default application/yaml") echo ` + test.yaml + ` ;;
"default text/plain") echo ` + test.text + ` ;;
esac`,
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
			err := tryEach(editors("/my config.yaml"))
			if (err != nil) != test.failed {
				t.Errorf("failed %v, want %v", err, test.failed)
			}
			got, _ := os.ReadFile(tried)
			if want := strings.Join(test.tries, "/my config.yaml\n") + "/my config.yaml\n"; string(got) != want {
				t.Errorf("tried\n%swant\n%s", got, want)
			}
		})
	}
}
