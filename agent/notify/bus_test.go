//go:build linux

package notify_test

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"sigalert/agent/notify"
)

// TestMain makes this program a notification server where a test's bus starts it as one.
func TestMain(m *testing.M) {
	if !slices.Contains(os.Args, serveArgument) {
		os.Exit(m.Run())
	}
	conn, err := dbus.Connect(os.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err == nil {
		s := &server{conn: conn, shown: make(chan shown, 1000)}
		err = errors.Join(s.conn.Export(s, serverPath, serverName), s.takeName())
	}
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
	<-conn.Context().Done()
}

const serveArgument = "serve-notifications"

// patience bounds what has to happen; no test passes because it is over.
const patience = 20 * time.Second

const (
	serverName = "org.freedesktop.Notifications"
	serverPath = dbus.ObjectPath("/org/freedesktop/Notifications")
)

// need skips where a program is not installed, or fails if SIGALERT_TEST_ALL is 1.
func need(t testing.TB, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("SIGALERT_TEST_ALL") == "1" {
				t.Fatalf("%s is not installed, and SIGALERT_TEST_ALL is 1", program)
			}
			t.Skipf("%s is not installed", program)
		}
	}
}

// within returns a context that ends when the test has waited long enough.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func receive[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// eventually polls what announces itself by no event.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for: %s", what)
		}
	}
}

// process is a program that a test started and will end.
type process struct {
	*exec.Cmd
	stop func()
}

// start runs a program with the write end of a pipe as descriptor 3, and returns
// it with the first line that it wrote there.
func start(t testing.TB, name string, args ...string) (*process, string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(name, args...)
	cmd.ExtraFiles = []*os.File{w}
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: cmd}
	p.stop = sync.OnceFunc(func() {
		cmd.Process.Signal(syscall.SIGCONT)
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	t.Cleanup(p.stop)
	r.SetReadDeadline(time.Now().Add(patience))
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("%s did not start: %v", name, err)
	}
	return p, strings.TrimSpace(line)
}

// bus is a private session bus.
type bus struct {
	*process
	address  string
	path     string // of its socket
	services string // the folder that says which services it can start; empty
}

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=SOCKET</listen>
  <servicedir>SERVICES</servicedir>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// startBus also points the environment at the new bus.
func startBus(t testing.TB) *bus {
	t.Helper()
	need(t, "dbus-daemon")
	dir := shortDir(t)
	b := &bus{path: filepath.Join(dir, "bus"), services: filepath.Join(dir, "services")}
	config := filepath.Join(dir, "bus.conf")
	text := strings.NewReplacer("SOCKET", b.path, "SERVICES", b.services).Replace(busConfig)
	if err := errors.Join(os.Mkdir(b.services, 0o700), os.WriteFile(config, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	b.process, b.address = start(t, "dbus-daemon", "--config-file="+config, "--nofork", "--nopidfile", "--print-address=3")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", b.address)
	return b
}

// shortDir is a t.TempDir whose name leaves room for a socket's.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (b *bus) connect(t testing.TB) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(b.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// shown is one call of Notify as the server got it.
type shown struct {
	Sender                     dbus.Sender
	AppName, Icon, Title, Body string
	Replaces, ID               uint32
	Actions                    []string
	Hints                      map[string]dbus.Variant
	Timeout                    int32
}

// key is the hint by which servers replace.
func (s shown) key() string {
	key, _ := s.Hints["x-canonical-private-synchronous"].Value().(string)
	return key
}

// server is a notification server on a test's bus.
type server struct {
	conn         *dbus.Conn
	name         string // default "testd"
	capabilities []string
	shown        chan shown
	toClose      chan uint32 // nil: refused
	address      string      // of the bus
	lastID       atomic.Uint32
	answer       func(*server, shown) *dbus.Error // may wait; nil agrees
}

func (b *bus) serve(t testing.TB, s *server) *server {
	t.Helper()
	s.conn, s.address = b.connect(t), b.address
	s.shown = make(chan shown, 1000)
	s.lastID.Store(100)
	if err := s.conn.Export(s, serverPath, serverName); err != nil {
		t.Fatal(err)
	}
	if err := s.takeName(); err != nil {
		t.Fatal(err)
	}
	return s
}

// takeName takes the server's name, or queues for it.
func (s *server) takeName() error {
	_, err := s.conn.RequestName(serverName, 0)
	return err
}

func (s *server) GetServerInformation() (name, vendor, version, spec string, err *dbus.Error) {
	return cmp.Or(s.name, "testd"), "nobody", "1.2", "1.2", nil
}

func (s *server) GetCapabilities() ([]string, *dbus.Error) { return s.capabilities, nil }

func (s *server) Notify(sender dbus.Sender, app string, replaces uint32, icon, title, body string, actions []string,
	hints map[string]dbus.Variant, timeout int32,
) (uint32, *dbus.Error) {
	id := replaces
	if id == 0 {
		id = s.lastID.Add(1)
	}
	n := shown{sender, app, icon, title, body, replaces, id, actions, hints, timeout}
	if s.answer != nil {
		if err := s.answer(s, n); err != nil {
			return 0, err
		}
	}
	s.shown <- n
	return id, nil
}

func (s *server) CloseNotification(id uint32) *dbus.Error {
	if s.toClose == nil {
		return dbus.NewError("org.freedesktop.Notifications.Error", nil) // what the specification has for one that is closed
	}
	s.toClose <- id
	return nil
}

func (s *server) close(t testing.TB, id uint32) {
	t.Helper()
	if err := s.conn.Emit(serverPath, serverName+".NotificationClosed", id, uint32(2)); err != nil {
		t.Error(err)
	}
}

func (s *server) click(t testing.TB, id uint32, action string) {
	t.Helper()
	if err := s.conn.Emit(serverPath, serverName+".ActionInvoked", id, action); err != nil {
		t.Error(err)
	}
}

func open(t testing.TB) *notify.Desktop { return openWith(t, nil) }

func openWith(t testing.TB, opts *notify.Options) *notify.Desktop {
	t.Helper()
	d := notify.New(opts)
	t.Cleanup(func() { d.Close() })
	return d
}

// send notifies and returns what the server got.
func send(t testing.TB, d *notify.Desktop, s *server, n notify.Notification) shown {
	t.Helper()
	receipt, err := d.Notify(within(t), n)
	if err != nil {
		t.Fatalf("notify: %v", err)
	}
	got := receive(t, s.shown, "the notification")
	if receipt.ID != got.ID || receipt.Via != "testd 1.2 (nobody) over D-Bus" {
		t.Errorf("receipt %+v for id %d", receipt, got.ID)
	}
	return got
}

// commands makes PATH hold only the named shell scripts.
func commands(t testing.TB, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, script := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

// recorder is a script that appends its name and arguments to a file, one a line.
func recorder(t testing.TB) (script string, lines func() []string) {
	file := filepath.Join(t.TempDir(), "called")
	return `printf '%s\n' "${0##*/}" "$@" >>` + file + "\n", func() []string {
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return slices.Collect(strings.Lines(string(text)))
	}
}
