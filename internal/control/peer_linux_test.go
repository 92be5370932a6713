package control

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain makes the test's binary a client when it is called as one.
func TestMain(m *testing.M) {
	if path := os.Getenv("CONTROL_TEST_SOCKET"); path != "" {
		if err := Call(context.Background(), path, "echo", nil, nil); err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Another user is refused, even where the permissions would allow it, and refuses to
// speak to us.
func TestOtherUser(t *testing.T) {
	t.Parallel()
	setpriv, err := exec.LookPath("setpriv")
	if err != nil || os.Geteuid() != 0 {
		t.Skip("needs root, and setpriv")
	}
	dir := folder(t)
	path := filepath.Join(dir, "s.sock")
	serve(t, path)
	self := copied(t, dir)
	ask := func() string {
		cmd := exec.Command(setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", self)
		cmd.Env = append(os.Environ(), "CONTROL_TEST_SOCKET="+path)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Error("another user is answered")
		}
		return string(out)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	if got := ask(); !strings.Contains(got, "permission denied") {
		t.Errorf("as it is: %s", got)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != errOther.Error() {
		t.Errorf("open to all: %s", got)
	}
	if err := Call(t.Context(), path, "echo", nil, nil); err != nil {
		t.Error(err)
	}
}

// copied is this program where every user can run it.
func copied(t *testing.T, dir string) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(exe)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "client")
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}
