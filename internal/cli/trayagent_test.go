package cli

import (
	"context"
	"testing"

	"sigalert/agent"
)

func TestTrayHasHistoryWhereThereIsOne(t *testing.T) {
	a := &trayAgent{agent: agent.New(agent.Options{})}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	a.agent.Run(ended) // from now on it shows nothing
	if a.OpenHistory(); a.State().History {
		t.Error("a history without one")
	}
	there, opened := false, 0
	a.history, a.openHistory = func() bool { return there }, func() { opened++ }
	if a.State().History {
		t.Error("a history before it is there")
	}
	if there = true; !a.State().History {
		t.Error("no history")
	}
	if a.OpenHistory(); opened != 1 {
		t.Errorf("opened %d times", opened)
	}
}
