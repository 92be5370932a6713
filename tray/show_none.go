//go:build !(windows || (darwin && cgo && !ios) || (linux && gtk && cgo && !android) || (linux && !gtk && !android) || freebsd || openbsd || netbsd)

package tray

import (
	"context"
	"fmt"
	"log/slog"
)

func show(context.Context, *slog.Logger, builder) error {
	return fmt.Errorf("%w: this build has none (on macOS and with the build tag gtk it needs cgo)", ErrUnavailable)
}
