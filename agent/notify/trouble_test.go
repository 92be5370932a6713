//go:build linux

package notify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/google/go-cmp/cmp"

	"sigalert/agent/notify"
)

var hello = notify.Notification{Title: "hello"}

// notifyBriefly gives the desktop less time than it takes, and expects that it
// keeps to that.
func notifyBriefly(t *testing.T, d *notify.Desktop) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := d.Notify(ctx, notify.Notification{Title: "hello", Body: strings.Repeat("<", 2000)})
		done <- err
	}()
	if err := receive(t, done, "Notify to keep to its deadline"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline's", err)
	}
}

func TestNoBus(t *testing.T) {
	record, lines := recorder(t)
	commands(t, map[string]string{"dbus-launch": record, "notify-send": record, "kdialog": record})
	empty := t.TempDir()
	for _, env := range []struct{ address, runtime string }{
		{"", ""},
		{"", empty},
		{"autolaunch:", empty},
		{"autolaunch:", ""},
	} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", env.address)
		t.Setenv("XDG_RUNTIME_DIR", env.runtime)
		_, err := open(t).Notify(within(t), hello)
		if !errors.Is(err, notify.ErrNoDesktop) || !strings.Contains(err.Error(), "DBUS_SESSION_BUS_ADDRESS") {
			t.Errorf("%+v: error %v, want ErrNoDesktop and the reason", env, err)
		}
	}
	if got := lines(); len(got) > 0 {
		t.Errorf("started processes: %q", got)
	}
}

func TestBadAddress(t *testing.T) {
	for _, address := range []string{
		"nonsense", "unix:", "unix:path=%zz", "unix:path=/nonexistent/bus", "launchd:env=X", "unix:path=/nonexistent/1;tcp:host=x",
	} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		if _, err := open(t).Notify(within(t), hello); !errors.Is(err, notify.ErrNoDesktop) {
			t.Errorf("%s: error %v, want ErrNoDesktop", address, err)
		}
	}
}

// Each form of address that names the one bus.
func TestAddresses(t *testing.T) {
	b := startBus(t)
	s := b.serve(t, &server{})
	t.Setenv("XDG_RUNTIME_DIR", filepath.Dir(b.path))
	for _, address := range []string{
		b.address,
		"",
		"unix:runtime=yes",
		"unix:path=/nonexistent/bus;unix:path=" + b.path,
		"unix:path=" + strings.ReplaceAll(b.path, "bus", "%62us") + ",guid=0",
	} {
		t.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
		send(t, open(t), s, hello)
	}
}

func TestBusMoves(t *testing.T) {
	keyed := notify.Notification{Title: "x", Key: "k"}
	first := startBus(t)
	s := first.serve(t, &server{})
	d := open(t)
	send(t, d, s, keyed)
	first.stop()
	if _, err := d.Notify(within(t), hello); !errors.Is(err, notify.ErrNoDesktop) {
		t.Errorf("error %v without a bus, want ErrNoDesktop", err)
	}
	s = startBus(t).serve(t, &server{})
	if got := send(t, d, s, keyed); got.Replaces != 0 {
		t.Errorf("replaces %d on a new bus", got.Replaces)
	}
}

// A bus that dies under a connection, with another in its place before the next call.
func TestBusReplaced(t *testing.T) {
	first := startBus(t)
	s := first.serve(t, &server{})
	d := open(t)
	send(t, d, s, hello)
	second := startBus(t)
	s = second.serve(t, &server{})
	first.stop()
	send(t, d, s, hello)
}

// A bus that dies in the middle of a call, with another at a new address.
func TestBusDies(t *testing.T) {
	first := startBus(t)
	first.serve(t, &server{answer: func(*server, shown) *dbus.Error {
		first.stop()
		return nil
	}})
	d := open(t)
	dying := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	s := startBus(t).serve(t, &server{})
	living := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", dying+";"+living)
	send(t, d, s, hello)
}

