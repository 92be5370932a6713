//go:build linux

package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// An agent whose token is revoked says so, and what to do; it does not press the router,
// and is back at once with another token.
func TestRevokedToken(t *testing.T) {
	t.Parallel()
	h, bin := newHome(t), program(t)
	issue := func() {
		t.Helper()
		h.write(t, "desk", h.ask(t, bin, 0, "token", "new", "desk", "--listen", "*", "--send", "*")+"\n")
	}
	issue()
	s := h.serveAt(t, bin, "127.0.0.1:0", "--tls", "auto", "--tokens", "auto", "--log-level", "debug")
	fingerprint := regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(s.text())
	a := h.startAgent(t, bin, fmt.Sprintf("servers:\n  desk: {url: \"tls://%s\", fingerprint: %q, token_file: %q}\nsubscriptions: [{sender: timer}]\n", s.addr, fingerprint, filepath.Join(h.dir, "desk")))
	a.await(t, subscribedLine)

	h.ask(t, bin, 0, "token", "revoke", "desk")
	revoked := time.Now()
	a.await(t, `level=warning .*no connection, trying again.* err=.*not admitted: this server requires a valid token`)
	if took := time.Since(revoked); took > 5*time.Second { // what is promised is a second
		t.Errorf("the connection ends after %v", took)
	}
	a.await(t, `desk: the server refuses us.*requires a valid token.*Make a token at the router`) // in place of a bubble
	if took := time.Since(revoked); took < 10*time.Second {
		t.Errorf("it says so after %v", took)
	}
	if got := h.ask(t, bin, 0, "status"); !strings.Contains(got, "not admitted: this server requires a valid token") {
		t.Errorf("the status is %s", got)
	}
	if got := h.ask(t, bin, 0, "status", "--json"); !strings.Contains(got, "not admitted: this server requires a valid token") {
		t.Errorf("the status is %s", got)
	}
	if got := h.ask(t, bin, 1, "doctor"); !strings.Contains(got, `sigalert token new`) {
		t.Errorf("the doctor says %s", got)
	}
	if strings.Contains(s.text(), "count=16") {
		t.Errorf("the agent has tried 16 times within %v", time.Since(revoked))
	}

	issue()
	h.ask(t, bin, 0, "reconnect")
	eventually(t, "it is back, and says so", func() bool { // in either order
		return strings.Count(a.text(), "msg=subscribed") == 2 && strings.Contains(a.text(), "desk: back after")
	})
	h.shell(t, fmt.Sprintf("SIGALERT_TOKEN=$(cat %s) %s senders --config %s", filepath.Join(h.dir, "desk"), bin, a.config))
}
