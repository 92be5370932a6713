package cli

import (
	"path/filepath"

	"github.com/adrg/xdg"

	"sigalert/agent/notify"
	"sigalert/internal/history"
)

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
