package systemd

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is the time on the clock that systemd compares with.
func monotonic() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // which every system has
	return time.Duration(t.Nano())
}
