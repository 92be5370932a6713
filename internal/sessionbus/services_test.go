//go:build linux

package sessionbus

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"
	"github.com/google/go-cmp/cmp"
)

const (
	serverPath = dbus.ObjectPath("/org/freedesktop/Notifications")
	dunstName  = "org.dunstproject.cmd0"
)

// fake is a notification server.
type fake struct{}

func (fake) GetServerInformation() (name, vendor, version, spec string, err *dbus.Error) {
	return "testd", "nobody", "1.2", "1.2", nil
}

func (fake) GetCapabilities() ([]string, *dbus.Error) { return []string{"actions", "body"}, nil }

func TestLook(t *testing.T) {
	startBus(t, "")
	expect := func(want Services) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		got, err := Look(ctx)
		for _, s := range []*Service{&got.Notifications.Service, &got.Tray.Service} {
			if s.Runs && strings.Contains(s.Process, "(process ") && s.Err == nil {
				s.Process = "ours"
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v, (-want +got):\n%s", err, diff)
		}
	}
	expect(Services{})

	conn := join(t)
	own(t, conn, notifications)
	if err := conn.Export(fake{}, serverPath, notifications); err != nil {
		t.Fatal(err)
	}
	ours := Service{Runs: true, Process: "ours"}
	want := Services{Notifications: Notifications{
		Service: ours, Name: "testd", Vendor: "nobody", Version: "1.2", Capabilities: []string{"actions", "body"},
	}}
	expect(want)

	properties := func(path dbus.ObjectPath, of, name string, value any) {
		t.Helper()
		if _, err := prop.Export(conn, path, prop.Map{of: {name: {Value: value}}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, on := range []bool{false, true} {
		properties(serverPath, dunstName, "paused", on)
		want.Notifications.Quiet = Quiet{Known: true, On: on, Dunst: true}
		expect(want)
		properties(serverPath, notifications, "Inhibited", on)
		want.Notifications.Quiet.Dunst = false
		expect(want)
	}
	properties(serverPath, notifications, "Inhibited", "perhaps")
	want.Notifications.Quiet = Quiet{}
	expect(want)

	own(t, conn, trayWatcher)
	want.Tray = Tray{Service: ours}
	for _, on := range []bool{false, true} {
		properties("/StatusNotifierWatcher", trayWatcher, "IsStatusNotifierHostRegistered", on)
		want.Tray.Host = on
		expect(want)
	}
}

// What the bus could start is not started.
func TestLookStartsNothing(t *testing.T) {
	dir := t.TempDir()
	started := filepath.Join(dir, "started")
	service := "[D-BUS Service]\nName=org.freedesktop.Notifications\nExec=/usr/bin/touch " + started + "\n"
	if err := os.WriteFile(filepath.Join(dir, "a.service"), []byte(service), 0o600); err != nil {
		t.Fatal(err)
	}
	startBus(t, "<servicedir>"+dir+"</servicedir>")
	s, err := Look(t.Context())
	if err != nil || s.Notifications.Runs || !s.Notifications.Starts || s.Tray.Starts {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := os.Stat(started); err == nil {
		t.Error("it is started")
	}
}

// A server that hangs takes no longer than its questions, and its process is known.
func TestLookAtHungServer(t *testing.T) {
	startBus(t, "")
	conn := join(t)
	own(t, conn, notifications)
	messages := make(chan *dbus.Message, 100) // what is eavesdropped is not answered
	conn.Eavesdrop(messages)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := Look(ctx)
	if n := s.Notifications; err != nil || !n.Runs || n.Err == nil || n.Err.Error() != "no answer within 2s" || n.Process == "" {
		t.Errorf("%+v, %v", s, err)
	}
}

// startBus makes a bus of its own the session bus.
func startBus(t *testing.T, more string) {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		if os.Getenv("SIGALERT_TEST_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("dbus-daemon is not installed")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "bus")
	config := `<busconfig><type>session</type><listen>unix:path=` + path + `</listen><auth>EXTERNAL</auth>` + more +
		`<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`
	if err := os.WriteFile(filepath.Join(dir, "bus.conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("dbus-daemon", "--nofork", "--nopidfile", "--config-file="+filepath.Join(dir, "bus.conf"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if conn, err := net.Dial("unix", path); err == nil { // the file is there before it listens
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("dbus-daemon does not start")
		}
	}
	t.Setenv(Variable, "unix:path="+path)
	t.Setenv("XDG_RUNTIME_DIR", "")
}

func join(t *testing.T) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(os.Getenv(Variable))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func own(t *testing.T, conn *dbus.Conn, name string) {
	t.Helper()
	if reply, err := conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(reply, err)
	}
}
