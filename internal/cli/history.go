package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/adrg/xdg"
	"github.com/spf13/cobra"

	"sigalert/agent/notify"
	"sigalert/internal/history"
)

// historyPath is where the agent keeps its history.
func historyPath() string { return filepath.Join(xdg.StateHome, "sigalert", "history.db") }

func (p *program) newHistory(config string, changed func()) *history.History {
	return history.New(history.Options{
		Path:    historyPath(),
		Config:  config,
		Changed: changed,
		Logger:  p.log,
	})
}

// openHistory opens a history's page in a browser.
func (p *program) openHistory(h *history.History, agent history.Agent) {
	url := h.Link()
	if url == "" {
		return
	}
	startAside(func(err error) {
		p.log.Error("cannot open a browser", "err", err)
		agent.Tell(notify.Notification{Title: "Cannot open a browser", Body: "For a minute the history is at " + url, Key: "history"})
	}, browser(url))
}

// browserTime is how long the command waits for a browser to fail.
const browserTime = 2 * time.Second

// historyCommand speaks to a running agent.
func (p *program) historyCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "history",
		Short: "Open the history of alerts",
		Long: `Opens the page with the alerts of the running agent in a browser. Where there is no
screen, it prints the page's address, which works once and within a minute. The agent
keeps a history unless its configuration says "history: false".`,
		Example: `  sigalert history
  sigalert history --json | head -n 1`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return p.printHistory(cmd.Context())
			}
			var link linkAnswer
			if _, err := askAgent(cmd.Context(), "history", nil, &link); err != nil {
				return err
			}
			return p.showPage(cmd.Context(), link.URL)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the alerts that are kept, the newest first, as a line of JSON each")
	return cmd
}

// showPage opens a page that has a one-time key.
func (p *program) showPage(ctx context.Context, url string) error {
	if !hasScreen() {
		fmt.Fprintln(p.out, url)
		return nil
	}
	failed := make(chan error, 1)
	startAside(func(err error) { failed <- err }, browser(url))
	select {
	case err := <-failed:
		return fmt.Errorf("cannot open a browser: %w\nFor a minute the history is at %s", err, url)
	case <-time.After(browserTime):
	case <-ctx.Done():
	}
	return nil
}

func (p *program) printHistory(ctx context.Context) error {
	for asked := (entriesParams{}); ; {
		var answer struct {
			Entries []json.RawMessage
			Next    uint64
		}
		if _, err := askAgent(ctx, "entries", asked, &answer); err != nil {
			return err
		}
		for _, entry := range answer.Entries {
			if err := p.printJSONText(entry); err != nil {
				return err
			}
		}
		if answer.Next == 0 {
			return nil
		}
		asked.Before = answer.Next
	}
}
