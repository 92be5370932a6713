package doctor

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"sigalert/internal/sessionbus"
)

// session is what was found on the session bus.
type session struct {
	sessionbus.Services
	err   error  // why there is no bus
	gnome string // what GNOME's setting show-banners is, if it is the notification server; "": not known
}

func lookAtSession(ctx context.Context) (s session) {
	s.Services, s.err = sessionbus.Look(ctx)
	switch {
	case s.err != nil && ctx.Err() != nil:
		s.err = errHangs
	case s.err == nil && s.Notifications.Name == "gnome-shell":
		s.gnome = showsBanners(ctx)
	}
	return s
}

// showsBanners asks GNOME for its setting.
func showsBanners(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "gsettings", "get", "org.gnome.desktop.notifications", "show-banners")
	cmd.WaitDelay = grace
	answer, _ := cmd.Output()
	return strings.TrimSpace(string(answer))
}

func bus(s session) Result {
	r := Result{Name: "bus", Status: OK, Text: "the session bus answers"}
	switch {
	case errors.Is(s.err, errHangs):
		r.Status, r.Text = Wrong, "the session bus takes connections and does not answer"
		r.Advice = "log out and in again"
	case s.err != nil:
		r.Status, r.Text = Wrong, fmt.Sprintf("there is no session bus, which notifications and the icon need: %v", s.err)
		r.Advice = "start the agent from a terminal of your desktop, not over ssh or from cron; on a machine without a desktop, alerts are lines in the agent's log"
	}
	return r
}

func notifications(s session) Result {
	r := Result{Name: "notifications", Status: Wrong}
	n := s.Notifications
	switch {
	case s.err != nil:
		r.Status, r.Text = Note, "not known, as there is no session bus"
	case n.Runs && n.Err != nil:
		r.Text = fmt.Sprintf("the notification server, %s, does not say what it is: %v", n.Process, n.Err)
		r.Advice = "end it; the desktop starts another, or you do"
	case n.Runs:
		r.Status = OK
		r.Text = strings.TrimSpace(n.Name + " " + n.Version)
		if n.Vendor != "" {
			r.Text += " (" + n.Vendor + ")"
		}
		r.Text += " shows them, and can do: " + strings.Join(n.Capabilities, ", ")
	case n.Err != nil:
		r.Text = fmt.Sprintf("the session bus does not say who shows them: %v", n.Err)
		r.Advice = "log out and in again"
	case n.Starts:
		r.Status = OK
		r.Text = "the session bus starts a notification server with the first one"
	default:
		r.Text = "no notification server runs, so that alerts are only lines in the agent's log"
		r.Advice = "start the one of your desktop, or install and start one, such as dunst, mako (Wayland) or xfce4-notifyd"
	}
	return r
}

func quiet(s session) Result {
	const none = "the notification server does not say whether it holds notifications back"
	r := Result{Name: "do-not-disturb", Status: OK, Text: "off"}
	q := s.Notifications.Quiet
	switch {
	case s.err != nil || !s.Notifications.Runs:
		r.Status, r.Text = Note, "not known, as no notification server answers"
	case s.gnome == "false":
		r.Status, r.Text = Wrong, "on: GNOME shows no banners, and puts notifications into its list only"
		r.Advice = `turn it off in the menu of the clock, or with "gsettings set org.gnome.desktop.notifications show-banners true"`
	case s.gnome == "true":
	case !q.Known:
		r.Status, r.Text = Note, none
	case q.On && q.Dunst:
		r.Status, r.Text = Wrong, "on: dunst is paused, and shows nothing until it is resumed"
		r.Advice = `resume it with "dunstctl set-paused false"`
	case q.On:
		r.Status, r.Text = Wrong, "on: the desktop holds notifications back"
		r.Advice = "turn off do not disturb in the desktop's panel or settings"
	}
	return r
}

func (o Options) tray(s session) Result {
	r := Result{Name: "tray", Status: Note}
	t := s.Tray
	switch {
	case s.err != nil:
		r.Text = "not known, as there is no session bus"
	case t.Err != nil:
		r.Text = fmt.Sprintf("it is not known whether a panel shows icons: %v", t.Err)
		r.Advice = "if the panel hangs, start it again"
	case t.Host:
		r.Status, r.Text = OK, "a panel shows icons: "+t.Process
	case t.Starts:
		r.Text = "no panel shows icons yet; the session bus starts one when it is needed"
	case o.XEmbed:
		r.Text = "no panel shows StatusNotifierItems; this build's icon is shown by older panels (XEmbed), too, which cannot be asked"
	default:
		r.Text = "no panel shows this build's icon; alerts are shown all the same, and the commands do what its menu does"
		r.Advice = "use a panel with StatusNotifierItems (on GNOME, the AppIndicator extension), or, for an older one (i3bar, polybar, trayer), build with -tags gtk"
	}
	return r
}
