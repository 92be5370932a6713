package cli

import (
	"context"
	"time"

	"sigalert/agent/notify"
)

// newDesktop is the desktop that shows notifications, and opens the address of one
// that is clicked.
func (p *program) newDesktop() (desktop *notify.Desktop) {
	desktop = notify.New(&notify.Options{Icon: iconPath(p.log), Logger: p.log, Open: func(url string) {
		startAside(func(err error) {
			p.log.Error("cannot open an address", "url", url, "err", err)
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			_, _ = desktop.Notify(ctx, notify.Notification{Title: "Cannot open an address", Body: url, Key: "open"})
		}, browser(url))
	}})
	return desktop
}
