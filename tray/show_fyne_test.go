//go:build linux && !gtk && !race

// Not under the race detector: fyne.io/systray counts the versions of its menu under
// one lock, and reads the count under another.

package tray

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	patience = 20 * time.Second
	watcher  = "org.kde.StatusNotifierWatcher"
)

var ran atomic.Bool // by an earlier round of -count

// TestRunThroughTheBus takes the one Run of this process through a session that
// has no bus at first, whose bus then dies, and comes back.
func TestRunThroughTheBus(t *testing.T) {
	need(t, "dbus-daemon")
	if ran.Swap(true) {
		t.Skip("a process can run the tray once")
	}
	dir := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	socket := filepath.Join(dir, "bus")

	var said lockedBuffer
	agent := newFakeAgent(State{Look: Connecting, Line: "Connecting", Waiting: true})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, agent, slog.New(slog.NewTextHandler(&said, nil))) }()
	defer cancel()
	await(t, "the log to say that there is no bus", func() bool { return strings.Contains(said.String(), "no session bus") })

	kill := startBus(t, socket)
	host := startHost(t, socket)
	id := host.registered(t)
	host.click(t, id, "Reconnect now")
	await(t, "the click", func() bool { return len(agent.took()) == 1 })
	host.clicksOnIcon(t, id, agent)
	host.usesSubmenus(t, id, agent)

	kill()
	<-host.conn.Context().Done()
	agent.set(State{Look: Trouble, Line: "No bus"}) // the icon's change panics in the library
	time.Sleep(2 * settle)

	kill = startBus(t, socket)
	defer kill()
	host = startHost(t, socket)
	id = host.registered(t)
	if layout := host.layout(t, id); !strings.Contains(layout, "No bus") {
		t.Errorf("the change is not in the menu: %s", layout)
	}
	host.clicksOnIcon(t, id, agent)
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	await(t, "the icon to leave the bus", func() bool { return !host.owned(id) })
	for _, message := range []string{"no session bus", "no tray host"} {
		if n := strings.Count(said.String(), message); n > 1 {
			t.Errorf("%q is said %d times:\n%s", message, n, &said)
		}
	}
}

// need skips the test where a program is missing.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("SIGALERT_TEST_ALL") == "1" {
		t.Fatalf("%s is not installed", program)
	}
	t.Skipf("%s is not installed", program)
}

func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("timeout waiting for %s", what)
		}
	}
}

