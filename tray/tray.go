package tray

import (
	"context"
	"errors"
	"log/slog"
	"time"
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

// State is what the tray shows. Texts may come from others: they are cleaned, and cut
// at 60 characters, the line at 100.
type State struct {
	Look    Look
	Line    string // the top of the menu, and the tooltip: "Connected to 127.0.0.1:3000, 3 subscriptions"
	Paused  bool   // the check of "Pause alerts"
	History bool   // there is one to open: "Open history" is enabled
	Waiting bool   // no connection: "Reconnect now" is enabled

	PausedUntil string // "14:30" or "Tue 08:00"; empty: until resumed

	Unread int // alerts since MarkRead
}

// Lists is what the tray shows in submenus, cleaned and cut as State is.
type Lists struct {
	Recent []Recent // the newest first; MaxRecent are shown

	Subscriptions []Subscription // in the file's order; MaxSubscriptions are shown
	More          int            // how many there are beside Subscriptions
	Muted         int            // how many of all are muted

	Version string // of the program
	Config  string // path of the configuration; empty: none
	Store   string // path of the history; empty: none
}

// A Recent is one of the last alerts.
type Recent struct {
	Number  int    // what ShowAgain and Act know it by
	Time    string // "14:02"
	Title   string
	Why     string   // why it was not shown, in a word or two; empty: it was
	Actions []Action // three are shown, and ten of all alerts
}

// An Action is a button of an alert.
type Action struct {
	Index int // what Act knows it by
	Label string
}

// A Subscription is one of the configuration.
type Subscription struct {
	Line  int    // of the file; what Mute knows it by
	Label string // "builds: done"
	State string // in a word or two; empty: all is well
	Muted bool
}

// Agent is what the tray needs of the program.
//
// None of it is called on the goroutine that draws the menu. State, Lists and Changed
// return at once; State may be called on several goroutines. Each other method
// is called on the goroutine of its menu item: its calls for one item never overlap, it
// may take its time without holding up the menu or another item, and a click on an
// item whose call is still running is dropped. A call must return soon after the
// ctx of Run has ended, as Run waits for it; so Quit only asks the program to end.
type Agent interface {
	// State returns what to show now.
	State() State
	// Lists returns what to show beside it. It is called less often.
	Lists() Lists
	// Changed receives after either may have changed. It must keep a change
	// until it is received, so it is a channel with room for one; changes may
	// be merged. Run calls it once.
	Changed() <-chan struct{}
	// SetPaused pauses until it is called again.
	SetPaused(bool)
	PauseFor(time.Duration)
	// PauseUntilTomorrow pauses until tomorrow at 8:00.
	PauseUntilTomorrow()
	SendTest()
	// OpenHistory is also called when the icon itself is clicked on a panel that
	// leaves such clicks to the program, even if there is no history.
	OpenHistory()
	// MarkRead is called after the menu has been opened, where the desktop reports
	// that, and when a recent alert or one of its actions is clicked.
	MarkRead()
	// ShowAgain shows a recent alert again, and says why it was shown or was not.
	ShowAgain(number int)
	// Act does what a button of a recent alert does.
	Act(number, action int)
	// Mute mutes the subscription in this line of the file, or ends that.
	Mute(line int, muted bool)
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
// The state is shown at most ten times a second, and the lists once.
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
