//go:build (linux && !gtk && !android) || freebsd || openbsd || netbsd

package tray

import (
	"context"
	"log/slog"
	"strings"

	"fyne.io/systray"
	"github.com/godbus/dbus/v5"

	"sigalert/internal/wait"
)

// show runs the library piece by piece. The library's Run cannot start again on
// another bus, and panics at its end if the bus was lost; so show connects to
// the shared session bus that the library uses, waits for that to close, and
// starts again.
func show(ctx context.Context, log *slog.Logger, build builder) error {
	defer hush()()
	systray.SetTitle("sigalert") // before the start: panels know the icon by it
	clicks := newIconClicks()
	defer wait.Start(ctx, build(fyne{clicks}).run)()
	defer systray.Quit() // ends the goroutine that stays registered

	say := newOnce(log)
	for waitBus(ctx, say) {
		conn, err := dbus.SessionBus()
		if err != nil {
			wait.Sleep(ctx, retry, nil)
			continue
		}
		stop := context.AfterFunc(ctx, func() { conn.Close() })
		start, _ := systray.RunWithExternalLoop(nil, nil)
		start()
		clicks.export(conn, log)
		sayHost(ctx, conn, say)
		<-conn.Context().Done()
		stop()
	}
	return nil
}

// sayHost says so if nothing on the bus shows icons.
func sayHost(ctx context.Context, conn *dbus.Conn, say *once) {
	const watcher = "org.kde.StatusNotifierWatcher"
	var owned bool
	err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, watcher).Store(&owned)
	if err == nil && !owned {
		say.info("no tray host on the session bus; the icon appears when one starts")
	}
}

// fyne is the backend of fyne.io/systray.
type fyne struct{ clicks iconClicks }

func (fyne) setIcon(l Look) {
	// The library panics when its bus is gone. It has kept the icon by then,
	// and shows it when it starts again.
	defer func() { _ = recover() }()
	systray.SetIcon(l.icon())
}

func (fyne) setTooltip(text string) { systray.SetTooltip(text) }

func (fyne) addItem(under item, label string, checkbox bool) (item, <-chan struct{}) {
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

func (fyne) addSeparator() { systray.AddSeparator() }

func (f fyne) iconClicks() (first, second <-chan struct{}) { return f.clicks.first, f.clicks.second }

func (fyne) opened() <-chan struct{} { return systray.TrayOpenedCh }

func (fyne) escape(text string) string { return strings.ReplaceAll(text, "_", "__") }