// startBus starts a session bus, and returns what ends it as a crash would.
func startBus(t *testing.T, socket string) (kill func()) {
	t.Helper()
	os.Remove(socket)
	cmd := exec.Command("dbus-daemon", "--session", "--nofork", "--nopidfile", "--address=unix:path="+socket)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	kill = func() { once.Do(func() { cmd.Process.Kill(); cmd.Wait() }) }
	t.Cleanup(kill)
	await(t, "the bus", func() bool {
		conn, err := dbus.Connect("unix:path=" + socket)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return kill
}

// A testHost is a tray host that shows nothing.
type testHost struct {
	conn *dbus.Conn
	ids  chan string // of the connections that registered an icon
}

func startHost(t *testing.T, socket string) *testHost {
	t.Helper()
	conn, err := dbus.Connect("unix:path=" + socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	h := &testHost{conn: conn, ids: make(chan string, 8)}
	if err := conn.Export(h, "/StatusNotifierWatcher", watcher); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.RequestName(watcher, 0); err != nil {
		t.Fatal(err)
	}
	return h
}

// RegisterStatusNotifierItem is the call that an icon makes.
func (h *testHost) RegisterStatusNotifierItem(from dbus.Sender, _ string) *dbus.Error {
	h.ids <- string(from)
	return nil
}

func (h *testHost) registered(t *testing.T) string {
	t.Helper()
	select {
	case id := <-h.ids:
		return id
	case <-time.After(patience):
		t.Fatal("timeout waiting for the icon")
		return ""
	}
}

func (h *testHost) menu(id string) dbus.BusObject {
	return h.conn.Object(id, "/StatusNotifierItem/menu")
}

// items reads the menu, each submenu after its item.
func (h *testHost) items(t *testing.T, id string) [][]any {
	t.Helper()
	var revision uint32
	var root struct {
		ID    int32
		Props map[string]dbus.Variant
		Items []dbus.Variant
	}
	err := h.menu(id).Call("com.canonical.dbusmenu.GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root)
	if err != nil {
		t.Fatal(err)
	}
	return flat(root.Items)
}

func flat(all []dbus.Variant) (items [][]any) {
	for _, it := range all {
		fields := it.Value().([]any)
		items = append(append(items, fields), flat(fields[2].([]dbus.Variant))...)
	}
	return items
}

func label(it []any) string {
	s, _ := it[1].(map[string]dbus.Variant)["label"].Value().(string)
	return s
}

func (h *testHost) layout(t *testing.T, id string) string {
	t.Helper()
	var all []string
	for _, it := range h.items(t, id) {
		all = append(all, label(it))
	}
	return strings.Join(all, "\n")
}

func (h *testHost) click(t *testing.T, id, what string) {
	t.Helper()
	h.event(t, id, h.item(t, id, what), "clicked")
}

func (h *testHost) event(t *testing.T, id string, item any, name string) {
	t.Helper()
	err := h.menu(id).Call("com.canonical.dbusmenu.Event", 0, item, name, dbus.MakeVariant(int32(0)), uint32(0)).Err
	if err != nil {
		t.Fatal(err)
	}
}

// item waits for the item: the library leaves submenus out of its first answer.
func (h *testHost) item(t *testing.T, id, what string) (number any) {
	t.Helper()
	await(t, "the menu item "+what, func() bool {
		for _, it := range h.items(t, id) {
			if label(it) == what {
				number = it[0]
			}
		}
		return number != nil
	})
	return number
}

// usesSubmenus clicks an item of each submenu, and opens the menu.
func (h *testHost) usesSubmenus(t *testing.T, id string, agent *fakeAgent) {
	t.Helper()
	before := len(agent.took())
	agent.list(2, listTests[1].lists)
	for i, test := range []struct{ label, want string }{
		{"1 hour", "PauseFor(1h0m0s)"},
		{"every event of disk (not offered)", "Mute(5, false)"},
	} {
		h.click(t, id, test.label)
		await(t, test.want, func() bool { return len(agent.took()) == before+i+1 })
		if got := agent.took()[before+i]; got != test.want {
			t.Errorf("%s calls %q, want %q", test.label, got, test.want)
		}
	}
	h.event(t, id, int32(0), "opened")
	await(t, "the alerts to be read", func() bool { return slices.Contains(agent.took(), "MarkRead") })
	agent.list(0, listTests[1].lists)
	h.item(t, id, "Recent alerts")
}

// clicksOnIcon clicks the icon itself, as panels do that leave it to the program.
func (h *testHost) clicksOnIcon(t *testing.T, id string, agent *fakeAgent) {
	t.Helper()
	const item = "org.kde.StatusNotifierItem"
	icon := h.conn.Object(id, "/StatusNotifierItem")
	for _, test := range []struct{ method, want string }{
		{"Activate", "OpenHistory"},
		{"SecondaryActivate", "SetPaused(true)"},
		{"ContextMenu", "OpenHistory"},
	} {
		before := len(agent.took())
		// The icon is registered a moment before it answers.
		await(t, test.method+" to be answered", func() bool { return icon.Call(item+"."+test.method, 0, int32(1), int32(2)).Err == nil })
		await(t, test.method, func() bool { return len(agent.took()) > before })
		if calls := agent.took(); calls[before] != test.want {
			t.Errorf("%s calls %q, want %q", test.method, calls[before:], test.want)
		}
	}
	// A left click opens the menu where the panel can show it.
	if isMenu, err := icon.GetProperty(item + ".ItemIsMenu"); err != nil || isMenu.Value() != true {
		t.Errorf("ItemIsMenu %v, %v", isMenu, err)
	}
}

func (h *testHost) owned(id string) bool {
	var owned bool
	err := h.conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, id).Store(&owned)
	return err == nil && owned
}

// A lockedBuffer is written by one goroutine and read by another.
type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