// A server that the bus starts when it is first asked for.
func TestServerStartedByBus(t *testing.T) {
	b := startBus(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	service := "[D-BUS Service]\nName=" + serverName + "\nExec=" + program + " " + serveArgument + "\n"
	if err := os.WriteFile(filepath.Join(b.services, serverName+".service"), []byte(service), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.connect(t).BusObject().Call("org.freedesktop.DBus.ReloadConfig", 0).Err; err != nil {
		t.Fatal(err)
	}
	d := open(t)
	for want := range uint32(2) {
		receipt, err := d.Notify(within(t), hello)
		if err != nil || receipt.Via != "testd 1.2 (nobody) over D-Bus" || receipt.ID != want+1 {
			t.Errorf("receipt %+v, error %v", receipt, err)
		}
	}
}

// A server that answers no question but takes notifications, and answers that in
// its own way.
func TestOddServer(t *testing.T) {
	conn := startBus(t).serve(t, &server{}).conn
	conn.Export(nil, serverPath, serverName)
	record, lines := recorder(t)
	commands(t, map[string]string{"notify-send": record})
	bodies := make(chan string, 10)
	conn.ExportMethodTable(map[string]any{
		"Notify": func(_ string, _ uint32, _, _, body string, _ []string, _ map[string]dbus.Variant, _ int32) (string, *dbus.Error) {
			bodies <- body
			return "thanks", nil
		},
	}, serverPath, serverName)
	receipt, err := open(t).Notify(within(t), notify.Notification{Body: "<", Key: "k"})
	if err != nil || receipt != (notify.Receipt{Via: "a notification server over D-Bus"}) {
		t.Errorf("receipt %+v, error %v", receipt, err)
	}
	if body := receive(t, bodies, "the notification"); body != "<" {
		t.Errorf("body %q", body)
	}
	if got := lines(); len(got)+len(bodies) > 0 {
		t.Errorf("shown more than once: %q", got)
	}
}

func TestServerComesLate(t *testing.T) {
	b := startBus(t)
	commands(t, nil)
	d := open(t)
	_, err := d.Notify(within(t), hello)
	if !errors.Is(err, notify.ErrNoDesktop) || !strings.Contains(err.Error(), "no notification server") {
		t.Errorf("error %v without a server, want ErrNoDesktop and the reason", err)
	}
	send(t, d, b.serve(t, &server{}), hello)
}

// A server that leaves in the middle of a call, with another waiting for its name.
func TestServerDies(t *testing.T) {
	b := startBus(t)
	b.serve(t, &server{answer: func(s *server, _ shown) *dbus.Error {
		s.conn.Close()
		return nil
	}})
	next := b.serve(t, &server{})
	send(t, open(t), next, hello)
}

func TestHungServer(t *testing.T) {
	b := startBus(t)
	record, lines := recorder(t)
	commands(t, map[string]string{"notify-send": record})
	release := make(chan struct{})
	defer close(release)
	hung := b.serve(t, &server{answer: func(*server, shown) *dbus.Error { <-release; return nil }})
	d := open(t)
	for range 3 {
		notifyBriefly(t, d)
	}
	hung.conn.Close()
	send(t, d, b.serve(t, &server{}), hello)
	if got := lines(); len(got) > 0 {
		t.Errorf("beeep was tried on a server that hangs: %q", got)
	}
}

// A bus that hangs stops taking what is written to it, once its buffers are full.
func TestHungBus(t *testing.T) {
	b := startBus(t)
	s := b.serve(t, &server{capabilities: []string{"body-markup"}})
	d := open(t)
	send(t, d, s, hello)
	if err := b.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for range 60 {
		notifyBriefly(t, d)
	}
	if err := b.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Notify(within(t), hello); err != nil {
		t.Errorf("notify after the bus went on: %v", err)
	}
}

func TestHungSocket(t *testing.T) {
	path := filepath.Join(shortDir(t), "bus")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+path)
	d := open(t)
	notifyBriefly(t, d)
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer accepted.Close()
	accepted.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.Copy(io.Discard, accepted); err != nil {
		t.Errorf("the connection was left open: %v", err)
	}
}

// One that waits for its turn ends by its own context.
func TestTurnEnds(t *testing.T) {
	entered, release := make(chan struct{}, 1), make(chan struct{})
	s := startBus(t).serve(t, &server{answer: func(*server, shown) *dbus.Error {
		entered <- struct{}{}
		<-release
		return nil
	}})
	d := open(t)
	done := make(chan error, 1)
	go func() {
		_, err := d.Notify(within(t), hello)
		done <- err
	}()
	receive(t, entered, "the call")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Notify(ctx, hello); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	close(release)
	if err := receive(t, done, "the first call"); err != nil {
		t.Error(err)
	}
	receive(t, s.shown, "the first notification")
}

func TestCloseEndsNotify(t *testing.T) {
	entered, release := make(chan struct{}, 1), make(chan struct{})
	defer close(release)
	startBus(t).serve(t, &server{answer: func(*server, shown) *dbus.Error {
		entered <- struct{}{}
		<-release
		return nil
	}})
	d := open(t)
	done := make(chan error, 1)
	go func() {
		_, err := d.Notify(within(t), hello)
		done <- err
	}()
	receive(t, entered, "the call")
	closed := make(chan error, 1)
	go func() { closed <- d.Close() }()
	if err := receive(t, closed, "Close"); err != nil {
		t.Error(err)
	}
	if err := receive(t, done, "Notify"); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that it is closed", err)
	}
	eventually(t, "the end of every goroutine of the package", func() bool {
		stacks := make([]byte, 1<<20)
		return !strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "agent/notify.(")
	})
}

