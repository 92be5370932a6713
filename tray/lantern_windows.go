package tray

import (
	"context"
	"log/slog"
	"strings"

	"github.com/getlantern/systray"
)

func prepare(context.Context, *slog.Logger) bool { return true }

func stopLoop() { systray.Quit() }

func escape(text string) string { return strings.ReplaceAll(text, "&", "&&") }
