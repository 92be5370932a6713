package cli

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigalert/agent"
)

// An editor that the agent starts must end when the reader of its output does.
func TestEditorHasItsSIGPIPE(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("no /proc to see it in")
	}
	defer outliveLog()()
	dir := t.TempDir()
	// The rename puts the file there in one step, so that it is whole.
	script := "#!/bin/sh\ngrep SigIgn /proc/$$/status >$1.new && mv $1.new $1\n"
	if err := os.WriteFile(filepath.Join(dir, "xdg-open"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	// This machine's programs are not asked.
	if err := os.WriteFile(filepath.Join(dir, "xdg-mime"), []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	path := filepath.Join(dir, "config.yaml")
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	(&trayAgent{path: path, log: log, agent: agent.New(agent.Options{})}).EditConfig()
	var text []byte
	for deadline := time.Now().Add(20 * time.Second); len(text) == 0; time.Sleep(10 * time.Millisecond) {
		if text, _ = os.ReadFile(path); time.Now().After(deadline) {
			t.Fatal("the editor was not started")
		}
	}
	mask := strings.TrimSpace(strings.TrimPrefix(string(text), "SigIgn:"))
	const sigpipe = "13579bdf" // digits that have the bit 1<<(13-1)
	if len(mask) != 16 || strings.Contains(sigpipe, mask[12:13]) {
		t.Errorf("it ignores SIGPIPE: %s", text)
	}
}
