//go:build linux

package sessionbus

import (
	"context"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"github.com/godbus/dbus/v5/prop"

	"sigalert/internal/wait"
)

// saver is a screen saver.
type saver struct{ active *bool }

func (s saver) GetActive() (bool, *dbus.Error) { return *s.active, nil }

func TestFollowSilence(t *testing.T) {
	startBus(t, "")
	t.Setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent")
	conn := join(t)
	own(t, conn, notifications)
	told := make(chan string, 10)
	stop := wait.Start(t.Context(), func(ctx context.Context) { FollowSilence(ctx, func(why string) { told <- why }) })
	expect := func(want string) {
		t.Helper()
		select {
		case got := <-told:
			if got != want {
				t.Errorf("%q, want %q", got, want)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("it does not say %q", want)
		}
	}
	exported, err := prop.Export(conn, notificationsPath, prop.Map{notifications: {"Inhibited": {Value: true, Emit: prop.EmitTrue}}})
	if err != nil {
		t.Fatal(err)
	}
	own(t, join(t), "org.example.Other")
	exported.SetMust(notifications, "Inhibited", true) // it may have looked before
	expect("do not disturb is on")
	exported.SetMust(notifications, "Inhibited", false)
	expect("")

	active := true
	own(t, conn, "org.freedesktop.ScreenSaver")
	if err := conn.Export(saver{&active}, "/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver"); err != nil {
		t.Fatal(err)
	}
	changed := func() {
		if err := conn.Emit("/org/freedesktop/ScreenSaver", "org.freedesktop.ScreenSaver.ActiveChanged", active); err != nil {
			t.Fatal(err)
		}
	}
	changed()
	expect("the screen is locked")
	exported.SetMust(notifications, "Inhibited", true)
	expect("do not disturb is on")
	stop()
	select {
	case got := <-told:
		t.Errorf("%q after its end", got)
	default:
	}
}

// Without a bus it ends as soon as it is to.
func TestFollowSilenceWithoutABus(t *testing.T) {
	t.Setenv(Variable, "unix:path="+t.TempDir()+"/none")
	t.Setenv("XDG_RUNTIME_DIR", "")
	ctx, cancel := context.WithCancel(t.Context())
	stop := wait.Start(ctx, func(ctx context.Context) { FollowSilence(ctx, func(why string) { t.Errorf("says %q", why) }) })
	cancel()
	stop()
}
