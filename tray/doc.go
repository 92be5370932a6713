// Package tray shows the agent's state as an icon with a menu.
//
// # Usage
//
// The program implements [Agent] and calls [Run] on its main goroutine, once:
//
//	err := tray.Run(ctx, agent, log)
//
// Run keeps the icon until ctx ends. If there can be no icon, it returns an
// error that wraps [ErrUnavailable] at once, and the program goes on without one.
//
// # Concurrency
//
// Run owns the goroutine it is called on: the desktop's library takes its
// events there. One more goroutine follows the state, and one for each menu
// item that does something calls the Agent. Run returns after all of them have ended.
//
// # Clicks on the icon
//
// Most panels open the menu for a left click. Those that leave it to the program, such
// as Cinnamon's, open the history with it (fyne.io/systray), or open the menu all the
// same (libayatana-appindicator, in the gtk build). With fyne.io/systray a middle click
// pauses and resumes.
//
// # The menu
//
// No library can remove an item, so all are made at the start, fewer than 60, and those
// that are not needed are hidden. A recent alert's actions are below it rather than in a
// submenu of their own, because an item that has one cannot be clicked. A click on a row
// of a list that has stood for something else within the last half second is dropped.
//
// fyne.io/systray reports that the menu was opened if the panel sends the event
// "opened" for the whole menu, which that of XFCE does not. The items then stay as they
// are for 15 seconds, or until one is clicked or a pause begins or ends: the library
// announces a new layout with each change, for which LXQt's panel closes the menu. It
// does not report that the menu was closed, so one that is opened again within that time
// may be out of date; the icon and its tooltip never are. The gtk build reports that the
// recent alerts were opened. Windows and macOS report neither.
//
// # Missing desktops
//
// Run logs once what is missing, and the icon comes as soon as that is there:
//
//   - Without a session bus (no DBUS_SESSION_BUS_ADDRESS, no socket in
//     XDG_RUNTIME_DIR) it looks for one every three seconds. It never starts one.
//   - Without a tray host the icon waits on the bus for one to start.
//   - The gtk build also needs a display. One that is named but not there yet is
//     tried every three seconds. A process that was given none never gets one,
//     and Run only waits for ctx.
//
// # Builds
//
// Windows, macOS with cgo, and Linux with cgo and the build tag gtk use
// github.com/getlantern/systray. Linux otherwise, FreeBSD, OpenBSD and NetBSD use
// fyne.io/systray, which needs neither cgo nor GTK; panels that know only the
// older XEmbed protocol do not show it. Every other build has no tray.
//
// In the gtk build the libraries themselves end the process when the display dies
// (exit status 1) and when the session bus dies (SIGTERM).
package tray
