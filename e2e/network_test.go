//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// cables are two machines, an agent's and a server's, with a network between them: network
// namespaces of this one.
type cables struct {
	t             *testing.T
	h             *home
	bin           string
	agent, server string // the namespaces
	hosts         string // the agent's /etc/hosts
}

const (
	agentAddr, otherAgentAddr   = "10.77.0.1", "10.77.0.11"
	serverAddr, otherServerAddr = "10.77.0.2", "10.77.0.12"
	serverPort                  = "3000"
)

var networks atomic.Int32 // that tests have made

func newCables(t *testing.T) *cables {
	t.Helper()
	t.Parallel()
	need(t, "ip")
	if os.Getuid() != 0 {
		leaveOut(t, "needs root, for network namespaces")
	}
	name := fmt.Sprintf("sigalert%dn%d", os.Getpid(), networks.Add(1))
	n := &cables{t: t, h: newHome(t), bin: program(t), agent: name + "a", server: name + "s"}
	if out, err := exec.Command("ip", "netns", "add", n.agent).CombinedOutput(); err != nil {
		leaveOut(t, fmt.Sprintf("needs network namespaces: %s", out))
	}
	t.Cleanup(func() { n.do("ip netns del " + n.agent) })
	n.do("ip netns add " + n.server)
	t.Cleanup(func() { n.do("ip netns del " + n.server) })
	n.do("ip link add cable netns " + n.agent + " type veth peer name cable netns " + n.server)
	n.atAgent("ip link set lo up")
	n.atAgent("ip link set cable up")
	n.atAgent("ip addr add " + agentAddr + "/24 dev cable")
	n.atServer("ip link set lo up")
	n.atServer("ip link set cable up")
	n.atServer("ip addr add " + serverAddr + "/24 dev cable")
	n.hosts = filepath.Join("/etc/netns", n.agent, "hosts")
	if err := os.MkdirAll(filepath.Dir(n.hosts), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(filepath.Dir(n.hosts)) })
	n.name(serverAddr)
	return n
}

func (n *cables) do(command string) {
	n.t.Helper()
	words := strings.Fields(command)
	if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
		n.t.Errorf("%s: %v %s", command, err, out)
	}
}

func (n *cables) atAgent(command string) {
	n.t.Helper()
	n.do("ip netns exec " + n.agent + " " + command)
}
func (n *cables) atServer(command string) {
	n.t.Helper()
	n.do("ip netns exec " + n.server + " " + command)
}

// name gives the server's name an address.
func (n *cables) name(addr string) {
	n.t.Helper()
	if err := os.WriteFile(n.hosts, []byte("127.0.0.1 localhost\n"+addr+" server.example\n"), 0o644); err != nil {
		n.t.Fatal(err)
	}
}

// startServer starts a router on the server's machine.
func (n *cables) startServer() *process {
	n.t.Helper()
	p := start(n.t, n.h.env, "ip", "netns", "exec", n.server, n.bin, "serve", "--listen", "0.0.0.0:"+serverPort, "--insecure")
	p.await(n.t, `listening on`)
	return p
}

// startAgent starts an agent that is subscribed to the timer.
func (n *cables) startAgent() *agent {
	n.t.Helper()
	path := n.h.write(n.t, "config/sigalert/config.yaml", "server: tcp://server.example:"+serverPort+"\nsubscriptions:\n  - {sender: timer, event: tick}\n")
	a := &agent{start(n.t, n.h.env, "ip", "netns", "exec", n.agent, n.bin, "--config", path, "--log-level", "debug"), path}
	a.await(n.t, subscribedLine)
	return a
}

// send sends events with the numbers from first to last, on the server's machine.
func (n *cables) send(first, last int) {
	n.t.Helper()
	var events bytes.Buffer
	for i := first; i <= last; i++ {
		fmt.Fprintf(&events, "%d\n", i)
	}
	cmd := exec.Command("ip", "netns", "exec", n.server, n.bin, "send", "--server", "127.0.0.1:"+serverPort, "--lines", "timer", "tick")
	cmd.Env, cmd.Stdin = n.h.env, &events
	if out, err := cmd.CombinedOutput(); err != nil {
		n.t.Fatalf("send: %v %s", err, out)
	}
}

// kept are the numbers of the events in the agent's history; none as long as it is being
// opened.
func (n *cables) kept() (numbers []int) {
	n.t.Helper()
	cmd := exec.Command("ip", "netns", "exec", n.agent, n.bin, "history", "--json")
	cmd.Env = n.h.env
	out, err := cmd.Output()
	if err != nil {
		n.t.Logf("history: %v", err)
		return nil
	}
	for line := range bytes.Lines(out) {
		var entry struct {
			Sender string
			Data   int
		}
		if err := json.Unmarshal(line, &entry); err == nil && entry.Sender == "timer" {
			numbers = append(numbers, entry.Data)
		}
	}
	return numbers
}

// has fails unless the history has each event up to last once.
func (n *cables) has(last int) {
	n.t.Helper()
	var got []int
	eventually(n.t, "all events are in the history", func() bool {
		got = n.kept()
		return len(got) >= last
	})
	slices.Sort(got) // what is held back is there before what is shown
	for i, number := range got {
		if number != i+1 {
			n.t.Fatalf("the history has %v", got)
		}
	}
}

