//go:build linux

package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// newSway starts Sway, a Wayland compositor, in a window that is all of the screen: so the
// mouse is the same as on the other desktops. Sway refuses to run as root.
func newSway(t testing.TB) *desktop {
	t.Helper()
	need(t, "sway", "grim")
	d := newBareDesktopOf(t, newUnprivilegedHome(t), "1024x600")
	config := d.write(t, "config/sway/config", "output * resolution 1024x600\noutput * bg #66788a solid_color\nxwayland disable\n")
	d.parts = append(d.parts, start(t, append(d.env, "WLR_BACKENDS=x11", "WLR_RENDERER=pixman"), "sway", "--config", config))
	var socket string
	eventually(t, "Sway listens", func() bool {
		for _, socket = range []string{"wayland-0", "wayland-1"} {
			if _, err := os.Stat(filepath.Join(d.dir, "run", socket)); err == nil {
				return true
			}
		}
		return false
	})
	d.env = append(d.env, "WAYLAND_DISPLAY="+socket, "GDK_BACKEND=wayland", "XDG_CURRENT_DESKTOP=sway")
	d.shot = []string{"grim", "-"}
	return d
}
