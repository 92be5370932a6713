//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// finding is a line of the doctor's.
type finding struct{ Name, Status, Text, Advice string }

// examine runs the doctor, which must end with this code in less than 10 s, and change
// nothing.
func (d *desktop) examine(t testing.TB, bin string, code int, args ...string) map[string]finding {
	t.Helper()
	before, began := d.files(t), time.Now()
	text := d.ask(t, bin, code, append([]string{"doctor", "--json"}, args...)...)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the doctor takes %s", took)
	}
	if diff := cmp.Diff(before, d.files(t)); diff != "" {
		t.Errorf("the doctor changes files (-before +after):\n%s", diff)
	}
	var findings []finding
	if err := json.Unmarshal([]byte(text), &findings); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	found := make(map[string]finding)
	for _, f := range findings {
		found[f.Name] = f
	}
	return found
}

// files are the user's, without the memory of an agent, which it writes when it likes.
func (h *home) files(t testing.TB) (all []string) {
	t.Helper()
	check(t, filepath.WalkDir(h.dir, func(path string, _ os.DirEntry, err error) error {
		all = append(all, path)
		return err
	}))
	return slices.DeleteFunc(all, func(path string) bool { return strings.Contains(path, "cache") || strings.Contains(path, "agent.json") })
}

// are compares the names of the findings with this status.
func are(t testing.TB, found map[string]finding, status string, want ...string) {
	t.Helper()
	var got []string
	for name, f := range found {
		if f.Status == status {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is %s (-want +got):\n%s\n%+v", status, diff, found)
	}
}

// says requires that a finding's text, and its advice, have these.
func (f finding) says(t testing.TB, text, advice string) {
	t.Helper()
	if !strings.Contains(f.Text, text) || !strings.Contains(f.Advice, advice) {
		t.Errorf("want %q, advice %q: %+v", text, advice, f)
	}
}

// On a whole desktop everything is ok, and what keeps alerts from being seen is wrong.
func TestDoctor(t *testing.T) {
	bin := program(t)
	d := newDesktop(t)
	addr := free(t)
	d.ask(t, bin, 0, "autostart", "enable")
	a := d.startAgent(t, bin, fmt.Sprintf("router: {listen: %q}\nsubscriptions: [{sender: me}]\nhistory: {listen: \"127.0.0.1:0\"}\n", addr))
	a.await(t, subscribedLine)
	found := d.examine(t, bin, 0)
	are(t, found, "ok", "agent", "autostart", "bus", "clock", "config", "do-not-disturb", "history", "http", "notifications", "router", "server", "tray")
	found["server"].says(t, addr+" answers", "")
	found["router"].says(t, "the agent runs it at "+addr, "")
	found["agent"].says(t, "Connected to "+addr+", 1 subscription", "")
	found["notifications"].says(t, "dunst ", "")
	found["tray"].says(t, "panel", "")
	found["autostart"].says(t, "runs "+bin, "")
	if text := d.ask(t, bin, 0, "doctor"); !strings.HasSuffix(text, "\nNothing is wrong.") {
		t.Error(text)
	}

	_, err := d.tool("dunstctl", "set-paused", "true")
	check(t, err)
	d.ask(t, bin, 0, "pause", "1h")
	found = d.examine(t, bin, 1)
	are(t, found, "wrong", "agent", "do-not-disturb")
	found["agent"].says(t, "paused", "resume")
	found["do-not-disturb"].says(t, "dunst is paused", "dunstctl set-paused false")
	if n, ok := d.mon.within(100 * time.Millisecond); ok {
		t.Errorf("a notification was sent: %+v", n)
	}
}

// With no notification server and no panel, it says what to start.
func TestDoctorWithoutNotifications(t *testing.T) {
	bin := program(t)
	d := newBareDesktop(t)
	s := d.serve(t, bin)
	a := d.startAgent(t, bin, timer(s))
	a.await(t, subscribedLine)
	found := d.examine(t, bin, 1)
	are(t, found, "wrong", "notifications")
	are(t, found, "note", "autostart", "do-not-disturb", "tray")
	found["notifications"].says(t, "no notification server runs", "dunst")
	found["tray"].says(t, "no panel", "-tags gtk")

	// And with no agent, and nobody at the server's address.
	a.terminate(t)
	s.terminate(t)
	found = d.examine(t, bin, 1)
	are(t, found, "wrong", "agent", "notifications", "server")
	found["agent"].says(t, "none is running", "autostart enable")
	found["server"].says(t, "nothing listens at "+s.addr, "serve")
}

// Whatever hangs: the notification server, the agent, the router.
func TestDoctorOfWhatHangs(t *testing.T) {
	bin := program(t)
	d := newBareDesktop(t)
	d.hangNotifications(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	a := d.startAgent(t, bin, fmt.Sprintf("server: %s\nsubscriptions: [{sender: me}]\n", l.Addr()))
	a.await(t, "configuration in force")
	eventually(t, "the agent answers", func() bool { return start(t, d.env, bin, "status").wait(t) == 0 })
	check(t, a.cmd.Process.Signal(syscall.SIGSTOP))
	defer a.cmd.Process.Signal(syscall.SIGCONT)
	found := d.examine(t, bin, 1)
	are(t, found, "wrong", "agent", "notifications", "server")
	found["agent"].says(t, "does not answer", "start it again")
	found["notifications"].says(t, "no answer within 2s", "end it")
	found["server"].says(t, "it hangs, or is another program", "end it")
}

// What becomes of a test's notification is said.
func TestTestIsAnswered(t *testing.T) {
	bin := program(t)
	d := newBareDesktop(t)
	d.write(t, "config/dunst/dunstrc", dunstConfig+"[global]\n    dmenu = /bin/sed -n /Later/p\n")
	d.startNotifications(t)
	show := func(args ...string) *process {
		t.Helper()
		p := start(t, d.env, append([]string{bin, "test"}, args...)...)
		p.await(t, `^shown by dunst .* over D-Bus, as number \d+$`)
		return p
	}
	ends := func(p *process, says string) {
		t.Helper()
		if code := p.wait(t); code != 0 || !slices.Contains(p.stdout(), says) {
			t.Errorf("ends with %d, and not with %q:\n%s", code, says, p.text())
		}
	}
	for _, with := range []struct{ dunstctl, says string }{
		{"context", `the button "Later" was pressed`},
		{"close", "somebody closed it"},
	} {
		p := show("--action", "Open the door", "--action", "Later", "--title", "Door", "--body", "Somebody rings.", "--urgency", "critical")
		p.await(t, `^waiting for a click, for 1m at most$`)
		d.mon.next(t).is(t, "Door", "Somebody rings.")
		_, err := d.tool("dunstctl", with.dunstctl)
		check(t, err)
		ends(p, with.says)
	}
	p := show("--wait", "1m") // without buttons, the notification itself can be clicked
	_, err := d.tool("dunstctl", "action")
	check(t, err)
	ends(p, "it was clicked")
	ends(show("--wait", "100ms"), "nobody has clicked or closed it")
	p = show("--wait", "1h")
	check(t, p.cmd.Process.Signal(syscall.SIGINT))
	ends(p, "nobody has clicked or closed it yet")
	p = show()
	if code := p.wait(t); code != 0 || len(p.stdout()) != 1 {
		t.Errorf("ends with %d:\n%s", code, p.text())
	}
}
