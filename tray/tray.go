package tray

import (
	"context"
	"errors"
	"log/slog"
)

// ErrUnavailable says that this build or this machine can never have a tray.
var ErrUnavailable = errors.New("no tray")

// A Look is one of the icon's shapes.
type Look uint8

// The looks, from good to bad.
const (
	Connected Look = iota
	Connecting
	Paused
	Trouble
)

// State is what the tray shows.
type State struct {
	Look    Look
	Line    string // the top of the menu, and the tooltip: "Connected to 127.0.0.1:3000, 3 subscriptions"; cut at 100 characters
	Paused  bool   // the check of "Pause alerts"
	History bool   // there is one to open: "Open history" is enabled
	Waiting bool   // no connection: "Reconnect now" is enabled
}

// Agent is what the tray needs of the program.
//
// None of it is called on the goroutine that draws the menu. State and Changed
// return at once; State may be called on several goroutines. Each other method
// is called on the goroutine of its menu item: its calls never overlap, it may
// take its time without holding up the menu or another item, and a click on an
// item whose call is still running is dropped. A call must return soon after the
// ctx of Run has ended, as Run waits for it; so Quit only asks the program to end.
type Agent interface {
	// State returns what to show now.
	State() State
	// Changed receives after State may have changed. It must keep a change
	// until it is received, so it is a channel with room for one; changes may
	// be merged. Run calls it once.
	Changed() <-chan struct{}
	SetPaused(bool)
	SendTest()
	// OpenHistory is also called when the icon itself is clicked on a panel that
	// leaves such clicks to the program, even if there is no history.
	OpenHistory()
	EditConfig()
	Reload()
	Reconnect()
	// Quit is called for the menu's item, and when the desktop closes the icon.
	Quit()
}

// Run shows agent's state until ctx ends, and then returns nil. It must be
// called on the main goroutine, and once in a process. If this build or this
// machine can never have a tray, it returns an error wrapping ErrUnavailable, at
// once. A nil log is silent.
//
// The state is shown at most ten times a second.
func Run(ctx context.Context, agent Agent, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	err := show(ctx, log, func(b backend) *menu { return newMenu(agent, b) })
	if err != nil {
		return err
	}
	if ctx.Err() == nil {
		agent.Quit()
		<-ctx.Done()
	}
	return nil
}
