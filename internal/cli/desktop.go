package cli

import (
	"context"
	"time"

	"sigalert/agent/notify"
)

// newDesktop is the desktop that shows notifications, and opens the address of one
// that is clicked. What becomes of them goes to responded as well; nil: to nobody.
func (p *program) newDesktop(responded func(notify.Response)) (desktop *notify.Desktop) {
	desktop = notify.New(&notify.Options{Icon: iconPath(p.log), Logger: p.log, Responded: func(r notify.Response) {
		if r.Kind == notify.Clicked && r.URL != "" {
			p.open(desktop, r.URL)
		}
		if responded != nil {
			responded(r)
		}
	}})
	return desktop
}

// open opens an address with the program that the desktop has for it. It does not wait;
// a notification shows the address if there is none.
func (p *program) open(desktop *notify.Desktop, address string) {
	startAside(func(err error) {
		p.log.Error("cannot open an address", "url", address, "err", err)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_, _ = desktop.Notify(ctx, notify.Notification{Title: "Cannot open an address", Body: address, Key: "open"})
	}, browser(address))
}
