package cli

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/adrg/xdg"

	"sigalert/packaging/icons"
)

// iconPath is a file with the application's icon for notifications, as the picture
// itself cannot be sent with them; "" if there is none.
func iconPath(log *slog.Logger) string {
	picture, err := icons.Theme.ReadFile("hicolor/64x64/apps/sigalert.png")
	if err != nil {
		log.Debug("no icon", "err", err)
		return ""
	}
	path := filepath.Join(xdg.CacheHome, "sigalert", "sigalert.png")
	if there, err := os.ReadFile(path); err == nil && bytes.Equal(there, picture) {
		return path
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		log.Debug("no icon", "err", err)
		return ""
	}
	if err := os.WriteFile(path, picture, 0o600); err != nil {
		log.Debug("no icon", "err", err)
		return ""
	}
	return path
}
