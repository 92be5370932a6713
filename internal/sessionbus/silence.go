package sessionbus

import (
	"context"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	silenceLook  = 15 * time.Second // how often is asked what nobody may say by itself
	silenceRetry = 30 * time.Second // until the next attempt, where there is no bus
)

// Why a desktop asks for silence.
const (
	disturbed = "do not disturb is on"
	locked    = "the screen is locked"
)

// screenSavers are the programs that know whether the screen is locked.
var screenSavers = []struct {
	name string
	path dbus.ObjectPath
}{
	{"org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"},
	{"org.freedesktop.ScreenSaver", "/ScreenSaver"}, // KDE's
	{"org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"},
	{"org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"},
	{"org.mate.ScreenSaver", "/org/mate/ScreenSaver"},
	{"org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"},
}

// FollowSilence follows whether the desktop asks for silence, until ctx ends: its
// notification server holds notifications back, or the screen is locked. It calls
// changed with why and, when that is over, with "". Without a bus it is not asked for.
func FollowSilence(ctx context.Context, changed func(why string)) {
	was := ""
	tell := func(why string) {
		if why != was && ctx.Err() == nil {
			was = why
			changed(why)
		}
	}
	for ctx.Err() == nil {
		followSilence(ctx, tell)
		tell("")
		select {
		case <-ctx.Done():
		case <-time.After(silenceRetry):
		}
	}
}

// followSilence uses one connection to the bus, until that ends.
func followSilence(ctx context.Context, tell func(why string)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	hangs := time.AfterFunc(maxAsking, cancel)
	conn, err := connect(ctx)
	if err != nil {
		return
	}
	defer conn.Close()
	logind := connectSystem(ctx)
	if logind != nil {
		defer logind.Close()
	}
	if !hangs.Stop() {
		return
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	rules := [][]dbus.MatchOption{
		{dbus.WithMatchInterface(properties), dbus.WithMatchMember("PropertiesChanged"), dbus.WithMatchObjectPath(notificationsPath)},
		{dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, notifications)},
	}
	for _, s := range screenSavers {
		rules = append(rules, []dbus.MatchOption{dbus.WithMatchInterface(s.name), dbus.WithMatchMember("ActiveChanged")})
	}
	for _, rule := range rules {
		if conn.AddMatchSignalContext(ctx, rule...) != nil {
			return
		}
	}
	look := time.NewTicker(silenceLook)
	defer look.Stop()
	for conn.Connected() {
		tell(silence(ctx, conn, logind))
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		case _, ok := <-signals:
			if !ok {
				return
			}
		}
	}
}

// connectSystem is a connection to the system bus; nil: there is none.
func connectSystem(ctx context.Context) *dbus.Conn {
	conn, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return nil
	}
	return conn
}

// silence is why the desktop asks for silence; "": it does not, or does not answer.
func silence(ctx context.Context, conn, logind *dbus.Conn) string {
	l := looker{ctx, conn}
	if s, owner := l.service(notifications, false); s.Runs && l.quiet(owner, notificationsPath).On {
		return disturbed
	}
	for _, s := range screenSavers {
		active := false
		if l.ask(s.name, s.path, s.name+".GetActive", nil, &active) == nil && active {
			return locked
		}
	}
	if logind == nil {
		return ""
	}
	const login1 = "org.freedesktop.login1"
	if is, err := (looker{ctx, logind}).property(login1, "/org/freedesktop/login1/session/auto", login1+".Session", "LockedHint"); err == nil && is {
		return locked
	}
	return ""
}
