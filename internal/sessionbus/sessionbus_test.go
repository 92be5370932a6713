package sessionbus

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAddress(t *testing.T) {
	dir := t.TempDir()
	socket := "unix:path=" + filepath.Join(dir, "bus")
	for _, tc := range []struct {
		variable string
		socket   bool
		want     string
	}{
		{"", false, ""},
		{"autolaunch:", false, ""},
		{"", true, socket},
		{"autolaunch:", true, socket},
		{"unix:path=/a", false, "unix:path=/a"},
		{"unix:path=/a", true, "unix:path=/a;" + socket}, // the first may be dead
		{socket, true, socket},
		{"unix:path=/a;" + socket, true, "unix:path=/a;" + socket},
	} {
		t.Setenv(Variable, tc.variable)
		t.Setenv("XDG_RUNTIME_DIR", dir)
		if tc.socket {
			if err := os.WriteFile(filepath.Join(dir, "bus"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		} else {
			_ = os.Remove(filepath.Join(dir, "bus"))
		}
		if got, err := Address(); got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%+v: %q, %v", tc, got, err)
		}
	}
	t.Setenv(Variable, "")
	t.Setenv("XDG_RUNTIME_DIR", "")
	if got, err := Address(); err == nil {
		t.Errorf("with nothing set: %q", got)
	}
}

// A bus that takes connections and answers nothing is none.
func TestFindOnAHungBus(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip("no Unix sockets: ", err)
	}
	defer l.Close()
	t.Setenv(Variable, "unix:path="+path)
	t.Setenv("XDG_RUNTIME_DIR", "")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	found := make(chan error, 1)
	go func() {
		_, err := Find(ctx)
		found <- err
	}()
	select {
	case err := <-found:
		if err == nil {
			t.Error("found one")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it hangs")
	}
}
