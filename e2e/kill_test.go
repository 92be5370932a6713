//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// killSlack is how long before a kill something may have been shown that is shown again:
// the memory is written once a second, and this machine may be busy.
const killSlack = 2500 * time.Millisecond

// killing is a test that ends the agent again and again while numbered events come.
type killing struct {
	*testing.T
	d      *desktop
	s      *server
	a      *agent
	config string
	sent   int
	ends   []time.Time  // of the agent
	gone   map[int]bool // events that a router has forgotten
}

func newKilling(t *testing.T) *killing {
	k := &killing{T: t, d: newBareDesktop(t)}
	k.d.startNotifications(t)
	k.s = k.d.serve(t, program(t))
	k.config = "server: " + k.s.addr + "\nsubscriptions: [{sender: n}]\nhistory: {listen: '127.0.0.1:0'}\n"
	k.start()
	eventually(k, "it is remembered where the events begin", func() bool {
		text, _ := os.ReadFile(filepath.Join(k.d.dir, "state/sigalert/agent.json"))
		return strings.Contains(string(text), `"Epoch":`)
	})
	return k
}

// start starts the agent, and waits until it is connected.
func (k *killing) start() {
	k.a = k.d.startAgent(k, program(k), k.config)
	k.a.await(k, subscribedLine)
}

func (k *killing) send(n int) {
	k.Helper()
	var lines strings.Builder
	for range n {
		k.sent++
		fmt.Fprintln(&lines, k.sent)
	}
	c := exec.Command(k.s.bin, "send", "--server", k.s.addr, "--lines", "n", "e", "-")
	c.Env, c.Stdin = k.d.env, strings.NewReader(lines.String())
	if out, err := c.CombinedOutput(); err != nil {
		k.Fatalf("%v: %s", err, out)
	}
}

// end ends the agent by a kill or, if it is gentle, as a logout does.
func (k *killing) end(gentle bool) {
	k.ends = append(k.ends, time.Now())
	if gentle {
		k.a.terminate(k)
	} else {
		k.a.kill()
	}
}

// history is what became of each event, and how often the history has it.
func (k *killing) history() (count map[int]int, shown map[int]bool) {
	k.Helper()
	c := exec.Command(k.s.bin, "history", "--json")
	c.Env = k.d.env
	out, _ := c.Output() // it fails until there is a history
	count, shown = make(map[int]int), make(map[int]bool)
	for line := range strings.Lines(string(out)) {
		var e struct {
			Sender  string
			Data    any
			Outcome string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			k.Fatal(err)
		}
		if number, ok := e.Data.(float64); ok && e.Sender == "n" { // the last word on a storm has none
			count[int(number)]++
			shown[int(number)] = e.Outcome == "shown"
		}
	}
	return count, shown
}

// hasAll waits until the history has all events, and checks that it has each once.
func (k *killing) hasAll() (shown map[int]bool) {
	k.Helper()
	var count map[int]int
	for give := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		if count, shown = k.history(); len(count) >= k.sent-len(k.gone) || time.Now().After(give) {
			break
		}
	}
	for i := range k.sent {
		want := 1
		if k.gone[i+1] {
			want = 0
		}
		if n := count[i+1]; n != want {
			k.Errorf("event %d of %d is in the history %d times, want %d", i+1, k.sent, n, want)
		}
	}
	return shown
}

