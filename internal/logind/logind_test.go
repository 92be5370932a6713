//go:build linux

package logind

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"sigalert/internal/wait"
)

// It is the end of a suspend that counts.
func TestWatch(t *testing.T) {
	startBus(t)
	conn, err := dbus.ConnectSystemBus()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if reply, err := conn.RequestName("org.freedesktop.login1", 0); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
	woke := make(chan struct{}, 100)
	stop := wait.Start(t.Context(), func(ctx context.Context) { Watch(ctx, func() { woke <- struct{}{} }) })
	emit := func(name string, values ...any) {
		t.Helper()
		if err := conn.Emit(path, manager+"."+name, values...); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(20 * time.Second); len(woke) == 0; time.Sleep(10 * time.Millisecond) {
		if emit(member, false); time.Now().After(deadline) {
			t.Fatal("it does not listen")
		}
	}
	time.Sleep(100 * time.Millisecond)
	for len(woke) > 0 {
		<-woke
	}
	emit(member, true)
	emit("SessionNew", "1")
	emit(member)
	emit(member, "false")
	emit(member, false)
	select {
	case <-woke:
	case <-time.After(20 * time.Second):
		t.Fatal("it did not notice")
	}
	stop()
	if n := len(woke); n != 0 {
		t.Errorf("%d times too often", n)
	}
}

// Without a bus it does nothing, and ends.
func TestWatchWithoutBus(t *testing.T) {
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "none"))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	Watch(ctx, func() { t.Error("woke") })
}

// startBus makes a bus of its own the system bus.
func startBus(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		if os.Getenv("SIGALERT_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("dbus-daemon is not installed")
	}
	dir := t.TempDir()
	socket, config := filepath.Join(dir, "bus"), filepath.Join(dir, "bus.conf")
	text := `<busconfig><type>session</type><listen>unix:path=` + socket + `</listen><auth>EXTERNAL</auth>` +
		`<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dbus-daemon", "--nofork", "--nopidfile", "--config-file="+config)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if conn, err := net.Dial("unix", socket); err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("dbus-daemon does not start")
		}
	}
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path="+socket)
}
