//go:build !(linux || freebsd || netbsd || openbsd)

package notify

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/gen2brain/beeep"
)

// backend hands every notification to beeep.
type backend struct {
	opts Options
}

func newBackend(opts Options) *backend {
	if runtime.GOOS == "windows" {
		// beeep does not escape them, in a PowerShell string and in an XML attribute.
		opts.AppName = strings.ReplaceAll(opts.AppName, "'", "’")
		if strings.ContainsAny(opts.Icon, "$`\"&<") {
			opts.Icon = ""
		}
	}
	return &backend{opts: opts}
}

func (b *backend) notify(ctx context.Context, n Notification) (Receipt, error) {
	if n.Resolved {
		return Receipt{Via: "beeep"}, nil // what it has shown is out of reach
	}
	n = n.spelledOut()
	guard := guardAppleScript
	if runtime.GOOS == "windows" {
		guard = guardPowerShell
	}
	show := beeep.Notify
	if n.Urgency == Critical {
		show = beeep.Alert // the same with a sound; on these systems it does not ring the terminal's bell
	}
	err := runBeeep(ctx, b.opts.AppName, func() error {
		return show(guard(n.Title), guard(n.Body), b.opts.Icon)
	})
	if errors.Is(err, beeep.ErrUnsupported) {
		return Receipt{}, fmt.Errorf("%w: %w", ErrNoDesktop, err)
	}
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Via: "beeep"}, nil
}

func (b *backend) server(context.Context) (Server, error) { return Server{Name: "beeep"}, nil }

func (b *backend) close() {}
