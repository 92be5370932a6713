//go:build !windows && !(linux || freebsd || netbsd || openbsd)

package notify

import "context"

// balloons are Windows'.
type balloons struct{}

func newBalloons() *balloons { return nil }

func (*balloons) show(context.Context, Notification) error { return nil }

func (*balloons) close() {}
