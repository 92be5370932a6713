//go:build !(linux || freebsd || netbsd || openbsd)

package notify

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/gen2brain/beeep"
)

// backend hands every notification to beeep, or shows a balloon where Windows has no toasts.
type backend struct {
	opts     Options
	shown    recent[string, bool] // the keys of what has not been resolved
	looked   bool                 // for toasts
	balloons *balloons            // nil: there are toasts
}

func newBackend(_ context.Context, opts Options) *backend {
	if runtime.GOOS == "windows" {
		opts.AppName = strings.ReplaceAll(opts.AppName, "'", "’") // beeep does not escape it in a PowerShell string
	}
	return &backend{opts: opts}
}

// look finds out, once, what shows the notifications.
func (b *backend) look() *balloons {
	if !b.looked {
		b.looked, b.balloons = true, newBalloons()
	}
	return b.balloons
}

func (b *backend) notify(ctx context.Context, n Notification) (Receipt, error) {
	if balloons := b.look(); balloons != nil {
		if err := balloons.show(ctx, n.spelledOut()); err != nil {
			return Receipt{}, err
		}
		return Receipt{Via: "a balloon", Fleeting: true}, nil
	}
	if n.Resolved {
		if !b.shown.get(n.Key) {
			return Receipt{Via: "beeep"}, nil
		}
		b.shown.drop(n.Key)
		n = n.over()
	}
	if err := b.push(ctx, n.spelledOut()); err != nil {
		return Receipt{}, err
	}
	if n.Key != "" {
		b.shown.put(n.Key, true)
	}
	return Receipt{Via: "beeep"}, nil
}

// rings reports whether there is a sound to it.
func (n Notification) rings() bool {
	return n.Sound == "" && n.Urgency == Critical || n.Sound != "" && n.Sound != noSound
}

// push has beeep show it.
func (b *backend) push(ctx context.Context, n Notification) error {
	guard := guardAppleScript
	if runtime.GOOS == "windows" {
		guard = guardPowerShell
	}
	show := beeep.Notify
	if n.rings() {
		show = beeep.Alert // the same with a sound; on these systems it does not ring the terminal's bell
	}
	err := runBeeep(ctx, b.opts.AppName, func() error {
		return show(guard(n.Title), guard(n.Body), b.icon(n))
	})
	if errors.Is(err, beeep.ErrUnsupported) {
		return fmt.Errorf("%w: %w", ErrNoDesktop, err)
	}
	return err
}

// icon is the path of an image file.
func (b *backend) icon(n Notification) string {
	path := b.opts.Icon
	if filepath.IsAbs(n.Icon) {
		path = n.Icon
	}
	if runtime.GOOS == "windows" && strings.ContainsAny(path, "$`\"&<") {
		return "" // beeep does not escape them in an XML attribute
	}
	return path
}

func (b *backend) describe(context.Context) (Server, error) {
	if b.look() != nil {
		return Server{Name: "Windows, without toasts: balloons"}, nil
	}
	return Server{Name: "beeep"}, nil
}

// screen is what has not been resolved: beeep tells no more of it.
func (b *backend) screen() (s Screen) {
	for _, e := range b.shown.entries {
		s.Shown = append(s.Shown, OnScreen{Key: e.key})
	}
	return s
}

func (b *backend) restore(s Screen) {
	for _, o := range s.Shown {
		b.shown.put(o.Key, true)
	}
}

func (b *backend) close() { b.balloons.close() }
