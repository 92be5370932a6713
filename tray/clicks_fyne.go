//go:build (linux && !gtk && !android) || freebsd || openbsd || netbsd

package tray

import (
	"log/slog"

	"github.com/godbus/dbus/v5"
)

// iconClicks are the methods that panels call for clicks on the icon itself. Most
// panels show the menu and call none of them. Cinnamon calls Activate for a left
// click, and swaybar, which shows no menus, ContextMenu for a left or right one.
//
// They take the place of the library's: those answer only if its SetOnTapped is
// used, and then the library no longer says that the item is a menu, so KDE and
// XFCE would not show the menu for a left click. It has the same answer for
// ContextMenu as for SecondaryActivate, too.
type iconClicks struct{ first, second chan struct{} }

func newIconClicks() iconClicks {
	return iconClicks{make(chan struct{}), make(chan struct{})}
}

// export answers the methods on conn, after the library has exported its own.
func (c iconClicks) export(conn *dbus.Conn, log *slog.Logger) {
	if err := conn.Export(c, "/StatusNotifierItem", "org.kde.StatusNotifierItem"); err != nil {
		log.Warn("clicks on the tray icon do nothing", "err", err)
	}
}

// Activate is called for a left click.
func (c iconClicks) Activate(x, y int32) *dbus.Error { return take(c.first) }

// ContextMenu is called for a right click by panels that show no menus.
func (c iconClicks) ContextMenu(x, y int32) *dbus.Error { return take(c.first) }

// SecondaryActivate is called for a middle click.
func (c iconClicks) SecondaryActivate(x, y int32) *dbus.Error { return take(c.second) }

// take passes a click on, as the library does for the menu's items.
func take(click chan<- struct{}) *dbus.Error {
	select {
	case click <- struct{}{}:
	default:
	}
	return nil
}