// bubbles are the notifications so far: when each event was shown by itself, and how
// many were counted in digests and storms, by what was the last word on each.
func (k *killing) bubbles() (alone map[int][]time.Time, counted int) {
	alone = make(map[int][]time.Time)
	type bubble struct {
		run int // of the agent: ids may come again
		id  uint32
	}
	last := make(map[bubble]int)
	all, _ := k.d.mon.sent.from(0)
	for _, n := range all {
		if n.err != "" {
			k.Errorf("not shown: %v", n)
		}
		b := bubble{len(slices.DeleteFunc(slices.Clone(k.ends), n.at.Before)), n.id}
		if m := stormTitle.FindStringSubmatch(n.title); m != nil {
			last[b] = number(m[1])
		} else if strings.HasPrefix(n.title, "While you were away") {
			last[b] = number(digestBody.FindStringSubmatch(n.body)[1])
		} else if i, err := strconv.Atoi(n.body); err == nil {
			alone[i] = append(alone[i], n.at)
		} else {
			k.Errorf("unexpected: %v", n)
		}
	}
	for _, n := range last {
		counted += n
	}
	return alone, counted
}

var (
	stormTitle = regexp.MustCompile(`^([\d,]+) more events? from n$`)
	digestBody = regexp.MustCompile(`^n e ×([\d,]+), last at `)
)

func number(s string) int {
	n, _ := strconv.Atoi(strings.ReplaceAll(s, ",", ""))
	return n
}

// soonEnded reports whether the agent was ended soon after a time.
func (k *killing) soonEnded(at time.Time) bool {
	return slices.ContainsFunc(k.ends, func(end time.Time) bool { return !end.Before(at) && end.Sub(at) < killSlack })
}

// TestRouterRestarts has a router without a store restart while the agent is away, and while it is not.
// What the new router remembers is there, and that there may have been more is said where
// the agent was away, however short that was.
func TestRouterRestarts(t *testing.T) {
	t.Parallel() // it waits most of the time
	k := newKilling(t)
	k.gone = make(map[int]bool)
	for _, gentle := range []bool{false, true} {
		k.send(3)
		k.hasAll()
		time.Sleep(killSlack) // until the memory has them as well
		k.end(gentle)
		for i := range 2 {
			k.gone[k.sent+i+1] = true
		}
		k.send(2)
		k.restartRouter()
		k.send(4)
		k.d.mon.pass()
		k.start()
		k.hasAll()
		k.saysLost()
	}
	k.restartRouter()
	k.send(4)
	k.hasAll()
	time.Sleep(killSlack)
	k.end(false)
	k.d.mon.pass()
	k.start()
	k.send(1)
	k.hasAll()
	for n, ok := k.d.mon.within(killSlack); ok; n, ok = k.d.mon.within(killSlack) {
		if strings.Contains(n.title, "lost") {
			t.Errorf("said without need: %v", n)
		}
	}
}

func (k *killing) restartRouter() {
	k.s.kill()
	k.s = k.d.serveAt(k, k.s.bin, k.s.addr, "--store", "none")
}

// saysLost waits until it is said that events may be lost.
func (k *killing) saysLost() {
	k.Helper()
	for {
		if n := k.d.mon.next(k); n.title == "Events may be lost: the router restarted" {
			return
		}
	}
}

