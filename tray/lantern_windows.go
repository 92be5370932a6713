package tray

import (
	"context"
	"crypto/md5"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/getlantern/systray"
)

func prepare(context.Context, *slog.Logger) bool { return true }

// stopLoop also removes the files that the library has made of the icons.
func stopLoop() {
	for look := Connected; look <= Trouble; look++ {
		file := fmt.Sprintf("systray_temp_icon_%x", md5.Sum(look.icon()))
		_ = os.Remove(filepath.Join(os.TempDir(), file))
	}
	systray.Quit()
}

func escape(text string) string { return strings.ReplaceAll(text, "&", "&&") }
