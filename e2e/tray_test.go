//go:build linux

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// trayMenu is the menu of a program's tray icon, read over D-Bus as the panel
// reads it. It is read this way only: clicks are the mouse's.
type trayMenu struct {
	d    *desktop
	obj  dbus.BusObject
	item dbus.ObjectPath // of the icon
}

type menuItem struct {
	label     string
	enabled   bool
	checked   bool
	separator bool
	items     []menuItem // of its submenu
}

// Where the two backends put their icon, and the menu under it.
var trayPaths = map[dbus.ObjectPath]dbus.ObjectPath{
	"/StatusNotifierItem":                   "/StatusNotifierItem/menu",
	"/org/ayatana/NotificationItem/systray": "/org/ayatana/NotificationItem/systray/Menu",
}

// tray waits until a program's icon is in the tray and returns its menu.
func (d *desktop) tray(t testing.TB, p *process) *trayMenu {
	t.Helper()
	watcher := d.bus.Object(trayHost, "/StatusNotifierWatcher")
	var m *trayMenu
	eventually(t, "the icon of "+p.name+" is in the tray", func() bool {
		p.running(t)
		var items []string
		err := d.call(watcher, "org.freedesktop.DBus.Properties.Get",
			trayHost, "RegisteredStatusNotifierItems").Store(&items)
		if err != nil {
			return false
		}
		for _, item := range items {
			name, path, _ := strings.Cut(item, "/")
			var pid uint32
			if d.call(d.bus.BusObject(), "org.freedesktop.DBus.GetConnectionUnixProcessID", name).Store(&pid) != nil || int(pid) != p.pid() {
				continue
			}
			if menu, ok := trayPaths[dbus.ObjectPath("/"+path)]; ok {
				m = &trayMenu{d, d.bus.Object(name, menu), dbus.ObjectPath("/" + path)}
			}
		}
		return m != nil
	})
	return m
}

// icon is the item that the menu belongs to.
func (m *trayMenu) icon() dbus.BusObject { return m.d.bus.Object(m.obj.Destination(), m.item) }

// tooltip is what a panel shows while the pointer rests on the icon.
func (m *trayMenu) tooltip() string {
	var value dbus.Variant
	var tip struct {
		Name  string
		Icons []struct {
			W, H   int32
			Pixels []byte
		}
		Title, Text string
	}
	err := m.d.call(m.icon(), "org.freedesktop.DBus.Properties.Get", "org.kde.StatusNotifierItem", "ToolTip").Store(&value)
	if err != nil || value.Store(&tip) != nil {
		return ""
	}
	return tip.Title
}

// A menuNode is a menu item as com.canonical.dbusmenu writes it.
type menuNode struct {
	ID       int32
	Props    map[string]dbus.Variant
	Children []dbus.Variant
}

// items reads the visible items, top to bottom.
func (m *trayMenu) items() ([]menuItem, error) {
	var revision uint32
	var root menuNode
	err := m.d.call(m.obj, "com.canonical.dbusmenu.GetLayout", int32(0), int32(-1), []string{}).Store(&revision, &root)
	if err != nil {
		return nil, err
	}
	return root.items()
}

func (n menuNode) items() ([]menuItem, error) {
	var items []menuItem
	for _, c := range n.Children {
		var n menuNode
		if err := dbus.Store([]any{c.Value()}, &n); err != nil {
			return nil, err
		}
		// A property that has its default value is left out.
		property := func(name string, missing any) any {
			if v, ok := n.Props[name]; ok {
				return v.Value()
			}
			return missing
		}
		if property("visible", true) != true {
			continue
		}
		under, err := n.items()
		if err != nil {
			return nil, err
		}
		items = append(items, menuItem{
			label:     property("label", "").(string),
			enabled:   property("enabled", true) == true,
			checked:   property("toggle-state", int32(0)) == int32(1),
			separator: property("type", "") == "separator",
			items:     under,
		})
	}
	return items, nil
}

// await waits until the menu has an item with this beginning for which ok is true.
func (m *trayMenu) await(t testing.TB, label string, ok func(menuItem) bool) menuItem {
	t.Helper()
	var found menuItem
	var last string
	defer func() {
		if t.Failed() {
			t.Logf("the menu: %s", last)
		}
	}()
	eventually(t, fmt.Sprintf("the menu's item %q is as it should be", label), func() bool {
		items, err := m.items()
		last = fmt.Sprintf("%+v %v", items, err)
		i := slices.IndexFunc(items, func(it menuItem) bool { return strings.HasPrefix(it.label, label) })
		if i < 0 || !ok(items[i]) {
			return false
		}
		found = items[i]
		return true
	})
	return found
}

// has waits until there is an item with this beginning in a submenu, and returns it.
func (m *trayMenu) has(t testing.TB, title, label string) menuItem {
	t.Helper()
	under := func(it menuItem) int {
		return slices.IndexFunc(it.items, func(it menuItem) bool { return strings.HasPrefix(it.label, label) })
	}
	it := m.await(t, title, func(it menuItem) bool { return under(it) >= 0 })
	return it.items[under(it)]
}

// is waits until the first line is this.
func (m *trayMenu) is(t testing.TB, state string) {
	t.Helper()
	m.await(t, state, func(menuItem) bool { return true })
}

func checked(it menuItem) bool   { return it.checked }
func unchecked(it menuItem) bool { return !it.checked }
func enabled(it menuItem) bool   { return it.enabled }
func disabled(it menuItem) bool  { return !it.enabled }
