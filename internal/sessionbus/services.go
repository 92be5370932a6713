package sessionbus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// Services are the programs on a session bus that an alert needs.
type Services struct {
	Notifications Notifications
	Tray          Tray
}

// A Service is a name on the bus that a program may own.
type Service struct {
	Runs    bool   // a program owns the name
	Starts  bool   // none does, and the bus starts one when it is needed
	Process string // the owner, such as "dunst (process 1234)"; "": not known
	Err     error  // why what is asked of the owner is not known, such as that it hangs
}

// Notifications is the notification server.
type Notifications struct {
	Service
	Name, Vendor, Version string
	Capabilities          []string
	Quiet                 Quiet
}

// Quiet says whether the notification server holds notifications back.
type Quiet struct {
	Known bool
	On    bool
	Dunst bool // dunst said so; otherwise the property that KDE and XFCE have
}

// Tray is what panels show icons for.
type Tray struct {
	Service
	Host bool // a panel shows icons
}

// maxAsking bounds one question, so that a program that hangs leaves time for the
// others.
const maxAsking = 2 * time.Second

// Look asks the services what they are, without starting any. The error says that no
// bus answers. Callers must bound ctx, as a bus that hangs does not answer.
func Look(ctx context.Context) (Services, error) {
	conn, err := connect(ctx)
	if err != nil {
		return Services{}, err
	}
	defer conn.Close()
	l := looker{ctx, conn}
	var names []string
	if err := l.ask("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.ListActivatableNames", nil, &names); err != nil {
		return Services{}, fmt.Errorf("ask the session bus which programs it starts: %w", err)
	}
	starts := make(map[string]bool)
	for _, name := range names {
		starts[name] = true
	}
	var s Services
	var tasks sync.WaitGroup
	tasks.Go(func() { s.Notifications = l.notifications(starts[notifications]) })
	tasks.Go(func() { s.Tray = l.tray(starts[trayWatcher]) })
	tasks.Wait()
	return s, nil
}

type looker struct {
	ctx  context.Context
	conn *dbus.Conn
}

// ask calls a method, but starts no program for it.
func (l looker) ask(to string, path dbus.ObjectPath, method string, args []any, results ...any) error {
	ctx, cancel := context.WithTimeout(l.ctx, maxAsking)
	defer cancel()
	err := l.conn.Object(to, path).CallWithContext(ctx, method, dbus.FlagNoAutoStart, args...).Store(results...)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("no answer within %s", maxAsking)
	}
	return err
}

// service finds the owner of a name.
func (l looker) service(name string, starts bool) (s Service, owner string) {
	err := l.ask("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.GetNameOwner", []any{name}, &owner)
	if err != nil {
		if !errors.As(err, new(dbus.Error)) { // which says that it has none
			s.Err = err
		}
		s.Starts = starts
		return s, ""
	}
	s.Runs = true
	var pid uint32
	if l.ask("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.GetConnectionUnixProcessID", []any{owner}, &pid) == nil {
		s.Process = process(pid)
	}
	return s, owner
}

func process(pid uint32) string {
	if runtime.GOOS == "linux" {
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil {
			return fmt.Sprintf("%s (process %d)", strings.TrimSpace(string(name)), pid)
		}
	}
	return fmt.Sprintf("process %d", pid)
}

func (l looker) notifications(starts bool) (n Notifications) {
	var owner string
	if n.Service, owner = l.service(notifications, starts); !n.Runs {
		return n
	}
	const path = notificationsPath
	var spec string
	var failed [2]error
	var tasks sync.WaitGroup
	tasks.Go(func() {
		failed[0] = l.ask(owner, path, notifications+".GetServerInformation", nil, &n.Name, &n.Vendor, &n.Version, &spec)
	})
	tasks.Go(func() { failed[1] = l.ask(owner, path, notifications+".GetCapabilities", nil, &n.Capabilities) })
	tasks.Go(func() { n.Quiet = l.quiet(owner, path) })
	tasks.Wait()
	n.Err = errors.Join(failed[0], failed[1])
	if failed[0] != nil && failed[1] != nil { // once is enough
		n.Err = failed[0]
	}
	return n
}

func (l looker) quiet(owner string, path dbus.ObjectPath) Quiet {
	for _, p := range []struct {
		of, name string
		dunst    bool
	}{{notifications, "Inhibited", false}, {"org.dunstproject.cmd0", "paused", true}} {
		if on, err := l.property(owner, path, p.of, p.name); err == nil {
			return Quiet{Known: true, On: on, Dunst: p.dunst}
		}
	}
	return Quiet{}
}

func (l looker) tray(starts bool) (t Tray) {
	var owner string
	if t.Service, owner = l.service(trayWatcher, starts); t.Runs {
		t.Host, t.Err = l.property(owner, "/StatusNotifierWatcher", trayWatcher, "IsStatusNotifierHostRegistered")
	}
	return t
}

// property reads one that is true or false.
func (l looker) property(owner string, path dbus.ObjectPath, of, name string) (is bool, err error) {
	var v dbus.Variant
	if err := l.ask(owner, path, properties+".Get", []any{of, name}, &v); err != nil {
		return false, err
	}
	is, ok := v.Value().(bool)
	if !ok {
		return false, fmt.Errorf("%s is %s", name, v)
	}
	return is, nil
}