// TestKilledAgentMissesNothing ends the agent while numbered events come, mostly with
// kill -9. Every event is in its history exactly once, and was shown by itself or counted
// in a digest or a storm. Only what was shown just before the end is shown again.
func TestKilledAgentMissesNothing(t *testing.T) {
	t.Parallel() // it waits most of the time
	kills, burst, stop := 15, 4, 3*time.Second
	if n, err := strconv.Atoi(os.Getenv("SIGALERT_KILLS")); err == nil {
		kills, burst, stop = n, 5, 90*time.Second
	}
	k := newKilling(t)
	soon := 0 // events just before an end, which may be shown twice
	for i := range kills {
		for range 3 {
			k.send(burst)
			time.Sleep(rand.N(600 * time.Millisecond))
		}
		soon += 4 * burst
		k.end(i%5 == 3)
		k.send(burst)
		if i == kills/3 || i == 2*kills/3 {
			time.Sleep(stop)
			k.send(burst)
		}
		k.a = k.d.startAgent(t, k.s.bin, k.config)
		if rand.N(3) > 0 { // otherwise it may be killed before it is connected
			k.a.await(t, subscribedLine)
		}
	}
	k.a.pass()
	k.send(1)
	shown := k.hasAll()
	held := 0
	for i := range k.sent {
		if !shown[i+1] {
			held++
		}
	}
	var alone map[int][]time.Time
	counted := 0
	eventually(t, "all are shown or counted", func() bool {
		alone, counted = k.bubbles()
		return counted >= held
	})
	for i := range k.sent {
		if shown[i+1] && len(alone[i+1]) == 0 {
			t.Errorf("event %d was not shown, and the history says it was", i+1)
		}
	}
	for i, at := range alone {
		for _, early := range at[:len(at)-1] {
			if !k.soonEnded(early) {
				t.Errorf("event %d was shown %d times, first long before an end", i, len(at))
			}
		}
	}
	t.Logf("%d events, %d ends: %d shown by themselves, %d counted", k.sent, len(k.ends), len(alone), counted)
	if n := len(alone) + counted; n < k.sent || n > k.sent+soon {
		t.Errorf("%d shown or counted of %d, of which %d may be twice", n, k.sent, soon)
	}
}

// On a disk that is full, fills up or cannot be written, alerts go on, and one line says
// so of the memory and one of the history; both are kept again when there is room.
func TestStateCannotBeWritten(t *testing.T) {
	if os.Geteuid() != 0 {
		leaveOut(t, "needs root, to mount a small disk")
	}
	bin := program(t)
	for name, flags := range map[string]uintptr{"full": 0, "fills up": 0, "read-only": syscall.MS_RDONLY} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // it waits most of the time
			h := newHome(t)
			state := filepath.Join(h.dir, "state")
			if err := syscall.Mount("tmpfs", state, "tmpfs", flags, "size=1m"); err != nil {
				leaveOut(t, "cannot mount: "+err.Error())
			}
			t.Cleanup(func() { syscall.Unmount(state, syscall.MNT_DETACH) })
			fill := func() {
				_ = os.WriteFile(filepath.Join(state, "fill"), make([]byte, 1<<20), 0o600) // as much as fits
			}
			if name == "full" {
				_ = os.Mkdir(filepath.Join(state, "sigalert"), 0o700)
				fill()
			}
			s := h.serve(t, bin)
			a := h.startAgent(t, bin, timer(s)+"history: {listen: '127.0.0.1:0'}\n")
			a.await(t, subscribedLine)
			alerts := 0
			alert := func() {
				alerts++
				text := fmt.Sprintf("alert %d %s", alerts, strings.Repeat("x", 20<<10))
				s.send(t, "timer", "tick", text)
				a.await(t, fmt.Sprintf("level=info .*alert %d", alerts))
			}
			alert()
			if name == "fills up" {
				time.Sleep(2 * time.Second)
				fill()
			}
			alert()
			time.Sleep(12 * time.Second) // it is tried again in the meantime
			alert()
			for _, line := range []string{"cannot write the agent's memory", "cannot (open|write|write to) the log"} {
				if n := len(regexp.MustCompile("level=error .*"+line).FindAllString(a.text(), -1)); n != 1 {
					t.Errorf("%q is logged %d times", line, n)
				}
			}
			a.pass()
			err := os.Remove(filepath.Join(state, "fill"))
			if name == "read-only" {
				err = syscall.Mount("", state, "", syscall.MS_REMOUNT, "size=1m")
			}
			if err != nil {
				t.Fatal(err)
			}
			a.await(t, "the agent's memory can be written now")
			if _, err := os.Stat(filepath.Join(state, "sigalert/agent.json")); err != nil {
				t.Error(err)
			}
			eventually(t, "the history has all", func() bool {
				c := exec.Command(bin, "history", "--json")
				c.Env = h.env
				out, _ := c.Output()
				return strings.Count(string(out), `"sender":"timer"`) == alerts
			})
		})
	}
}
