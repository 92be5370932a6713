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
// On Windows and macOS every notification goes through beeep: a title, a text, an
// icon from a file, and the system's own sound. It has no pictures, sounds of one's
// own, timeouts or buttons, replaces nothing and reports nothing.
//
// A Windows without toasts, such as Wine, has balloons: 63 characters of title and 255 of
// body, no icon of one's own, and nothing reported, but they can be replaced and closed.
// Windows shows them one after the other; at most 8 wait, and Close removes them.
//
// # Responses
//
// What becomes of a notification comes back over D-Bus: from every server that it was
// closed, and why; from those with actions also clicks and buttons; from those with
// "inline-reply" also what was typed. Only the server's own word counts, and only for
// the ids that it gave us: on one bus everybody sees everybody's clicks. The last 256
// notifications are known. What replaces another has its id, and takes its place:
// from then on responses have the Ref of the later one. When the server goes away, so
// do its notifications, and nothing is reported of them.
//
// [Options.Responded] is called for one response at a time, in the order of the bus.
// Servers differ in whether they close what was clicked, and whether they say so
// before or after the click. It is never called after Close.
//
// A click on the notification itself is offered wherever it can be reported, with two
// exceptions for those without a URL: Xfce would show one more button for it, and
// dunst would do it in place of the buttons.
//
// # Sounds
//
// Servers with the capability "sound" play them. For others, the first of these that
// works does: canberra-gtk-play for names; pw-play, paplay, aplay (.wav only) or
// canberra-gtk-play for files. One sound is played at a time, for at most 30 s; what
// comes meanwhile is shown without. Close ends it.
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
// reorder other text, at most 200 characters of title, 2,000 of body or reply, and 60
// of a button. It is plain text: what looks like markup is shown as it is. A URL, icon
// or sound that is not such text, or longer than 4 KiB, is left out, as is a picture
// whose size does not fit its pixels.
package notify
