//go:build linux

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// backend is a way to build the program with a tray.
type backend struct {
	name string
	cgo  string
	tags string
}

var backends = []backend{
	{name: "fyne", cgo: "0"},
	{name: "gtk", cgo: "1", tags: "gtk"},
}

var builds [2]struct {
	once sync.Once
	err  error
}

// build returns the program built with backends[i], built once in a test run.
func build(t testing.TB, i int) string {
	t.Helper()
	b := backends[i]
	if b.cgo == "1" {
		need(t, "gcc", "pkg-config")
		if err := exec.Command("pkg-config", "--exists", "ayatana-appindicator3-0.1").Run(); err != nil {
			leaveOut(t, "needs the headers of libayatana-appindicator3: see e2e/deps.sh")
		}
	}
	bin := filepath.Join(binaries, b.name, "sigalert")
	builds[i].once.Do(func() {
		c := exec.Command("go", "build", "-buildvcs=false", "-tags", b.tags, "-o", bin, "sigalert")
		c.Env = append(os.Environ(), "CGO_ENABLED="+b.cgo)
		if out, err := c.CombinedOutput(); err != nil {
			builds[i].err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if builds[i].err != nil {
		t.Fatal(builds[i].err)
	}
	return bin
}

// program returns the program as a plain go build makes it.
func program(t testing.TB) string {
	t.Helper()
	return build(t, 0)
}

// eachBackend runs a test once for each tray, at the same time.
func eachBackend(t *testing.T, test func(t *testing.T, bin string)) {
	for i, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			test(t, build(t, i))
		})
	}
}

// server is a running "sigalert serve".
type server struct {
	*process
	bin  string
	home *home
	addr string

	secured bool // it runs with the flags of that name
	known   *way // to it; nil: nobody has asked
}

// serve starts a server on a free port.
func (h *home) serve(t testing.TB, bin string) *server {
	t.Helper()
	return h.serveAt(t, bin, "127.0.0.1:0")
}

func (h *home) serveAt(t testing.TB, bin, addr string, more ...string) *server {
	t.Helper()
	s := &server{bin: bin, home: h, secured: slices.Contains(more, "--tls")}
	s.process = start(t, h.env, append([]string{bin, "serve", "--listen", addr}, more...)...)
	_, m := s.await(t, `listening on (127\.0\.0\.1:\d+)`)
	s.addr = m[1]
	return s
}

// send sends one event, as a user's script would.
func (s *server) send(t testing.TB, sender, event, data string) {
	t.Helper()
	p := start(t, s.home.env, s.bin, "send", "--server", "tcp://"+s.addr, sender, event, data)
	if code := p.wait(t); code != 0 {
		t.Fatalf("sigalert send ends with %d:\n%s", code, p.text())
	}
}

// agent is the running program, with its configuration.
type agent struct {
	*process
	config string
}

// startAgent starts the agent with this configuration.
func (h *home) startAgent(t testing.TB, bin, config string) *agent {
	t.Helper()
	path := h.write(t, "config/sigalert/config.yaml", config)
	return &agent{start(t, h.env, bin, "--config", path, "--log-level", "debug"), path}
}

// timer is the configuration that most tests use.
func timer(s *server) string {
	return fmt.Sprintf("server: tcp://%s\nsubscriptions:\n  - {sender: timer, event: tick}\n", s.addr)
}

// connected is how the menu begins once the agent has that many subscriptions.
func (s *server) connected(subscriptions int) string {
	return fmt.Sprintf("Connected to %s, %d subscription", s.addr, subscriptions)
}

// alerts proves that the agent shows the events of a sender, and nothing else before.
func (d *desktop) alerts(t testing.TB, s *server, sender, event string) {
	t.Helper()
	s.send(t, sender, event, "an event")
	d.mon.next(t).is(t, sender+": "+event, "an event")
}

// logsAlerts proves that an agent without a desktop writes the events of the timer into its log.
func (a *agent) logsAlerts(t testing.TB, s *server) {
	t.Helper()
	s.send(t, "timer", "tick", "an event")
	a.await(t, `level=info .*timer: tick \| an event`)
}

// watching is where most tests begin: a desktop, a server, and an agent that has
// subscribed to the timer and shows so in its tray.
func watching(t testing.TB, bin string) (*desktop, *server, *agent, *trayMenu) {
	t.Helper()
	d := newDesktop(t)
	s := d.serve(t, bin)
	a := d.startAgent(t, bin, timer(s))
	tray := d.tray(t, a.process)
	tray.is(t, s.connected(1))
	return d, s, a, tray
}
