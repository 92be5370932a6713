package tray

import (
	_ "embed" // the icons
)

// A backend is one of the two libraries, which differ in little more than their
// names. Its methods are called on one goroutine.
type backend interface {
	setIcon(Look)
	setTooltip(string)
	// addItem appends an item to the submenu of another one, or to the menu itself if
	// that is nil. A click sends on clicked, and is lost if nobody receives at that
	// moment. An item with a submenu is not clicked, but one library sends that it has
	// been opened.
	addItem(under item, label string, checkbox bool) (it item, clicked <-chan struct{})
	addSeparator()
	// iconClicks returns what receives after a panel has asked for the icon's main
	// action, and for its second one. Nil is a desktop that always shows the menu.
	// Such a click, too, is lost if nobody receives.
	iconClicks() (first, second <-chan struct{})
	// opened returns what receives after the menu has been opened, or is lost. Nil is a
	// library that does not say.
	opened() <-chan struct{}
	// escape returns a label that is shown as text, whatever mnemonics the desktop
	// looks for in it.
	escape(text string) string
}

// An item is a menu item of either library.
type item interface {
	SetTitle(string)
	Enable()
	Disable()
	Check()
	Uncheck()
	Show()
	Hide()
}

// A builder makes the menu. Each build has one function show, which waits until
// the desktop can take an icon, calls the builder once, runs the menu that it
// returns, and returns when ctx has ended or the desktop has closed the icon.
type builder func(backend) *menu

// icon returns the look's embedded image; an unknown look has that of trouble.
func (l Look) icon() []byte {
	switch l {
	case Connected:
		return connectedIcon
	case Connecting:
		return connectingIcon
	case Paused:
		return pausedIcon
	default:
		return troubleIcon
	}
}
