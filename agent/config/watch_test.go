package config_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sigalert/agent/config"
)

// watched is a file that is being watched.
type watched struct {
	t     *testing.T
	path  string
	calls chan struct{}
}

func watchFile(t *testing.T, path string) *watched {
	t.Helper()
	w := &watched{t, path, make(chan struct{}, 100)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		config.Watch(ctx, path, func() { w.calls <- struct{}{} })
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	w.expect("it watches")
	return w
}

// expect waits for one call.
func (w *watched) expect(what string) {
	w.t.Helper()
	select {
	case <-w.calls:
	case <-time.After(20 * time.Second):
		w.t.Fatalf("not noticed: %s", what)
	}
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func write(path, text string) error { return os.WriteFile(path, []byte(text), 0o600) }

func TestWatchSeesEveryWayToSave(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	must(t, write(path, "0"))
	w := watchFile(t, path)
	must(t, write(path, "in place"))
	w.expect("written in place")
	must(t, write(path+".tmp", "renamed over"), os.Rename(path+".tmp", path))
	w.expect("renamed over")
	must(t, os.Rename(path, path+"~"), write(path, "as vim does"), os.Remove(path+"~"))
	w.expect("as vim does")
	must(t, os.Remove(path))
	must(t, write(path, "created again"))
	w.expect("created again")

	// What changes nothing is not told; the next real change is.
	must(t, os.Chmod(path, 0o644), write(path, "created again"), write(filepath.Join(dir, "other"), "x"))
	must(t, write(path, "last"))
	w.expect("after what changed nothing")
	select {
	case <-w.calls:
		t.Error("told twice")
	default:
	}
}

func TestWatchFollowsALink(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	target := filepath.Join(elsewhere, "real.yaml")
	path := filepath.Join(dir, "config.yaml")
	must(t, write(target, "0"), os.Symlink(target, path))
	w := watchFile(t, path)
	must(t, write(target, "the target, changed elsewhere"))
	w.expect("the target")
	other := filepath.Join(elsewhere, "other.yaml")
	must(t, write(other, "another target"), os.Symlink(other, path+".new"), os.Rename(path+".new", path))
	w.expect("another target")
}

func TestWatchWaitsForTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sigalert")
	path := filepath.Join(dir, "config.yaml")
	w := watchFile(t, path)
	must(t, os.Mkdir(dir, 0o700), write(path, "1"))
	w.expect("the folder came")
	must(t, os.RemoveAll(dir), os.Mkdir(dir, 0o700), write(path, "2"))
	w.expect("the folder came again")
}
