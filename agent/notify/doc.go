// Package notify shows a notification on this machine's desktop.
//
// # Usage
//
//	desktop := notify.New(&notify.Options{Icon: "sigalert"})
//	defer desktop.Close()
//	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
//	defer cancel()
//	receipt, err := desktop.Notify(ctx, notify.Notification{Title: "ci: build", Body: "main is green"})
//
// # Ways to the desktop
//
// On Linux and the BSDs a notification goes over D-Bus to whichever server owns
// org.freedesktop.Notifications. The bus is dialed by the first notification and
// again after it has died, each time at the addresses that the environment has then
// (DBUS_SESSION_BUS_ADDRESS, then the socket in XDG_RUNTIME_DIR), so a bus or a
// server that appears later is found. If the server refuses, or there
// is none, beeep is tried (notify-send, kdialog). It is not tried if the server
// did not answer in time: it would hang as well, or show the notification twice.
//
// Without a session bus there is nothing to ask, and no process is started.
//
// A click on a notification with a URL comes back over D-Bus, from servers that know
// actions. Only the server's word counts, and only for the ids that it gave us: on one
// bus everybody sees everybody's clicks.
//
// On Windows and macOS every notification goes through beeep.
//
// # Concurrency
//
// All methods may be called from any goroutine. The notifications of one Desktop
// take turns: the wait for a turn also ends with the context.
//
// A beeep call cannot be stopped. When the context ends first, Notify returns and
// leaves the call running; until that returns, further notifications that need
// beeep fail at once. There is never more than one such call in the process.
//
// # Text
//
// Text may come from anyone, so it is cleaned for every backend: valid UTF-8, no
// control characters except newline and tab in the body, no characters that
// reorder other text, at most 200 characters of title and 2,000 of body. It is
// plain text: what looks like markup is shown as it is.
package notify
