//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKilledAgentMissesNothing kills the agent while numbered events come. Every event
// is in its history exactly once. SIGALERT_KILLS says how often to kill it.
func TestKilledAgentMissesNothing(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv("SIGALERT_KILLS"))
	if err != nil {
		t.Skip("runs only with SIGALERT_KILLS=20 or so: it does not pass yet")
	}
	h, bin := newHome(t), program(t)
	s := h.serve(t, bin)
	config := "server: " + s.addr + "\nsubscriptions: [{sender: n}]\nhistory: {listen: '127.0.0.1:0'}\n"
	sent := 0
	send := func(n int) {
		var lines strings.Builder
		for range n {
			sent++
			fmt.Fprintln(&lines, sent)
		}
		c := exec.Command(bin, "send", "--server", s.addr, "--lines", "n", "e", "-")
		c.Env, c.Stdin = h.env, strings.NewReader(lines.String())
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	a := h.startAgent(t, bin, config)
	a.await(t, subscribedLine)
	time.Sleep(1500 * time.Millisecond) // the first write
	for range kills {
		for range 3 {
			send(5)
			time.Sleep(rand.N(700 * time.Millisecond))
		}
		a.kill()
		send(5)
		a = h.startAgent(t, bin, config)
		if rand.N(3) > 0 { // otherwise it may be killed before it is connected
			a.await(t, subscribedLine)
		}
	}
	a.await(t, subscribedLine)
	send(1)
	var count map[string]int
	eventually(t, "all are in the history", func() bool {
		c := exec.Command(bin, "history", "--json")
		c.Env = h.env
		out, _ := c.Output()
		count = make(map[string]int)
		for line := range strings.Lines(string(out)) {
			var e struct{ Data any }
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatal(err)
			}
			count[fmt.Sprint(e.Data)]++
		}
		return len(count) >= sent
	})
	for i := range sent {
		if n := count[strconv.Itoa(i+1)]; n != 1 {
			t.Errorf("event %d of %d is there %d times", i+1, sent, n)
		}
	}
}

// On a disk that is full or cannot be written, alerts go on, and one line says so.
func TestStateCannotBeWritten(t *testing.T) {
	if os.Geteuid() != 0 {
		leaveOut(t, "needs root, to mount a small disk")
	}
	for name, options := range map[string]string{"full": "size=64k", "read-only": "size=64k,ro"} {
		t.Run(name, func(t *testing.T) {
			h, bin := newHome(t), program(t)
			state := filepath.Join(h.dir, "state")
			if err := syscall.Mount("tmpfs", state, "tmpfs", flags(options), strings.TrimSuffix(options, ",ro")); err != nil {
				leaveOut(t, "cannot mount: "+err.Error())
			}
			t.Cleanup(func() { syscall.Unmount(state, syscall.MNT_DETACH) })
			if name == "full" {
				_ = os.Mkdir(filepath.Join(state, "sigalert"), 0o700)
				_ = os.WriteFile(filepath.Join(state, "fill"), make([]byte, 64<<10), 0o600) // as much as fits
			}
			s := h.serve(t, bin)
			a := h.startAgent(t, bin, timer(s))
			a.await(t, subscribedLine)
			a.logsAlerts(t, s)
			time.Sleep(3 * time.Second)
			s.send(t, "timer", "tick", "one more")
			a.await(t, "one more")
			if n := strings.Count(a.text(), "cannot write the agent's memory"); n != 1 {
				t.Errorf("logged %d times", n)
			}
		})
	}
}

func flags(options string) uintptr {
	if strings.HasSuffix(options, ",ro") {
		return syscall.MS_RDONLY
	}
	return 0
}
