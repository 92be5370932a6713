// Package logind says when the machine wakes from suspend.
package logind

import (
	"context"
	"runtime"
	"time"

	"github.com/godbus/dbus/v5"

	"sigalert/internal/wait"
)

const (
	manager = "org.freedesktop.login1.Manager"
	path    = dbus.ObjectPath("/org/freedesktop/login1")
	member  = "PrepareForSleep"

	tryAgain = time.Minute
)

// Watch calls woke whenever logind says, on the system bus, that the machine has woken
// from suspend, until ctx ends. While there is no bus it looks for one every minute.
func Watch(ctx context.Context, woke func()) {
	if runtime.GOOS != "linux" {
		return
	}
	for {
		listen(ctx, woke)
		if !wait.Sleep(ctx, tryAgain, nil) {
			return
		}
	}
}

// listen returns when there is no connection to the bus any more.
func listen(ctx context.Context, woke func()) {
	conn, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return
	}
	defer conn.Close()
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	err = conn.AddMatchSignalContext(ctx, dbus.WithMatchSender("org.freedesktop.login1"),
		dbus.WithMatchObjectPath(path), dbus.WithMatchInterface(manager), dbus.WithMatchMember(member))
	if err != nil {
		return
	}
	for s := range signals {
		begins := true
		if s.Name == manager+"."+member && dbus.Store(s.Body, &begins) == nil && !begins {
			woke()
		}
	}
}
