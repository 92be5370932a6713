//go:build linux || freebsd || netbsd || openbsd

package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const maxSound = 30 * time.Second

// player plays sounds by a program, one at a time: what comes meanwhile is not played.
type player struct {
	ctx    context.Context // ends what is played
	logger *slog.Logger

	busy   atomic.Bool
	tasks  sync.WaitGroup
	failed sync.Once // logs the first failure
}

func (p *player) play(sound string) {
	if !p.busy.CompareAndSwap(false, true) {
		p.logger.Debug("another sound is being played", "sound", sound)
		return
	}
	p.tasks.Go(func() {
		defer p.busy.Store(false)
		ctx, cancel := context.WithTimeout(p.ctx, maxSound)
		defer cancel()
		var errs []error
		for _, argv := range players(sound) {
			err := run(ctx, argv)
			if err == nil || ctx.Err() != nil {
				return
			}
			errs = append(errs, fmt.Errorf("%s: %w", argv[0], err))
		}
		p.failed.Do(func() { p.logger.Warn("cannot play sounds", "sound", sound, "err", errors.Join(errs...)) })
	})
}

// wait returns when nothing is played any more.
func (p *player) wait() { p.tasks.Wait() }

// players returns what may be able to play sound, the best first.
func players(sound string) [][]string {
	if !filepath.IsAbs(sound) {
		return [][]string{{"canberra-gtk-play", "--id=" + sound}}
	}
	all := [][]string{{"pw-play", sound}, {"paplay", sound}}
	if strings.EqualFold(filepath.Ext(sound), ".wav") { // anything else would be noise
		all = append(all, []string{"aplay", "-q", sound})
	}
	return append(all, []string{"canberra-gtk-play", "--file=" + sound})
}

// run ends the program, and what it has started, with ctx.
func run(ctx context.Context, argv []string) error {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd.Run()
}
