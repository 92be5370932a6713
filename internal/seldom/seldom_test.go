package seldom

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Of alike lines few are written, whatever they say besides, and no line is kept by
// others; those left out are counted.
func TestLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		l := Logger(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})))
		written := func() (lines []string) {
			lines = strings.Split(strings.TrimSpace(b.String()), "\n")
			b.Reset()
			return lines
		}
		for i := range 1000 {
			l.With("client", i).Warn("bad input", "n", i)
		}
		if n := len(written()); n != atOnce {
			t.Errorf("%d lines at once", n)
		}
		l.Info("another")
		l.WithGroup("g").Warn("a third", "x", 1)
		if lines := written(); len(lines) != 2 {
			t.Errorf("%q", lines)
		}
		for range 1000 {
			l.Debug("client connected")
		}
		if n := len(written()); n != 1000 {
			t.Errorf("%d lines for those who look for something", n)
		}
		time.Sleep(every)
		for range 10 {
			l.Warn("bad input")
		}
		if lines := written(); len(lines) != 1 || !strings.HasSuffix(lines[0], `msg="bad input" unlogged=980`) {
			t.Errorf("%q", lines)
		}
		for range 600 {
			l.Warn("bad input")
			time.Sleep(time.Second)
		}
		if n := len(written()); n < 118 || n > 121 {
			t.Errorf("%d lines in ten minutes", n)
		}
		time.Sleep(time.Hour)
		for range 1000 {
			l.Warn("bad input")
		}
		if n := len(written()); n != atOnce {
			t.Errorf("%d lines after an hour", n)
		}
		for i := range 10_000 {
			l.Warn(fmt.Sprint("message ", i))
		}
		if n := len(written()); n > maxKinds+atOnce {
			t.Errorf("%d lines of as many kinds", n)
		}
	})
}

func TestOnce(t *testing.T) {
	l := Logger(slog.New(slog.DiscardHandler))
	if Logger(l) != l {
		t.Error("one within another")
	}
}
