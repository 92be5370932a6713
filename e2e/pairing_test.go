//go:build linux

package e2e

import (
	"os"
	"strings"
	"testing"
)

// TestPairing goes from nothing to a second and a third machine: a router that others can
// reach, an agent on another machine that a line makes one of its clients while it runs,
// and a sender on a third with a token for that alone. Then both are shut out.
func TestPairing(t *testing.T) {
	n := newCables(t)
	laptop, nas := newHome(t), newHome(t)
	in := func(namespace string, h *home, command ...string) *process {
		t.Helper()
		return start(t, h.env, append([]string{"ip", "netns", "exec", namespace, n.bin}, command...)...)
	}
	ask := func(namespace string, h *home, code int, command ...string) *process {
		t.Helper()
		p := in(namespace, h, command...)
		if got := p.wait(t); got != code {
			t.Fatalf("%q ends with %d, want %d:\n%s", command, got, code, p.text())
		}
		return p
	}
	words := func(line string) []string {
		t.Helper()
		rest, ok := strings.CutPrefix(line, "sigalert ")
		if !ok {
			t.Fatalf("%q is nothing to run", line)
		}
		return strings.Fields(rest)
	}

	config := laptop.write(t, "config/sigalert/config.yaml", "# mine\nrouter: # of this machine\nsubscriptions:\n  - {sender: backup} # all of it\n")
	agent := in(n.agent, laptop, "--log-level", "debug")
	agent.await(t, `msg=subscribed`)

	router := in(n.server, n.h, "serve", "--listen", ":"+serverPort, "--host", "server.example")
	_, line := router.await(t, `^(sigalert pair server\.example:3000#\S+)$`)
	ask(n.agent, laptop, 0, words(line[1])...)
	agent.await(t, `msg=subscribed server=server`)
	if text, err := os.ReadFile(config); err != nil || !strings.HasPrefix(string(text), "# mine\nrouter: # of this machine\nservers:\n  server:\n") || !strings.Contains(string(text), "\nsubscriptions:\n  - {sender: backup} # all of it\n") {
		t.Errorf("%s (%v)", text, err)
	}

	made := ask(n.server, n.h, 0, "token", "new", "nas", "--send", "backup", "--pair", "server.example:3000").stdout()
	ask(n.agent, nas, 0, words(made[0])...)
	ask(n.agent, nas, 0, "send", "backup", "done", "4 files")
	agent.await(t, `msg=alert text="backup: done \| 4 files"`)
	ask(n.agent, nas, 1, "send", "other", "done").await(t, "not allowed")
	ask(n.agent, laptop, 0, "send", "--server", "server", "backup", "done", "by hand")
	agent.await(t, `msg=alert text="backup: done \| by hand"`)
	ask(n.server, n.h, 0, "send", "backup", "done", "at home") // which needs no setup
	agent.await(t, `msg=alert text="backup: done \| at home"`)

	ask(n.server, n.h, 0, "token", "revoke", "nas")
	ask(n.agent, nas, 1, "send", "backup", "done").await(t, "not admitted")
	ask(n.server, n.h, 0, "token", "revoke", "first")
	agent.await(t, `no connection, trying again" server=server err=".*not admitted`)
}
