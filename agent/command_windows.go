package agent

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// special is what cmd.exe takes for code wherever it stands.
const special = "\"%&|<>^!()\r\n"

// commandOf has no window of its own. Where cmd.exe reads what an event says, as in a
// line for the shell or in an argument of a batch file, nothing in that can be code.
func commandOf(ctx context.Context, j job) *exec.Cmd {
	if j.shell {
		for i, v := range j.env {
			j.env[i] = strings.Map(func(r rune) rune {
				if strings.ContainsRune(special, r) {
					return ' '
				}
				return r
			}, v)
		}
		cmd := exec.CommandContext(ctx, "cmd.exe")
		cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true, CmdLine: `cmd.exe /d /s /c "` + j.args[0] + `"`}
		return cmd
	}
	cmd := exec.CommandContext(ctx, j.args[0], j.args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{HideWindow: true}
	if isBatch(cmd.Path) && strings.ContainsAny(strings.Join(j.args[1:], ""), special) {
		cmd.Err = errors.New("an argument has one of the characters " + strings.TrimSpace(special) + " or a line break, which are not safe in a batch file's")
	}
	return cmd
}

func isBatch(path string) bool {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".bat", ".cmd":
		return true
	}
	return false
}
