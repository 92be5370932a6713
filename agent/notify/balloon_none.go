//go:build !windows && !(linux || freebsd || netbsd || openbsd)

package notify

// balloons are Windows'.
type balloons struct{}

func newBalloons() *balloons { return nil }

func (*balloons) show(_, _ string, _, _ bool) error { return nil }

func (*balloons) close() {}
