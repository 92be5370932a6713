//go:build linux

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ask runs a command that speaks to the agent, and returns what it prints.
func (h *home) ask(t testing.TB, bin string, code int, args ...string) string {
	t.Helper()
	p := start(t, h.env, append([]string{bin}, args...)...)
	if got := p.wait(t); got != code {
		t.Errorf("sigalert %s ends with %d, want %d:\n%s", strings.Join(args, " "), got, code, p.text())
	}
	return strings.Join(p.stdout(), "\n")
}

// Everything that a script can ask of an agent without a desktop.
func TestControl(t *testing.T) {
	h := newHome(t)
	bin := program(t)
	h.ask(t, bin, 1, "status")
	s := h.serve(t, bin)
	config := fmt.Sprintf(`server: tcp://%s
history: {listen: "127.0.0.1:0"}
subscriptions:
  - {sender: timer, event: tick, when: data != 1}
`, s.addr)
	a := h.startAgent(t, bin, config)
	a.await(t, subscribedLine)

	// Scripts read the status, however many others are slow or silent.
	socket := h.socket()
	for range 100 {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, `{"method": `)
	}
	var st struct {
		Connected     bool
		Server        string
		Subscriptions []struct {
			Line  int
			State string
		}
	}
	began := time.Now()
	if err := json.Unmarshal([]byte(h.ask(t, bin, 0, "status", "--json")), &st); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the status took %s", took)
	}
	if !st.Connected || st.Server != s.addr || len(st.Subscriptions) != 1 || st.Subscriptions[0].Line != 4 || st.Subscriptions[0].State != "active" {
		t.Errorf("status: %+v", st)
	}

	// What is filtered, held back and shown, and why.
	s.send(t, "timer", "tick", "1")
	h.ask(t, bin, 0, "pause", "1h")
	s.send(t, "timer", "tick", "2")
	h.explains(t, bin, 2, "held back")
	h.ask(t, bin, 0, "resume")
	a.logsAlerts(t, s)
	h.explains(t, bin, 3, "not shown")
	if why := h.ask(t, bin, 0, "explain", "1"); !strings.Contains(why, "line 4: when data != 1 is false: data is 1") {
		t.Errorf("explain 1:\n%s", why)
	}

	// The socket is for any program of this user.
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintln(conn, `{"method": "pause", "params": {"duration": "30m"}}`)
	if answer, err := bufio.NewReader(conn).ReadString('\n'); !strings.HasPrefix(answer, `{"result":{"until":"`) {
		t.Errorf("%s, %v", answer, err)
	}
	if text := h.ask(t, bin, 0, "status"); !strings.Contains(text, "\nPaused until ") {
		t.Errorf("status:\n%s", text)
	}

	h.write(t, "config/sigalert/config.yaml", config+"  - {sendr: x}\n")
	if text := h.ask(t, bin, 1, "reload"); !strings.Contains(text, "config.yaml:5:6: ") {
		t.Errorf("reload:\n%s", text)
	}
	h.write(t, "config/sigalert/config.yaml", config+"  - {sender: x}\n")
	if text := h.ask(t, bin, 0, "reload"); text != "2 subscriptions in force" {
		t.Errorf("reload:\n%s", text)
	}
	if text := h.ask(t, bin, 0, "history"); !strings.HasPrefix(text, "http://127.0.0.1:") {
		t.Errorf("history:\n%s", text)
	}
	if text := h.ask(t, bin, 0, "history", "--json"); !strings.Contains(text, `"sender":"timer","event":"tick","data":2,"outcome":"held back"`) {
		t.Errorf("history --json:\n%s", text)
	}

	h.ask(t, bin, 0, "quit")
	if code := a.wait(t); code != 0 {
		t.Errorf("the agent ends with %d", code)
	}
	second := h.startAgent(t, bin, config)
	second.await(t, subscribedLine)
	h.ask(t, bin, 0, "quit")
}

// explains waits until the last event that the agent knows is number n, with this decision.
func (h *home) explains(t testing.TB, bin string, n int, decision string) {
	t.Helper()
	last := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		last = h.ask(t, bin, 0, "explain", "-n", "1")
		if strings.HasPrefix(strings.TrimSpace(last), fmt.Sprint(n)) && strings.Contains(last, "  "+decision+" ") {
			return
		}
	}
	t.Errorf("explain: %q, want number %d, %s", last, n, decision)
}

func (h *home) socket() string { return filepath.Join(h.dir, "run", "sigalert.sock") }