func TestRefused(t *testing.T) {
	s := startBus(t).serve(t, &server{
		capabilities: []string{"body-markup"},
		answer: func(_ *server, n shown) *dbus.Error {
			if n.Title == "fine" {
				return nil
			}
			if n.Title == "long" {
				return dbus.NewError("org.example.Long", []any{strings.Repeat(" \x1b[31m!\n", 100_000)})
			}
			return dbus.NewError("org.example.TooMany", []any{"too many similar notifications"})
		},
	})
	d := open(t)
	t.Run("beeep refused as well", func(t *testing.T) {
		commands(t, nil)
		_, err := d.Notify(within(t), hello)
		if err == nil || errors.Is(err, notify.ErrNoDesktop) {
			t.Fatalf("error %v, want the server's", err)
		}
		for _, want := range []string{"testd 1.2", "too many similar notifications", "notify-send"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("error %q does not say %q", err, want)
			}
		}
	})
	t.Run("at length", func(t *testing.T) {
		commands(t, nil)
		_, err := d.Notify(within(t), notify.Notification{Title: "long"})
		if err == nil || len(err.Error()) > 2000 || strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("an error of %d bytes: %.500q", len(err.Error()), err)
		}
	})
	t.Run("beeep stands in", func(t *testing.T) {
		record, lines := recorder(t)
		commands(t, map[string]string{"notify-send": record})
		receipt, err := d.Notify(within(t), notify.Notification{Title: "--help", Body: `<C:\new>`})
		if err != nil || receipt != (notify.Receipt{Via: "beeep"}) {
			t.Fatalf("receipt %+v, error %v", receipt, err)
		}
		want := []string{"notify-send\n", " --help\n", "&lt;C:\\\u200bnew&gt;\n", "-a\n", "sigalert\n"}
		if diff := cmp.Diff(want, lines()[:len(want)]); diff != "" {
			t.Errorf("notify-send got (-want +got):\n%s", diff)
		}
	})
	t.Run("what beeep has shown is resolved by beeep, once", func(t *testing.T) {
		record, lines := recorder(t)
		commands(t, map[string]string{"notify-send": record})
		over := notify.Notification{Title: "disk is fine", Body: "87 %", Key: "disk", Resolved: true}
		for _, n := range []notify.Notification{over, {Title: "disk is full", Key: "disk"}, over, over} {
			if _, err := d.Notify(within(t), n); err != nil {
				t.Errorf("%+v: %v", n, err)
			}
		}
		const full, fine = "notify-send disk is full  -a sigalert", "notify-send disk is fine Resolved -a sigalert"
		got := strings.ReplaceAll(strings.Join(lines(), ""), "\n", " ")
		if strings.Count(got, full) != 1 || strings.Count(got, fine) != 1 || strings.Count(got, "notify-send") != 2 {
			t.Errorf("notify-send got %q", got)
		}
	})
	t.Run("the next one is fine", func(t *testing.T) {
		send(t, d, s, notify.Notification{Title: "fine"})
	})
}

// beeep would start a bus of its own where it does not find the one that we use.
func TestRefusedWithoutAddress(t *testing.T) {
	if _, err := os.Stat(fmt.Sprintf("/run/user/%d/bus", os.Getuid())); err == nil {
		t.Skip("this user has a session bus, which beeep finds")
	}
	b := startBus(t)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", filepath.Dir(b.path))
	record, lines := recorder(t)
	commands(t, map[string]string{"dbus-launch": record, "notify-send": record, "kdialog": record})
	if _, err := open(t).Notify(within(t), hello); !errors.Is(err, notify.ErrNoDesktop) {
		t.Errorf("error %v, want ErrNoDesktop", err)
	}
	if got := lines(); len(got) > 0 {
		t.Errorf("started processes: %q", got)
	}
}

func TestHungBeeep(t *testing.T) {
	startBus(t)
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	record, lines := recorder(t)
	commands(t, map[string]string{"notify-send": record + "read line <" + fifo + "\n"})
	d := open(t)
	ctx, cancel := context.WithCancel(within(t))
	done := make(chan error, 1)
	go func() {
		_, err := d.Notify(ctx, hello)
		done <- err
	}()
	eventually(t, "notify-send", func() bool { return len(lines()) > 0 })
	cancel()
	if err := receive(t, done, "Notify"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	for range 2 {
		_, err := d.Notify(within(t), hello)
		if err == nil || !strings.Contains(err.Error(), "an earlier call of beeep has not returned") {
			t.Errorf("error %v while beeep hangs, want that it does", err)
		}
	}
	if err := os.WriteFile(fifo, []byte("go on\n"), 0); err != nil {
		t.Fatal(err)
	}
	commands(t, map[string]string{"notify-send": ""})
	eventually(t, "beeep to return", func() bool {
		_, err := d.Notify(within(t), hello)
		return err == nil
	})
}
