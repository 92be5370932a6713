//go:build linux

package e2e

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for something that must happen. It does not
// measure speed: it only ends a test that would wait for ever.
const patience = 30 * time.Second

// binaries is the folder of the programs built for this run.
var binaries string

func TestMain(m *testing.M) {
	if router, page, ok := strings.Cut(os.Getenv("SIGALERT_ATTACK"), " "); ok {
		attackAll(router, page)
	}
	if told := os.Getenv("SIGALERT_PUBLISHER"); told != "" {
		os.Exit(publishNumbers(told))
	}
	if to := os.Getenv("SIGALERT_SIEGE"); to != "" {
		siegeAll(to)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sigalert-bin-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // an unprivileged user runs them, too
		panic(err)
	}
	binaries = dir
	go starter()
	return m.Run()
}

var toStart = make(chan func())

// starter starts all processes from one thread that lives as long as the tests.
// The kernel ends them with that thread (Pdeathsig), so that a test run which
// is killed leaves nothing behind.
func starter() {
	runtime.LockOSThread()
	for start := range toStart {
		start()
	}
}

func startOwned(c *exec.Cmd) error {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if slices.Contains(c.Env, unprivileged) {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	started := make(chan error)
	toStart <- func() { started <- c.Start() }
	return <-started
}

// need skips the test unless all these commands are there.
func need(t testing.TB, commands ...string) {
	t.Helper()
	missing := slices.DeleteFunc(slices.Clone(commands), func(c string) bool {
		_, err := exec.LookPath(c)
		return err == nil
	})
	if len(missing) > 0 {
		leaveOut(t, "needs "+strings.Join(missing, ", ")+": see e2e/deps.sh")
	}
}

// leaveOut skips the test, or fails it where nothing may be left out.
func leaveOut(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("SIGALERT_TEST_ALL") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// eventually waits until ok returns true, checking often.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	give := time.After(patience)
	for !ok() {
		select {
		case <-give:
			t.Fatalf("not within %v: %s", patience, what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
