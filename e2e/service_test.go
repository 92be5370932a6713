//go:build linux

package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"sigalert/internal/wait"
	"sigalert/sig"
)

// systemd is what a service hears from systemd, and says to it.
type systemd struct {
	*home
	bin    string
	socket *net.TCPListener
	said   *net.UnixConn
}

func newSystemd(t *testing.T) *systemd {
	m := &systemd{home: newHome(t), bin: program(t)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	m.socket = l.(*net.TCPListener)
	t.Cleanup(func() { l.Close() })
	m.said, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(m.dir, "notify"), Net: "unixgram"})
	check(t, err)
	t.Cleanup(func() { m.said.Close() })
	return m
}

// start starts the router as a service, without a home.
func (m *systemd) start(t *testing.T, more ...string) *process {
	file, err := m.socket.File()
	check(t, err)
	defer file.Close()
	env := []string{"NOTIFY_SOCKET=" + filepath.Join(m.dir, "notify"), "WATCHDOG_USEC=300000", "LISTEN_FDS=1", "STATE_DIRECTORY=" + filepath.Join(m.dir, "service") + ":/none"}
	return startWith(t, env, file, append([]string{"/bin/sh", "-c", `LISTEN_PID=$$ exec "$@"`, "sh", m.bin, "serve"}, more...)...)
}

// hears waits until the service says something.
func (m *systemd) hears(t *testing.T, want string) {
	t.Helper()
	var all []string
	for give := time.Now().Add(patience); ; {
		b := make([]byte, 1000)
		check(t, m.said.SetReadDeadline(give))
		n, err := m.said.Read(b)
		if err != nil {
			t.Fatalf("%v: it has not said %q, but %q", err, want, all)
		}
		if string(b[:n]) == want {
			return
		}
		all = append(all, string(b[:n]))
	}
}

// The router serves at systemd's socket, keeps what it has in systemd's folder, and says
// how it is doing. While it is not there, clients wait at the socket.
func TestRouterAsService(t *testing.T) {
	m := newSystemd(t)
	addr := m.socket.Addr().String()
	ready := "READY=1\nSTATUS=listening on " + addr
	first := m.start(t)
	m.hears(t, ready)
	m.hears(t, "WATCHDOG=1")
	first.kill()

	answered := make(chan error, 1)
	go func() {
		resp, err := http.Post("http://"+addr+"/me/hello", "text/plain", strings.NewReader("hello"))
		if err == nil {
			resp.Body.Close()
		}
		answered <- err
	}()
	time.Sleep(200 * time.Millisecond)
	second := m.start(t)
	m.hears(t, ready)
	check(t, <-answered)
	m.hears(t, "WATCHDOG=1")
	check(t, second.cmd.Process.Signal(syscall.SIGHUP))
	m.hears(t, ready)
	stores, _ := filepath.Glob(filepath.Join(m.dir, "service/router/*/*.events"))
	if len(stores) == 0 {
		t.Error("there is no store in systemd's folder")
	}
	check(t, second.cmd.Process.Signal(syscall.SIGTERM))
	m.hears(t, "STOPPING=1\nSTATUS=ending: clients get what waits for them")
	if code := second.wait(t); code != 0 {
		t.Errorf("ends with %d", code)
	}
}

// A router that does not answer is not said to be alive.
func TestWatchdogOfHangingRouter(t *testing.T) {
	m := newSystemd(t)
	p := m.start(t)
	m.hears(t, "WATCHDOG=1")
	check(t, p.cmd.Process.Signal(syscall.SIGSTOP))
	check(t, m.said.SetReadDeadline(time.Now().Add(time.Second)))
	for {
		if _, err := m.said.Read(make([]byte, 1000)); err != nil {
			break
		}
	}
	check(t, p.cmd.Process.Signal(syscall.SIGCONT))
	m.hears(t, "WATCHDOG=1")
}

// All the system calls that the router makes are among those that its unit allows it.
func TestUnitAllowsSystemCalls(t *testing.T) {
	need(t, "strace", "systemd-analyze")
	h := newHome(t)
	calls := filepath.Join(h.dir, "calls")
	s := &server{bin: program(t), home: h, addr: free(t), secured: true}
	s.process = start(t, append(h.env, "NOTIFY_SOCKET="+filepath.Join(h.dir, "nobody"), "WATCHDOG_USEC=300000"),
		append([]string{"strace", "-f", "-qq", "-e", "signal=none", "-o", calls, s.bin, "serve", "--listen", s.addr, "--store", filepath.Join(h.dir, "store"), "--sync", "each"}, secured...)...)
	s.await(t, "listening on")
	way := s.way(t)
	heard := make(chan sig.Event, 100)
	client := way.client(sig.ClientOptions{})
	t.Cleanup(wait.Start(t.Context(), client.Run))
	l := client.AddRemoteListener("n", "e", func(ev sig.Event) { heard <- ev })
	eventually(t, "a listener is registered", func() bool {
		status, _ := client.Status(l)
		return status == sig.Active
	})
	for range 10 {
		_, err := client.Publish(t.Context(), sig.Publication{Sender: "n", Event: "e", Data: strings.Repeat("x", 100_000)})
		check(t, err)
		<-heard
	}
	page, err := http.Get("http://" + s.addr + "/")
	check(t, err)
	page.Body.Close()
	s.await(t, "cannot speak to systemd") // but it has tried
	if strings.Contains(s.text(), "not admitted") {
		t.Error("it does not admit itself")
	}
	router, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", s.pid(), s.pid()))
	check(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(router)))
	check(t, err)
	check(t, syscall.Kill(pid, syscall.SIGTERM))
	if code := s.wait(t); code != 0 {
		t.Errorf("ends with %d", code)
	}

	text, err := os.ReadFile(calls)
	check(t, err)
	allowed, made := systemCalls(t, "../packaging/linux/sigalert-router.service"), make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^\d+ +(\w+)\(`).FindAllStringSubmatch(string(text), -1) {
		made[m[1]] = true
	}
	if len(made) < 30 || !made["accept4"] || !made["fdatasync"] {
		t.Fatalf("it has hardly been traced: %v", made)
	}
	for call := range made {
		if !allowed[call] {
			t.Errorf("the unit denies the router %s", call)
		}
	}
	if allowed["mount"] || allowed["setpriority"] || allowed["ptrace"] {
		t.Error("the unit allows what it should not")
	}
}

// systemCalls are those that a unit's filter allows.
func systemCalls(t *testing.T, unit string) map[string]bool {
	out, err := exec.Command("systemd-analyze", "syscall-filter", "--no-pager").Output()
	check(t, err)
	groups, group := make(map[string][]string), ""
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "@"):
			group = line
		case strings.HasPrefix(line, "    ") && !strings.HasPrefix(line, "    #"):
			groups[group] = append(groups[group], strings.TrimSpace(line))
		}
	}
	allowed := make(map[string]bool)
	var set func(name string, to bool)
	set = func(name string, to bool) {
		for _, n := range groups[name] {
			set(n, to)
		}
		allowed[name] = to
	}
	set("@default", true)
	text, err := os.ReadFile(unit)
	check(t, err)
	for line := range strings.Lines(string(text)) {
		if list, ok := strings.CutPrefix(strings.TrimSpace(line), "SystemCallFilter="); ok {
			names, denied := strings.CutPrefix(list, "~")
			for _, name := range strings.Fields(names) {
				set(name, !denied)
			}
		}
	}
	return allowed
}