// saysNoLoss fails if the agent has said that the server is lost.
func (n *cables) saysNoLoss(a *agent) {
	n.t.Helper()
	if strings.Contains(a.text(), "Lost the server") {
		n.t.Error("it says that the server is lost")
	}
}

// noticed fails unless the agent finds its connection dead within 45 s.
func (n *cables) noticed(a *agent, since time.Time) {
	n.t.Helper()
	_, m := a.within(50*time.Second, `no connection, trying again`)
	took := time.Since(since)
	n.t.Logf("noticed after %v", took)
	if m == nil || took > 45*time.Second {
		n.t.Fatal("it was not noticed within 45 s")
	}
}

// back fails unless the agent is back within limit of a moment.
func (n *cables) back(a *agent, since time.Time, limit time.Duration) {
	n.t.Helper()
	a.await(n.t, subscribedLine)
	took := time.Since(since)
	n.t.Logf("back after %v", took)
	if took > limit {
		n.t.Errorf("it was back after %v, want %v", took, limit)
	}
}

const backWithin = 5 * time.Second // of the network

// The agent's machine gets another address, as in another network.
func TestAddressChanges(t *testing.T) {
	n := newCables(t)
	n.startServer()
	a := n.startAgent()
	n.send(1, 5)
	n.has(5)
	a.pass()
	n.atAgent("ip addr del " + agentAddr + "/24 dev cable")
	n.send(6, 35)
	time.Sleep(3 * time.Second)
	n.atAgent("ip addr add " + otherAgentAddr + "/24 dev cable")
	n.back(a, time.Now(), backWithin)
	n.has(35)
	n.saysNoLoss(a)
}

// So it does for those who only listen: the silence of a dead connection would take
// them half a minute to notice.
func TestAddressChangesForListeners(t *testing.T) {
	n := newCables(t)
	n.startServer()
	var all []*process
	for _, command := range []string{"listen", "log --store none --listen 127.0.0.1:8080"} {
		words := strings.Fields("ip netns exec " + n.agent + " " + n.bin + " " + command + " --server server.example:" + serverPort)
		p := start(t, n.h.env, words...)
		p.await(t, `msg=connected`)
		all = append(all, p)
	}
	n.atAgent("ip addr del " + agentAddr + "/24 dev cable")
	time.Sleep(3 * time.Second)
	n.atAgent("ip addr add " + otherAgentAddr + "/24 dev cable")
	since := time.Now()
	for _, p := range all {
		p.await(t, `msg=connected`)
	}
	if took := time.Since(since); took > backWithin {
		t.Errorf("they were back after %v", took)
	}
}

// What leaves a healthy connection as it is does not cut it.
func TestOtherAddressesChangeNothing(t *testing.T) {
	n := newCables(t)
	n.startServer()
	a := n.startAgent()
	a.pass()
	for range 3 {
		n.atAgent("ip addr add 10.78.0.1/24 dev cable")
		n.atAgent("ip route replace 10.79.0.0/16 via 10.78.0.2")
		time.Sleep(time.Second)
		n.atAgent("ip addr del 10.78.0.1/24 dev cable")
	}
	time.Sleep(3 * time.Second)
	n.send(1, 30)
	n.has(30)
	if text := a.text(); strings.Contains(text, "no connection") || strings.Count(text, "msg=connected") != 1 {
		t.Errorf("the connection was cut")
	}
}

// The server moves to another address; its name comes along.
func TestServerMoves(t *testing.T) {
	n := newCables(t)
	s := n.startServer()
	a := n.startAgent()
	n.send(1, 5)
	n.has(5)
	a.pass()
	n.atServer("ip addr del " + serverAddr + "/24 dev cable")
	n.atServer("ip addr add " + otherServerAddr + "/24 dev cable")
	n.name(otherServerAddr)
	n.send(6, 35)
	n.noticed(a, time.Now())
	n.back(a, time.Now(), backWithin)
	n.has(35)
	n.saysNoLoss(a)
	s.running(t)
}

// The network swallows everything for a while, without a word.
func TestBlackHole(t *testing.T) {
	n := newCables(t)
	n.startServer()
	a := n.startAgent()
	n.send(1, 5)
	n.has(5)
	a.pass()
	hole := 50 * time.Second
	if os.Getenv("SIGALERT_TEST_LONG") == "1" {
		hole = 90 * time.Second
	}
	began := time.Now()
	n.atServer("ip route add blackhole " + agentAddr) // nothing comes back
	n.send(6, 35)
	n.noticed(a, began)
	time.Sleep(time.Until(began.Add(hole)))
	n.atServer("ip route del blackhole " + agentAddr)
	n.back(a, time.Now(), backWithin)
	n.has(35)
}

// A process that is stopped, as in a suspend, misses nothing and invents no loss.
func TestStoppedAgent(t *testing.T) {
	stopped := 35 * time.Second
	if os.Getenv("SIGALERT_TEST_LONG") == "1" {
		stopped = 90 * time.Second
	}
	n := newCables(t)
	n.startServer()
	a := n.startAgent()
	n.send(1, 5)
	n.has(5)
	if err := a.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	n.send(6, 20)
	time.Sleep(stopped)
	n.send(21, 35)
	if err := a.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	n.has(35)
	time.Sleep(12 * time.Second) // longer than the grace
	n.saysNoLoss(a)
}
