package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"sigalert/agent"
	"sigalert/agent/config"
	"sigalert/agent/notify"
	"sigalert/internal/zone"
	"sigalert/sig"
)

const demoConfig = `
server: tcp://%s
history: false
subscriptions:
  - {sender: timer, event: tick}
  - sender: builds
    title: 'Build {{ data.number }} {{ data.result }}'
`

func (p *program) demo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "See it work in one process",
		Long: `Runs a router, two senders that fire every few seconds, and an agent that is
subscribed to them, all in this process and on the loopback interface. It needs
no configuration. Alerts are notifications if there is a desktop, and lines of text
if there is not.`,
		Example: "  sigalert demo",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.runDemo(cmd.Context()) },
	}
}

func (p *program) runDemo(ctx context.Context) error {
	defer p.queueOutput()()
	settings := config.DefaultRouter()
	settings.Listen = "127.0.0.1:0"
	server, err := p.newRouter(settings, false)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	var tasks sync.WaitGroup
	defer tasks.Wait()
	defer cancel()
	tasks.Go(func() {
		if err := server.run(ctx); err != nil {
			p.log.Error("the demo's server failed", "err", err)
		}
	})
	tasks.Go(func() {
		if err := demoSenders(ctx, server.ServerRouter); err != nil {
			p.log.Error("the demo's senders failed", "err", err)
		}
	})
	c, err := config.Parse("demo", fmt.Appendf(nil, demoConfig, server.addr()))
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, `The router listens on %[1]s. In another terminal, try:
  %[2]s listen --server %[1]s
  curl -d hello %[1]s/builds/done
Press Ctrl+C to end the demo.
`, server.addr(), invocation())
	return p.runWithTray(ctx, agent.Options{
		Config:   c,
		Fallback: func(n notify.Notification) { fmt.Fprintln(p.out, n.Line()) },
		Logger:   p.log,
	}, "", nil)
}

// invocation is what to type to run this program again.
func invocation() string {
	path := os.Args[0]
	if builtByRun(path) {
		return "go run ."
	}
	if folder, ok := strings.CutSuffix(path, "sigalertw.exe"); ok {
		path = folder + "sigalert.exe" // the one that prints something
	}
	if strings.Contains(path, " ") {
		path = `"` + path + `"`
	}
	return path
}

// builtByRun reports whether "go run" built the program at this path, and will remove it.
func builtByRun(path string) bool {
	return strings.Contains(path, string(filepath.Separator)+"go-build")
}

// demoSenders fires two senders' events until ctx ends.
func demoSenders(ctx context.Context, server *sig.ServerRouter) error {
	timer, err := server.AddSender("timer", "tick")
	if err != nil {
		return err
	}
	builds, err := server.AddSender("builds", "done")
	if err != nil {
		return err
	}
	n := 0
	return every(ctx, time.Second, func() error {
		n++
		switch {
		case n%4 == 2:
			return timer.Trigger("tick", time.Now().In(zone.Local()).Format("It is 15:04:05."))
		case n%6 == 3:
			result, urgency := "passed", "low"
			if n%12 == 9 {
				result, urgency = "failed", "critical"
			}
			return builds.Trigger("done", map[string]any{
				"number": n / 3, "result": result,
				"message": fmt.Sprintf("lighthouse, after %d s", 40+n%7), "urgency": urgency, "tag": "lighthouse",
			})
		}
		return nil
	})
}
