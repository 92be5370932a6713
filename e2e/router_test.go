//go:build linux

package e2e

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
)

// own is a configuration with a router of the agent's at an address.
func own(addr string) string {
	return fmt.Sprintf("router: {listen: %q}\nsubscriptions:\n  - {sender: timer, event: tick}\n", addr)
}

// free returns an address at which nobody listens.
func free(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	defer l.Close()
	return l.Addr().String()
}

// needDefaultPort skips the test where somebody uses the port of a first run.
func needDefaultPort(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:3000")
	if err != nil {
		leaveOut(t, "needs port 3000: "+err.Error())
	}
	l.Close()
}

// hello sends what the first notification suggests.
func (h *home) hello(t testing.TB, bin string) {
	t.Helper()
	if p := start(t, h.env, bin, "send", "me", "hello"); p.wait(t) != 0 {
		t.Fatalf("sigalert send me hello fails:\n%s", p.text())
	}
}

// shell runs a command line, which must succeed.
func (h *home) shell(t testing.TB, command string) {
	t.Helper()
	if p := start(t, h.env, "sh", "-c", command); p.wait(t) != 0 {
		t.Fatalf("%s fails:\n%s", command, p.text())
	}
}

// Nothing but the program: no configuration, no router. The curl lines of the first
// notification and of README.md do as they say. Whoever has a configuration is not
// told again.
func TestFirstRun(t *testing.T) {
	needDefaultPort(t)
	need(t, "curl")
	bin := program(t)
	readme, err := os.ReadFile("../README.md")
	check(t, err)
	_, line, _ := strings.Cut(string(readme), "\n    curl ")
	line, _, found := strings.Cut(line, "\n")
	if !found {
		t.Fatal("README.md has no line for curl")
	}
	d := newBareDesktop(t)
	opened := d.fakeEditor(t)
	d.startNotifications(t)
	d.startPanel(t)
	a := start(t, d.env, bin)
	const curl = "curl -d hello 127.0.0.1:3000/me/hello"
	d.mon.next(t).is(t, "sigalert is running", "Try: "+bin+" send me hello\nor: "+curl)
	tray := d.tray(t, a)
	tray.is(t, "Connected to 127.0.0.1:3000, 5 subscriptions")
	d.hello(t, bin)
	d.mon.next(t).is(t, "me: hello", "")
	d.shell(t, curl)
	d.mon.next(t).is(t, "me: hello", "hello")
	d.closeNotifications(t)

	d.shell(t, "curl "+line)
	n := d.mon.next(t)
	n.is(t, "Backup failed", "The disk is full.")
	if n.urgency != 2 {
		t.Errorf("it is not critical: %v", n)
	}
	d.clickWith(t, "2", d.window(t, "Dunst", 10))
	eventually(t, "the address is opened", func() bool {
		text, _ := os.ReadFile(opened)
		return string(text) == "https://example.org/log\n"
	})
	if code := a.terminate(t); code != 0 {
		t.Errorf("ends with %d", code)
	}

	a = start(t, d.env, bin)
	a.await(t, subscribedLine)
	d.hello(t, bin)
	d.mon.next(t).is(t, "me: hello", "")
}

// A first run at a login, before the desktop: the notification comes once there is
// one to show it.
func TestFirstRunBeforeTheDesktop(t *testing.T) {
	needDefaultPort(t)
	bin := program(t)
	d := newBus(t)
	need(t, "Xvfb", "dunst")
	number := d.announced(t, "Xvfb", "-displayfd", "3", "-screen", "0", "1024x600x24", "-nolisten", "tcp", "-noreset")
	a := start(t, d.env, bin)
	a.await(t, `msg="to see a first notification, send one" try=".* send me hello"`)
	d.env = append(d.env, "DISPLAY=:"+number)
	d.write(t, "config/dunst/dunstrc", dunstConfig)
	d.startNotifications(t)
	d.mon.next(t).says(t, "sigalert is running")
	d.hello(t, bin)
	d.mon.next(t).is(t, "me: hello", "")
}

// A router that somebody started before has the address. When it is killed, the agent
// takes over without a word on the desktop, and a listener resumes.
func TestAgentTakesOverTheRouter(t *testing.T) {
	eachBackend(t, func(t *testing.T, bin string) {
		d := newDesktop(t)
		s := d.serve(t, bin)
		a := d.startAgent(t, bin, own(s.addr))
		tray := d.tray(t, a.process)
		tray.is(t, s.connected(1))
		a.await(t, `another program listens at the router's address`)
		d.alerts(t, s, "timer", "tick")
		listener := start(t, d.env, bin, "listen", "--server", s.addr)
		listener.await(t, "msg=connected")

		s.kill()
		a.await(t, `running the router`)
		a.await(t, subscribedLine)
		listener.await(t, "msg=connected")
		tray.is(t, s.connected(1))
		d.alerts(t, s, "timer", "tick")
		listener.await(t, `^timer: tick an event|^timer: tick "an event"`)

		// Its end is for its clients what that of "sigalert serve" is.
		if code := a.terminate(t); code != 0 {
			t.Errorf("ends with %d", code)
		}
		listener.await(t, "no connection, trying again")
		d.serveAt(t, bin, s.addr)
		listener.await(t, "msg=connected")
	})
}

func TestRouterWhoseAddressIsForeign(t *testing.T) {
	d := newDesktop(t)
	bin := program(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	addr := l.Addr().String()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(conn, "SSH-2.0-OpenSSH_9.2p1\r\n")
			conn.Close()
		}
	}()
	a := d.startAgent(t, bin, own(addr))
	tray := d.tray(t, a.process)
	tray.is(t, addr+" is taken by a program that ") // the line is long, and goes on below
	l.Close()
	s := &server{bin: bin, home: d.home, addr: addr}
	tray.is(t, s.connected(1))
	d.alerts(t, s, "timer", "tick")
}

// The file switches between a router and a server while the agent runs.
func TestSavedConfigSwitchesTheRouter(t *testing.T) {
	d := newDesktop(t)
	elsewhere := d.serve(t, program(t))
	here := &server{bin: elsewhere.bin, home: d.home, addr: free(t)}
	a := d.startAgent(t, here.bin, own(here.addr))
	tray := d.tray(t, a.process)
	for range 2 {
		tray.is(t, here.connected(1))
		d.alerts(t, here, "timer", "tick")
		saveByRename(t, d, a.config, timer(elsewhere))
		tray.is(t, elsewhere.connected(1))
		d.alerts(t, elsewhere, "timer", "tick")
		saveByRename(t, d, a.config, own(here.addr))
	}
	tray.is(t, here.connected(1))
}
