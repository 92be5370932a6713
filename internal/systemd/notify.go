package systemd

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Manager is the systemd that has started this process and expects to hear from it.
// A nil Manager is none: its methods do nothing.
type Manager struct {
	socket   string
	watchdog time.Duration // how often it expects a sign of life; 0: never
	log      *slog.Logger
}

// Find returns the manager; nil if there is none.
func Find(log *slog.Logger) *Manager {
	m := &Manager{socket: os.Getenv("NOTIFY_SOCKET"), log: log}
	if m.socket == "" {
		return nil
	}
	micros, err := strconv.ParseInt(os.Getenv("WATCHDOG_USEC"), 10, 64)
	pid := os.Getenv("WATCHDOG_PID")
	if err == nil && micros > 0 && micros <= math.MaxInt64/1000 && (pid == "" || pid == strconv.Itoa(os.Getpid())) {
		m.watchdog = time.Duration(micros) * time.Microsecond
	}
	return m
}

// Ready says that the service has started, with a short sentence about it.
func (m *Manager) Ready(status string) { m.send("READY=1", "STATUS="+status) }

// Stopping says that the service is about to end.
func (m *Manager) Stopping(status string) { m.send("STOPPING=1", "STATUS="+status) }

// Reload says that the service is reloading while reload runs, which returns a short
// sentence.
func (m *Manager) Reload(reload func() (status string)) {
	m.send("RELOADING=1", fmt.Sprintf("MONOTONIC_USEC=%d", monotonic().Microseconds()))
	m.Ready(reload())
}

// Watch says again and again that the service is alive, if the manager expects that,
// until ctx ends; not while alive fails, or does not return.
func (m *Manager) Watch(ctx context.Context, alive func(context.Context) error) {
	if m == nil || m.watchdog == 0 {
		return
	}
	tick := time.NewTicker(m.watchdog / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		looking, cancel := context.WithTimeout(ctx, m.watchdog/3)
		err := alive(looking)
		cancel()
		switch {
		case ctx.Err() != nil:
		case err != nil:
			m.log.Error("the router does not answer itself, and systemd may start it again", "err", err)
		default:
			m.send("WATCHDOG=1")
		}
	}
}

// send sends one message. That it cannot be sent has no consequence here: systemd
// decides what it means that it has heard nothing.
func (m *Manager) send(lines ...string) {
	if m == nil {
		return
	}
	// A leading @ is that of an abstract socket, as it is in package net.
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.socket, Net: "unixgram"})
	if err == nil {
		defer conn.Close()
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
		_, err = conn.Write([]byte(strings.Join(lines, "\n")))
	}
	if err != nil {
		m.log.Warn("cannot speak to systemd", "err", err)
	}
}
