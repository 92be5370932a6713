//go:build linux

package e2e

import (
	"regexp"
	"testing"
)

func TestSecondStart(t *testing.T) {
	h := newHome(t)
	bin := program(t)
	s := h.serve(t, bin)
	first := h.startAgent(t, bin, timer(s))
	first.await(t, subscribedLine)

	second := start(t, h.env, bin, "--config", first.config)
	if code := second.wait(t); code != 1 {
		t.Errorf("a second start ends with %d, want 1", code)
	}
	if out := second.text(); !regexp.MustCompile(`(?i)already running|is running`).MatchString(out) {
		t.Errorf("a second start says\n%s", out)
	}

	first.logsAlerts(t, s)
	first.terminate(t)

	third := h.startAgent(t, bin, timer(s))
	third.await(t, subscribedLine)
}
