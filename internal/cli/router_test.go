package cli

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"sigalert/agent/config"
	"sigalert/internal/wait"
	"sigalert/sig"
)

// Whoever does not read holds up the end of an agent, and so a logout, for a second only.
func TestAgentsRouterEndsSoon(t *testing.T) {
	p := &program{log: slog.New(slog.DiscardHandler)}
	settings := config.DefaultRouter()
	settings.Listen, settings.Store.Dir = "127.0.0.1:0", config.None
	r, err := p.newRouter(settings, true)
	if err != nil {
		t.Fatal(err)
	}
	stop := wait.Start(t.Context(), func(ctx context.Context) { _ = r.run(ctx) })
	conn, err := net.Dial("tcp", r.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	for _, text := range []string{`{"id": 1, "method": "get_version", "params": {"features": ["stream"]}}`, `{"id": 2, "method": "add_listener", "params": {"sender": "n"}}`} {
		_, _ = io.WriteString(conn, text+"\n")
		_, _ = conn.Read(make([]byte, 1000))
	}
	for range 100 {
		if _, err := r.Publish(sig.Publication{Sender: "n", Event: "e", Data: strings.Repeat("x", 100_000)}); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	stop()
	if took := time.Since(began); took < agentsDrain || took > agentsDrain+2*time.Second {
		t.Errorf("it takes %v", took)
	}
}
