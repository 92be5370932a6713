//go:build windows || (darwin && cgo && !ios) || (linux && gtk && cgo && !android)

package tray

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/getlantern/golog"
	"github.com/getlantern/systray"

	"sigalert/internal/wait"
)

// show runs the library's loop on the caller's goroutine.
func show(ctx context.Context, log *slog.Logger, build builder) error {
	golog.SetOutputs(lines{log}, io.Discard)
	if !prepare(ctx, log) {
		return nil
	}
	ready := make(chan struct{})
	stop := wait.Start(ctx, func(ctx context.Context) {
		if started(ctx, ready) {
			build(lantern{}).run(ctx)
		}
		// The menu is at rest by now: on macOS its calls would wait for a loop
		// that no longer turns.
		stopLoop()
	})
	systray.Run(func() { close(ready) }, nil)
	stop()
	return nil
}

// started waits until the library is ready. When ctx ends first it still waits a
// little: on Windows a loop that is stopped before it has begun never ends.
func started(ctx context.Context, ready <-chan struct{}) bool {
	select {
	case <-ready:
		return true
	case <-ctx.Done():
	}
	select {
	case <-ready:
		return true
	case <-time.After(time.Second):
		return false
	}
}

// lines logs what the library reports, a line at a time.
type lines struct{ log *slog.Logger }

func (l lines) Write(line []byte) (int, error) {
	l.log.Warn("tray", "err", strings.TrimSpace(string(line)))
	return len(line), nil
}

// lantern is the backend of github.com/getlantern/systray.
type lantern struct{}

func (lantern) setIcon(l Look) { systray.SetIcon(l.icon()) }

func (lantern) setTooltip(text string) { systray.SetTooltip(text) }

func (lantern) addItem(under item, label string, checkbox bool) (item, <-chan struct{}) {
	parent, _ := under.(*systray.MenuItem)
	var it *systray.MenuItem
	switch {
	case parent != nil && checkbox:
		it = parent.AddSubMenuItemCheckbox(label, "", false)
	case parent != nil:
		it = parent.AddSubMenuItem(label, "")
	case checkbox:
		it = systray.AddMenuItemCheckbox(label, "", false)
	default:
		it = systray.AddMenuItem(label, "")
	}
	return it, it.ClickedCh
}

func (lantern) addSeparator() { systray.AddSeparator() }

func (lantern) iconClicks() (first, second <-chan struct{}) { return nil, nil }

func (lantern) opened() <-chan struct{} { return nil }

func (lantern) escape(text string) string { return escape(text) }
