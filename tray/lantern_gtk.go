//go:build linux && gtk && cgo && !android

package tray

/*
#cgo pkg-config: gtk+-3.0
#include <gtk/gtk.h>

static int initGTK(void) { return gtk_init_check(NULL, NULL); }
*/
import "C"

import (
	"context"
	"log/slog"
	"os"

	"github.com/getlantern/systray"

	"sigalert/internal/wait"
)

// prepare waits for a bus and a display, and returns false when ctx ends. Without
// a display the library exits the process, and without a bus GTK starts one of its
// own.
func prepare(ctx context.Context, log *slog.Logger) bool {
	say := newOnce(log)
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		say.info("no display; there is no tray icon")
		<-ctx.Done()
		return false
	}
	if !waitBus(ctx, say) {
		return false
	}
	for !initGTK() {
		say.info("the display does not answer; the tray icon appears when it does")
		if !wait.Sleep(ctx, retry, nil) {
			return false
		}
	}
	return true
}

// initGTK opens the display. The icon that GTK shows if there is no tray host
// would load the whole of OpenGL, which takes the memory of a second program. GTK
// reads the variable only here, and programs that the agent starts must not get
// it.
func initGTK() bool {
	const name = "GDK_GL"
	if _, set := os.LookupEnv(name); !set {
		os.Setenv(name, "disable")
		defer os.Unsetenv(name)
	}
	return C.initGTK() != 0
}

func stopLoop() { systray.Quit() }

// escape leaves text alone: the panels that need this build show it as it is.
// Others, over D-Bus, leave out underscores.
func escape(text string) string { return text }
