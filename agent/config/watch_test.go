package config_test

import (
	"context"
	"fmt"
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
	calls chan error // what is wrong with the file
}

func watchFile(t *testing.T, path string) *watched {
	t.Helper()
	w := &watched{t, path, make(chan error, 1000)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		config.Watch(ctx, path, func(_ *config.Config, err error) { w.calls <- err })
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
	t.Parallel()
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
}

// Each of these contents comes into place at once, so that there is one call
// for each and none for what happens in between.
func TestWatchCallsOnceForEachContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "config.yaml")
	replace := func(text string) {
		t.Helper()
		must(t, write(path+".tmp", text), os.Rename(path+".tmp", path))
	}
	must(t, write(path, "0"))
	w := watchFile(t, path)
	replace("1")
	w.expect("the first content")
	must(t, os.Chmod(path, 0o644), os.Chtimes(path, time.Time{}, time.Now().Add(time.Hour)))
	replace("1")
	must(t, os.Remove(path))
	replace("1")
	must(t, write(filepath.Join(dir, "other"), "x"))
	replace("2")
	w.expect("the second content")
	// The poll has noticed all of this by the time it notices the next.
	must(t, os.Rename(dir, dir+".old"), os.Mkdir(dir, 0o700))
	replace("3")
	w.expect("the third content")
	if n := len(w.calls); n > 0 {
		t.Errorf("%d calls too many", n)
	}
}

func TestWatchFollowsALink(t *testing.T) {
	t.Parallel()
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

// A mounted Kubernetes volume: the folder's link changes, the file's does not.
func TestWatchFollowsALinkToAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
	must(t, os.Mkdir(in("..1"), 0o700), os.Mkdir(in("..2"), 0o700))
	must(t, write(in("..1", "config.yaml"), "1"), write(in("..2", "config.yaml"), "2"))
	must(t, os.Symlink("..1", in("..data")), os.Symlink(filepath.Join("..data", "config.yaml"), in("config.yaml")))
	w := watchFile(t, in("config.yaml"))
	must(t, os.Symlink("..2", in("..new")), os.Rename(in("..new"), in("..data")))
	w.expect("another folder")
}

func TestWatchWaitsForTheFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sigalert")
	path := filepath.Join(dir, "config.yaml")
	w := watchFile(t, path)
	must(t, os.Mkdir(dir, 0o700), write(path, "1"))
	w.expect("the folder came")
	must(t, os.RemoveAll(dir), os.Mkdir(dir, 0o700), write(path, "2"))
	w.expect("the folder came again")
}

// A file that is saved without a pause is in force within a second all the same,
// and none of its unfinished states is reported.
func TestWatchDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config.yaml")
	must(t, write(path, "subscriptions: [{sender: a}]"))
	w := watchFile(t, path)
	const saves = 130
	for i := range saves {
		f, err := os.Create(path)
		must(t, err)
		for _, part := range []string{"subscriptions: [{sender: ", fmt.Sprint("b", i), "}]"} {
			time.Sleep(2 * time.Millisecond)
			_, err := f.WriteString(part)
			must(t, err)
		}
		must(t, f.Close())
		time.Sleep(18 * time.Millisecond)
	}
	if n := len(w.calls); n < 2 { // of about four; a busy machine may miss some
		t.Errorf("%d versions in force while %d were saved", n, saves)
	}
	time.Sleep(time.Second)
	for len(w.calls) > 0 {
		if err := <-w.calls; err != nil {
			t.Errorf("reported: %v", err)
		}
	}
}
