package cli

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"sigalert/internal/zone"
)

// The levels have pysig's names; slog lacks the outer ones.
const (
	levelTrace    = slog.Level(-8)
	levelCritical = slog.Level(12)
	levelNone     = slog.Level(math.MaxInt)
)

var levels = []struct {
	name  string
	level slog.Level
}{
	{"trace", levelTrace}, {"debug", slog.LevelDebug}, {"info", slog.LevelInfo}, {"warning", slog.LevelWarn},
	{"error", slog.LevelError}, {"critical", levelCritical}, {"none", levelNone},
}

func parseLevel(name string) (slog.Level, error) {
	var names []string
	for _, l := range levels {
		if strings.EqualFold(name, l.name) {
			return l.level, nil
		}
		names = append(names, l.name)
	}
	return 0, fmt.Errorf("unknown level %q: must be one of %s", name, strings.Join(names, ", "))
}

// quietly logs only what went wrong, unless a level is given: what cron runs, for one,
// says nothing where it worked.
func (p *program) quietly(cmd *cobra.Command) {
	if !cmd.Flags().Changed("log-level") {
		p.logLevel = "warning"
		p.log = newLogger(p.err, slog.LevelWarn)
	}
}

func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: level,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Value.Kind() == slog.KindTime {
				a.Value = slog.TimeValue(a.Value.Time().In(zone.Local()))
			}
			if a.Key != slog.LevelKey {
				return a
			}
			for _, l := range levels {
				if a.Value.Any() == l.level {
					a.Value = slog.StringValue(l.name)
				}
			}
			return a
		},
	}))
}
